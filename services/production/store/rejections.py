"""The part of a document that says why a report or a command was rejected."""

from typing import Any

from services.production.domain.entries import EntryRejection
from services.production.domain.refusals import ReportRejection


def rejection_document(rejection: ReportRejection | EntryRejection | None) -> dict[str, Any] | None:
    """The field, the reason and the sentence of the rejection. `message_of` reads the sentence."""
    if rejection is None:
        return None
    return {
        "field": rejection.field,
        "reason": rejection.reason.value,
        "template": rejection.message.template,
        "values": rejection.message.plain_values,
    }
