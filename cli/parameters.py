"""Typer parsers for typed values. A value in doubt is refused with an explanation, and never read as another number.

For `typer.Option(parser=...)` and `typer.Argument(parser=...)`; a default that is not a string stays as it is.
"""

from collections.abc import Callable
from typing import TypeVar

import typer

from shared import typed
from shared.errors import WrongEntry
from shared.events.language import MAX_WHOLE
from shared.translation import translated
from shared.wording import Message

T = TypeVar("T")
N = TypeVar("N", int, float)


def parser_for(read: Callable[[str], T]) -> Callable[[str | T], T]:
    """A parser that calls `read`. WrongEntry becomes typer.BadParameter."""

    def parse(value: str | T) -> T:
        return parsed(lambda: read(value)) if isinstance(value, str) else value

    return parse


def between(read: Callable[[str], N], least: N, most: N) -> Callable[[str | N], N]:
    """A parser for numbers from `least` to `most`."""

    def bounded(text: str) -> N:
        value = read(text)
        if not least <= value <= most:
            bounds = {"text": text, "value": f"{value:g}", "least": f"{least:g}", "most": f"{most:g}"}
            if most >= MAX_WHOLE:
                raise WrongEntry(
                    Message("{text!r} was understood as {value}; it must be at least {least}.", **bounds)
                )
            raise WrongEntry(
                Message("{text!r} was understood as {value}; it must be from {least} to {most}.", **bounds)
            )
        return value

    return parser_for(bounded)


def parsed(read: Callable[[], T]) -> T:
    """The result of `read`. Raises typer.BadParameter instead of WrongEntry."""
    try:
        return read()
    except WrongEntry as wrong:
        raise typer.BadParameter(translated(wrong.message)) from None


WHOLE = parser_for(typed.whole)
CHANGE = parser_for(typed.change)
RUPIAH = parser_for(typed.rupiah)
DAY = parser_for(typed.day)
CLOCK = parser_for(typed.clock)
LOT = parser_for(typed.lot)
FACILITY = parser_for(typed.facility)
PRODUCT = parser_for(typed.product)
PORT = between(typed.whole, 1, 65_535)


def seconds(least: float = 0, most: float = MAX_WHOLE) -> Callable[[str | float], float]:
    """A parser for seconds from `least` to `most`, with fractions."""
    return between(typed.number, least, most)
