"""What a look at the whole system found: checks, each with how much it looked at and what is broken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHOWN = 20


@dataclass(slots=True)
class Check:
    """One invariant. `looked_at` counts what was compared; `broken` holds the first sentences of `total`.

    A `note` is for people to know and breaks nothing.
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

    def wrong(self, sentence: str) -> None:
        self.total += 1
        if len(self.broken) < SHOWN:
            self.broken.append(sentence)

    def expect(self, right: bool, sentence: str) -> None:
        """One more thing was looked at; `sentence` says what is wrong if it is not right."""
        self.looked_at += 1
        if not right:
            self.wrong(sentence)

    def same(self, what: str, here: object, there: object, where: str = "and") -> None:
        """One more pair was compared: `what` says of whom, `where` stands between the two values."""
        self.looked_at += 1
        if here != there:
            self.wrong(f"{what}: {here} {where} {there}")

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
class Report:
    """`waits` says what was not done yet when the time was over; then nothing was checked."""

    waits: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        return not self.waits

    @property
    def ok(self) -> bool:
        """Everything was done, everything was checked, nothing is broken."""
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
