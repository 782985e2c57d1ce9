"""How names look that people give: one rule for each kind, for whoever is told it first and whoever uses it later.

Ids of documents, spools' files and Kafka keys are put together from these names with `/` and `.`, so that no two of
them can mean the same. A lot's number has a rule of its own, with a check character.
"""

import re
from dataclasses import dataclass

from shared.events.lot_number import FACILITY_CODE, PRODUCT_CODE


@dataclass(frozen=True, slots=True)
class NameRule:
    """What one kind of name looks like, and that in words."""

    pattern: re.Pattern[str]
    words: str

    def wrong(self, name: str) -> str | None:
        """What such a name must look like, in a sentence, if this is none; None if it is one."""
        return None if self.pattern.fullmatch(name) else self.words


# No dot: a booth's id is two of them with a dot between.
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
PRODUCT = NameRule(PRODUCT_CODE, "A product's code is three capital letters, e.g. KTI.")
FACILITY = NameRule(FACILITY_CODE, "A facility's code is two capital letters, a dash and three more, e.g. LP-KPG.")
