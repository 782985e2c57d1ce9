"""Lot numbers: their form on labels, at terminals and at tills, and the parsing of typed ones.

`<facility>-<product>-<made on, yymmdd>-<counter>-<check>`, e.g. `PR-KPG-KTI-230418-007-4`. The check character is
ISO/IEC 7064 MOD 37,36 over the other letters and digits. It detects every single wrong character, and nearly all
swaps of two neighbours. The scheme misses a swap only for two characters that differ by one, in one of its 36 inner
states (1 in 180 swaps).
"""

import re
from dataclasses import dataclass
from datetime import date

FACILITY_CODE = re.compile(r"[A-Z]{2}-[A-Z]{3}")
PRODUCT_CODE = re.compile(r"[A-Z]{3}")
MAX_COUNTER = 999_999

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CENTURY = 2000
_BARE = re.compile(r"([A-Z]{5})([A-Z]{3})(\d{6})(\d{3,6})([0-9A-Z])", re.ASCII)
_SEPARATORS = re.compile(r"[\s\-‐‑–—_.]+")
# The position decides between look-alike characters: eight letters, then digits. The check character can
# be either, so it is read as typed.
_LETTERS = str.maketrans("01", "OI")
_DIGITS = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class LotNumber:
    """The parts of a lot number; `str()` gives the lot's id. `counter` numbers a day's lots from 1."""

    facility: str
    product: str
    made_on: date
    counter: int

    def __str__(self) -> str:
        day = f"{self.made_on:%y%m%d}"
        counter = f"{self.counter:03}"
        check = check_character(self.facility.replace("-", "") + self.product + day + counter)
        return f"{self.facility}-{self.product}-{day}-{counter}-{check}"


def parse(typed: str) -> LotNumber | None:
    """The lot number that a person typed, or None if at least one character is wrong.

    Case, dashes and spaces do not matter. Outside the check character, O counts as 0, and I and L count as 1.
    """
    bare = _SEPARATORS.sub("", typed).upper()
    match = _BARE.fullmatch(bare[:8].translate(_LETTERS) + bare[8:-1].translate(_DIGITS) + bare[-1:])
    if match is None:
        return None
    facility, product, day, counter, check = match.groups()
    if check != check_character(facility + product + day + counter):
        return None
    if int(counter) == 0 or (len(counter) > 3 and counter[0] == "0"):
        return None
    try:
        made_on = date(_CENTURY + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError:
        return None
    return LotNumber(f"{facility[:2]}-{facility[2:]}", product, made_on, int(counter))


def check_character(bare: str) -> str:
    """The check character of `bare` (0-9, A-Z) by ISO/IEC 7064:2003, MOD 37,36."""
    product = 36
    for character in bare:
        product = ((product + _ALPHABET.index(character)) % 36 or 36) * 2 % 37
    return _ALPHABET[(1 - product) % 36]
