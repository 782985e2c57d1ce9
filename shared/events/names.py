"""Rules for the names that people give, one for each kind of name.

Ids of documents, spool files and Kafka keys combine these names with `/` and `.`. The rules ensure that no two
combinations are equal. Lot numbers have a rule of their own, with a check character.
"""

import re
from dataclasses import dataclass

from shared.events.lot_number import FACILITY_CODE, PRODUCT_CODE


@dataclass(frozen=True, slots=True)
class NameRule:
    """The form of one kind of name, as a pattern and in words."""

    pattern: re.Pattern[str]
    words: str

    def wrong(self, name: str) -> str | None:
        """The rule as a sentence if the name breaks it; None for a valid name."""
        return None if self.pattern.fullmatch(name) else self.words


# Without a dot, because a booth's id is two such parts with a dot between.
_PART = "[A-Za-z0-9][A-Za-z0-9_-]{0,39}"
_WHOLE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_HAS = "has at most 60 letters, digits, '.', '_' and '-', and begins with a letter or digit"

FESTIVAL = NameRule(
    re.compile(_PART),
    "A festival's id has at most 40 letters, digits, '_' and '-', and begins with a letter or digit, e.g. ODOP.",
)
BOOTH = NameRule(
    re.compile(rf"{_PART}\.{_PART}"),
    "A booth's id is its festival's, a dot, and then at most 40 letters, digits, '_' and '-', e.g. ODOP.B07.",
)
TILL = NameRule(_WHOLE, f"A till's name {_HAS}, e.g. T1.")
TERMINAL = NameRule(_WHOLE, f"A terminal's name {_HAS}, e.g. T1.")
REQUEST = NameRule(_WHOLE, f"A request's name {_HAS}, e.g. R1.")
SHIPMENT = NameRule(_WHOLE, f"A shipment's name {_HAS}, e.g. S1.")
TRANSFER = NameRule(_WHOLE, f"A transfer's name {_HAS}, e.g. T1.")
CATEGORY = NameRule(_WHOLE, f"A category's name {_HAS}, e.g. tenun.")
TERM = NameRule(_WHOLE, f"The code of a category, a unit or an island {_HAS}, e.g. tenun.")
PRODUCT = NameRule(PRODUCT_CODE, "A product's code is three capital letters, e.g. KTI.")
FACILITY = NameRule(FACILITY_CODE, "A facility's code is two capital letters, a dash and three more, e.g. LP-KPG.")
