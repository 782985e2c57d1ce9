"""Typer parsers of what a person types at a command: a kind refusal that says what was understood, never another
number. For `typer.Option(parser=...)` and `typer.Argument(parser=...)`; a default that is no text stays as it is.
"""

from collections.abc import Callable
from typing import TypeVar

import typer

from shared import typed
from shared.errors import WrongEntry
from shared.events.language import MAX_WHOLE

T = TypeVar("T")
N = TypeVar("N", int, float)


def reading(read: Callable[[str], T]) -> Callable[[str | T], T]:
    """What `read` makes of the text. Its WrongEntry becomes typer.BadParameter."""

    def parse(value: str | T) -> T:
        return understood(lambda: read(value)) if isinstance(value, str) else value

    return parse


def within(read: Callable[[str], N], least: N, most: N) -> Callable[[str | N], N]:
    """The same, for numbers from `least` to `most`."""

    def bounded(text: str) -> N:
        value = read(text)
        if not least <= value <= most:
            to = f"at least {least:g}" if most >= MAX_WHOLE else f"from {least:g} to {most:g}"
            raise WrongEntry(f"{text!r} was understood as {value:g}; it must be {to}.")
        return value

    return reading(bounded)


def understood(read: Callable[[], T]) -> T:
    """What `read` gives. Raises typer.BadParameter in place of its WrongEntry."""
    try:
        return read()
    except WrongEntry as wrong:
        raise typer.BadParameter(str(wrong)) from None


WHOLE = reading(typed.whole)
CHANGE = reading(typed.change)
RUPIAH = reading(typed.rupiah)
DAY = reading(typed.day)
CLOCK = reading(typed.clock)
LOT = reading(typed.lot)
FACILITY = reading(typed.facility)
PRODUCT = reading(typed.product)
PORT = within(typed.whole, 1, 65_535)


def seconds(least: float = 0, most: float = MAX_WHOLE) -> Callable[[str | float], float]:
    """Seconds to wait, from `least` to `most`; half ones too."""
    return within(typed.number, least, most)
