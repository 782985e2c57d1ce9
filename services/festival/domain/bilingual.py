"""A sentence in English and Indonesian."""

from typing import NamedTuple


class Bilingual(NamedTuple):
    """One sentence or phrase in two languages."""

    en: str
    id: str
