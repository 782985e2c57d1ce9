"""Waiting for a condition, never for time."""

import inspect
from collections.abc import Awaitable, Callable
from pprint import pformat
from typing import Any, TypeVar, overload

from shared.retry import attempts

T = TypeVar("T")
WITHIN = 20.0
_MOST_SHOWN = 3000


@overload
async def eventually(
    ask: Callable[[], Awaitable[T]],
    *,
    equals: object = None,
    until: Callable[[T], bool] | None = None,
    within: float = WITHIN,
) -> T: ...
@overload
async def eventually(
    ask: Callable[[], T],
    *,
    equals: object = None,
    until: Callable[[T], bool] | None = None,
    within: float = WITHIN,
) -> T: ...
async def eventually(
    ask: Callable[[], Any],
    *,
    equals: object = None,
    until: Callable[[Any], bool] | None = None,
    within: float = WITHIN,
) -> Any:
    """Ask again and again until the answer is the wanted one, and return it.

    Wanted is what `equals` the given value, what satisfies `until`, or (with neither) what is true.
    Raises AssertionError with the last answer after `within` seconds.
    """
    wanted = until or ((lambda answer: bool(answer == equals)) if equals is not None else bool)
    answer: Any = None
    async for _ in attempts(within=within, first=0.02, most=0.25):
        answer = ask()
        if inspect.isawaitable(answer):
            answer = await answer
        if wanted(answer):
            return answer
    expected = "" if equals is None else f"\nexpected: {pformat(equals)[:_MOST_SHOWN]}"
    raise AssertionError(
        f"not seen within {within:g} s; the last answer was:\n{pformat(answer)[:_MOST_SHOWN]}{expected}"
    )
