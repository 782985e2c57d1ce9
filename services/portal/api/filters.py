"""Filters of lists, which stand in the address: a page with them can be kept and passed on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, TypeVar

from fastapi import Depends

from services.portal.api.files import FILE

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Filter:
    """A column by which a list can be narrowed, its values, and the one that was chosen; empty: all."""

    name: str
    options: Sequence[str]
    chosen: str


def narrowed(
    rows: Sequence[R], query: Mapping[str, str], columns: Mapping[str, Callable[[R], str]]
) -> tuple[list[R], list[Filter]]:
    """The rows that the query asks for, and the filters of these columns. A filter with one value is left out, unless
    it was chosen."""
    filters: list[Filter] = []
    left = list(rows)
    for name, value_of in columns.items():
        chosen = query.get(name, "")
        options = sorted({value for row in rows if (value := value_of(row))} | ({chosen} if chosen else set()))
        if chosen:
            left = [row for row in left if value_of(row) == chosen]
        if chosen or len(options) > 1:
            filters.append(Filter(name, options, chosen))
    return left, filters


def declared(*names: str) -> Any:
    """A dependency by which the addresses of a page may have these parameters. All others are refused."""

    def parameters(**_: str) -> None:
        """Read from the request by the page."""

    fields = [Parameter(name, Parameter.KEYWORD_ONLY, default="", annotation=str) for name in names]
    parameters.__signature__ = Signature(fields)  # type: ignore[attr-defined]
    return Depends(parameters)


# Of a router: each of its pages may be asked for a table as a file.
FILES = declared(FILE)
