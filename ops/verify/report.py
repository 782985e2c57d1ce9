"""The result of a verification: checks, each with its number of comparisons and its violations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHOWN = 20


@dataclass(slots=True)
class Check:
    """The result for one invariant. `looked_at` counts the comparisons, `total` the violations; `broken` holds a
    sentence for each of the first violations. `notes` inform people and are no violations.
    """

    name: str
    about: str
    looked_at: int = 0
    total: int = 0
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.total == 0

    def fail(self, sentence: str) -> None:
        """Count a violation, which `sentence` describes."""
        self.total += 1
        if len(self.broken) < SHOWN:
            self.broken.append(sentence)

    def expect(self, right: bool, sentence: str) -> None:
        """Count a comparison, and a violation described by `sentence` if it is not `right`."""
        self.looked_at += 1
        if not right:
            self.fail(sentence)

    def expect_equal(self, subject: str, first: object, second: object, between: str = "and") -> None:
        """Count a comparison of two values of `subject`. `between` stands between them in the violation's
        sentence."""
        self.looked_at += 1
        if first != second:
            self.fail(f"{subject}: {first} {between} {second}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "about": self.about,
            "looked_at": self.looked_at,
            "ok": self.ok,
            "broken": self.broken,
            "broken_total": self.total,
            "notes": self.notes,
        }


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of a verification. `waits` names unfinished work at the end of the wait; then nothing was
    checked."""

    waits: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        return not self.waits

    @property
    def ok(self) -> bool:
        """Whether all work was finished, and all checks found no violation."""
        return self.quiet and bool(self.checks) and all(check.ok for check in self.checks)

    @property
    def broken(self) -> list[Check]:
        return [check for check in self.checks if not check.ok]

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "quiet": self.quiet,
            "waits": list(self.waits),
            "seconds": dict(self.seconds),
            "checks": [check.as_dict() for check in self.checks],
        }
