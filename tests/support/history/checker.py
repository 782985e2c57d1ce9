"""Is a history linearizable? Wing and Gong's search, with Lowe's memory of what was tried.

An operation takes effect at one moment between its call and its answer. The search takes, of the operations that
were called before any other was answered, one whose answer the model gives too, and goes on; where none fits it goes
back. A set of operations done and the state that they led to are tried once: what failed once fails always. An
operation without an answer took effect at any moment after its call, or never.

Testing for Linearizability, G. Lowe (2016); Testing and Verifying Concurrent Objects, J. Wing and C. Gong (1993).
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)
Op = TypeVar("Op")
Ans = TypeVar("Ans")


@dataclass(frozen=True, slots=True)
class Operation(Generic[Op, Ans]):
    """`what` was called at `called` and answered with `answer` at `answered`; both None while nothing was heard."""

    what: Op
    called: float
    answer: Ans | None = None
    answered: float | None = None

    @property
    def end(self) -> float:
        return math.inf if self.answered is None else self.answered


@dataclass(frozen=True, slots=True)
class HistoryVerdict(Generic[Op, Ans]):
    """`order`: one that explains every answer, or the longest beginning of one that was found. `stuck`: the
    operations that could come next and whose answers don't fit."""

    linearizable: bool
    order: tuple[Operation[Op, Ans], ...]
    stuck: tuple[Operation[Op, Ans], ...] = ()


def check(
    history: Sequence[Operation[Op, Ans]], start: State, step: Callable[[State, Op], tuple[State, Ans | None]]
) -> HistoryVerdict[Op, Ans]:
    """Whether some order of the operations, each between its call and its answer, gives these very answers.

    An operation that was answered must have the model's answer; one that the model says nothing to fits only
    operations without an answer.
    """
    operations = sorted(history, key=lambda operation: (operation.called, operation.end))
    answered = sum(1 << n for n, operation in enumerate(operations) if operation.answered is not None)
    tried: set[tuple[int, State]] = set()
    path: list[tuple[int, int, State]] = []  # what was taken, and from which (done, state)
    done, state, tail = 0, start, 0
    best: tuple[int, ...] = ()
    best_stuck: tuple[int, ...] = tuple(_next(operations, 0))
    candidates = _next(operations, 0)
    while done & answered != answered:
        for position in range(tail, len(candidates)):
            at = candidates[position]
            after, answer = step(state, operations[at].what)
            fits = operations[at].answered is None or answer == operations[at].answer
            here = (done | 1 << at, after)
            if fits and here not in tried:
                tried.add(here)
                path.append((position, done, state))
                done, state, tail = *here, 0
                candidates = _next(operations, done)
                break
        else:
            if len(path) >= len(best):
                best, best_stuck = _taken(operations, path), tuple(candidates)
            if not path:
                return HistoryVerdict(
                    False, tuple(operations[n] for n in best), tuple(operations[n] for n in best_stuck)
                )
            position, done, state = path.pop()
            candidates, tail = _next(operations, done), position + 1
    return HistoryVerdict(True, tuple(operations[n] for n in _taken(operations, path)))


def _next(operations: Sequence[Operation[Op, Ans]], done: int) -> list[int]:
    """Of those not done: all that were called before the first of them was answered."""
    candidates: list[int] = []
    first_answer = math.inf
    for n, operation in enumerate(operations):
        if done >> n & 1:
            continue
        if operation.called > first_answer:
            break
        candidates.append(n)
        first_answer = min(first_answer, operation.end)
    could = [n for n in candidates if operations[n].called <= first_answer]
    # The soonest answered first: it is most often the next, and what was never answered may never have been.
    return sorted(could, key=lambda n: operations[n].end)


def _taken(operations: Sequence[Operation[Op, Ans]], path: Sequence[tuple[int, int, object]]) -> tuple[int, ...]:
    return tuple(_next(operations, done)[position] for position, done, _ in path)
