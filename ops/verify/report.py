"""The result of a verification: checks, each with its number of comparisons and its violations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.wording import Message, Value

SHOWN = 20


@dataclass(slots=True)
class Check:
    """The result for one invariant. `looked_at` counts the comparisons, `total` the violations; `violations` are
    sentences on the first of them. `remarks` inform people and are no violations. `broken` and `notes` are both in
    English.

    A sentence comes as a literal template with its values, so that `make words` finds it.
    """

    name: str
    about: str
    looked_at: int = 0
    total: int = 0
    violations: list[Message] = field(default_factory=list)
    remarks: list[Message] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.total == 0

    @property
    def broken(self) -> list[str]:
        return [message.english for message in self.violations]

    @property
    def notes(self) -> list[str]:
        return [message.english for message in self.remarks]

    def fail(self, template: str, /, **values: object) -> None:
        """Count a violation, which the sentence describes."""
        self.fail_with(sentence(template, values))

    def fail_with(self, message: Message) -> None:
        """Count a violation, which the message describes."""
        self.total += 1
        if len(self.violations) < SHOWN:
            self.violations.append(message)

    def expect(self, right: bool, template: str, /, **values: object) -> None:
        """Count a comparison, and a violation that the sentence describes if it is not `right`."""
        self.looked_at += 1
        if not right:
            self.fail(template, **values)

    def expect_equal(self, first: object, second: object, template: str, /, **values: object) -> None:
        """Count a comparison of two values. They are `first` and `second` in the sentence."""
        self.looked_at += 1
        if first != second:
            self.fail(template, **values, first=first, second=second)

    def note(self, template: str, /, **values: object) -> None:
        """Add a sentence that is no violation."""
        self.remarks.append(sentence(template, values))

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "about": self.about,
            "looked_at": self.looked_at,
            "ok": self.ok,
            "broken": sentences(self.violations),
            "broken_total": self.total,
            "notes": sentences(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of a verification. `waits` names unfinished work at the end of the wait; then nothing was
    checked."""

    waits: tuple[Message, ...] = ()
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
            "waits": sentences(self.waits),
            "seconds": dict(self.seconds),
            "checks": [check.as_dict() for check in self.checks],
        }


def sentence(template: str, values: Mapping[str, object]) -> Message:
    """The message. What is neither a number nor a message is shown as Python writes it."""
    return Message(template, **{name: _value(value) for name, value in values.items()})


def sentences(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The messages as JSON types."""
    return [
        {"detail": message.english, "template": message.template, "values": message.plain_values}
        for message in messages
    ]


def _value(value: object) -> Value:
    if isinstance(value, str | Message) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return str(value)
