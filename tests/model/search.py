"""Breadth-first search of all states of a small model, for the shortest way to a violation."""

from array import array
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


class Violation(Exception):
    """A state that must not be, as one sentence."""


class Step(NamedTuple):
    """One thing that may happen next. `is_fault`: a process that works undisturbed never does it."""

    label: str
    is_fault: bool
    after: Hashable


class Model(Protocol[S]):
    """What may happen, and what must not."""

    @property
    def start(self) -> S: ...

    def steps(self, state: S) -> Iterator[Step]:
        """Each next step. Raises Violation for one that leads to a state that must not be."""
        ...

    def check(self, state: S) -> None:
        """Raise Violation if the state must not be."""
        ...

    def same(self, state: S) -> Hashable:
        """Equal for states that differ in nothing that matters."""
        ...


@dataclass(frozen=True, slots=True)
class Searched:
    """The result of a search that saw so many `states`. `whole`: it saw all of them. `trace`: the shortest way to the
    violation."""

    states: int
    whole: bool
    violation: str | None = None
    trace: tuple[str, ...] = ()


def search(model: Model[S], most: int) -> Searched:
    """Search until a violation, or until so many states are seen.

    States are known by a hash of 64 bits: among a million, two are taken for one with a chance of 3 in 100 million.
    """
    numbers = {hash(model.same(model.start)): 0}
    parents, labels = array("l", [-1]), array("l", [-1])
    names: dict[str, int] = {}
    level = [(0, model.start)]

    def trace(at: int) -> tuple[str, ...]:
        texts, found = list(names), list[str]()
        while at > 0:
            found.append(texts[labels[at]])
            at = parents[at]
        return tuple(reversed(found))

    while level:
        later: list[tuple[int, S]] = []
        for at, state in level:
            try:
                model.check(state)
                for label, _, after in model.steps(state):
                    known = hash(model.same(after))  # type: ignore[arg-type]
                    if known not in numbers:
                        numbers[known] = len(parents)
                        parents.append(at)
                        labels.append(names.setdefault(label, len(names)))
                        later.append((numbers[known], after))  # type: ignore[arg-type]
            except Violation as found:
                return Searched(len(numbers), False, str(found), trace(at))
            if len(numbers) > most:
                return Searched(len(numbers), False)
        level = later
    return Searched(len(numbers), True)
