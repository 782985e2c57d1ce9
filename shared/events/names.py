"""Rules for the names that people give, one for each kind of name.

Ids of documents, spool files and Kafka keys combine these names with `/` and `.`. The rules ensure that no two
combinations are equal. Lot numbers have a rule of their own, with a check character.
"""

import re
from dataclasses import dataclass

from shared.events.lot_number import FACILITY_CODE, PRODUCT_CODE
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class NameRule:
    """The form of one kind of name, as a pattern and in words."""

    pattern: re.Pattern[str]
    words: Message

    def wrong(self, name: str) -> Message | None:
        """The rule as a sentence if the name breaks it; None for a valid name."""
        return None if self.pattern.fullmatch(name) else self.words


# Without a dot, because a booth's id is two such parts with a dot between.
_PART = "[A-Za-z0-9][A-Za-z0-9_-]{0,39}"
_WHOLE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,59}")

FESTIVAL = NameRule(
    re.compile(_PART),
    Message(
        "A festival's id has at most 40 letters, digits, '_' and '-', and begins with a letter or digit, e.g. ODOP."
    ),
)
BOOTH = NameRule(
    re.compile(rf"{_PART}\.{_PART}"),
    Message(
        "A booth's id is its festival's, a dot, and then at most 40 letters, digits, '_' and '-', e.g. ODOP.B07."
    ),
)
TILL = NameRule(
    _WHOLE,
    Message(
        "A till's name has at most 60 letters, digits, '.', '_' and '-', and begins with a letter or digit, e.g. T1."
    ),
)
TERMINAL = NameRule(
    _WHOLE,
    Message(
        "A terminal's name has at most 60 letters, digits, '.', '_' and '-', and begins with a letter or digit, "
        "e.g. T1."
    ),
)
REQUEST = NameRule(
    _WHOLE,
    Message(
        "A request's name has at most 60 letters, digits, '.', '_' and '-', and begins with a letter or digit, "
        "e.g. R1."
    ),
)
SHIPMENT = NameRule(
    _WHOLE,
    Message(
        "A shipment's name has at most 60 letters, digits, '.', '_' and '-', and begins with a letter or digit, "
        "e.g. S1."
    ),
)
TRANSFER = NameRule(
    _WHOLE,
    Message(
        "A transfer's name has at most 60 letters, digits, '.', '_' and '-', and begins with a letter or digit, "
        "e.g. T1."
    ),
)
CATEGORY = NameRule(
    _WHOLE,
    Message(
        "A category's name has at most 60 letters, digits, '.', '_' and '-', and begins with a letter or digit, "
        "e.g. tenun."
    ),
)
PRODUCT = NameRule(PRODUCT_CODE, Message("A product's code is three capital letters, e.g. KTI."))
FACILITY = NameRule(
    FACILITY_CODE, Message("A facility's code is two capital letters, a dash and three more, e.g. LP-KPG.")
)
TERM = NameRule(
    _WHOLE,
    Message(
        "The code of a category, a unit or an island has at most 60 letters, digits, '.', '_' and '-', and begins "
        "with a letter or digit, e.g. tenun."
    ),
)
