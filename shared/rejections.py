"""The part of a document that says why a command or a report was rejected, in every service."""

from enum import StrEnum
from typing import Any, Protocol, overload

from shared.wording import Message


class AnyRejection(Protocol):
    """A service's rejection: the field, a reason for programs and a sentence for a person."""

    @property
    def field(self) -> str: ...

    @property
    def reason(self) -> StrEnum: ...

    @property
    def message(self) -> Message: ...


@overload
def rejection_document(rejection: AnyRejection) -> dict[str, Any]: ...


@overload
def rejection_document(rejection: None) -> None: ...


@overload
def rejection_document(rejection: AnyRejection | None) -> dict[str, Any] | None: ...


def rejection_document(rejection: AnyRejection | None) -> dict[str, Any] | None:
    """The field, the reason and the sentence of the rejection. `message_of` reads the sentence."""
    if rejection is None:
        return None
    return {
        "field": rejection.field,
        "reason": rejection.reason.value,
        "template": rejection.message.template,
        "values": rejection.message.plain_values,
    }
