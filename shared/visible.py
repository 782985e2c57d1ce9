"""Safe display of people's text: characters that steer a terminal or reorder letters become visible."""

import re

# Printable ASCII needs no escape.
_HARMLESS = re.compile(r"[ -~]*")
# An override that nobody ends would turn the figures around that stand behind a name.
_REORDERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str, keep: str = "") -> str:
    """The text with every control, format and unassigned character as `\\x1b`, `\\u202e` or `\\U000e0001`, and a
    newline as `\\n`; those in `keep` stay.

    So ESC and OSC reach no terminal, bidirectional and zero-width characters change nothing that is read, and one
    line stays one line.
    """
    if _HARMLESS.fullmatch(text):
        return text
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


def in_order(text: str) -> str:
    """The text with those characters alone as `\\u202e` that change the order in which others are read."""
    return text if text.isascii() else _REORDERING.sub(lambda found: ascii(found[0])[1:-1], text)


def visible_json(text: str) -> str:
    """JSON text with those characters as `\\uXXXX`, which means the same. Newlines between its parts stay."""
    if text.isascii():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped_in_json(c) for c in text)


def _escaped_in_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
