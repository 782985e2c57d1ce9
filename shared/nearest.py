"""The nearest of known names to one that was mistyped."""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

SHOWN = 3
LIKE = 0.6


def nearest(text: str, names: Mapping[str, Iterable[str]]) -> list[str]:
    """The keys most like the text, the best first, at most three. `names`: other names of each key."""
    wanted = text.casefold().strip()
    ranked = sorted(
        ((max(_likeness(wanted, name) for name in (key, *alternatives)), key) for key, alternatives in names.items()),
        key=lambda entry: (-entry[0], entry[1]),
    )
    return [key for likeness, key in ranked if likeness >= LIKE][:SHOWN]


def _likeness(wanted: str, name: str) -> float:
    folded_name = name.casefold()
    # A part of a longer name is what people type when they do not know the code.
    if len(wanted) > 2 and wanted in folded_name:
        return 1.0
    return SequenceMatcher(None, wanted, folded_name).ratio()
