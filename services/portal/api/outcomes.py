"""The page of a form of which nobody knows yet what became: it is sent again from there, and counts once.

Whoever fills in the form anew gives another command, and a loss or a void would count twice.
"""

from typing import Any

from fastapi import FastAPI, Request, Response

from services.portal.api.forms import form_of
from services.portal.api.pages import Pages
from services.portal.clients import OutcomeUnknown

TAKEN, AWAY = 202, 503


def add_outcome_page(app: FastAPI, pages: Pages) -> None:
    """Answer a form whose command has no known outcome."""

    async def on_unknown(request: Request, fault: Any) -> Response:
        assert isinstance(fault, OutcomeUnknown)
        form = await form_of(request)
        return pages.render(
            request,
            "outcome.html",
            status=TAKEN if fault.is_taken else AWAY,
            person=pages.person_of(request),
            service=fault.service,
            is_taken=fault.is_taken,
            # Without its command's id a form that is sent again would count again.
            form=form if form.get("command") else {},
        )

    app.add_exception_handler(OutcomeUnknown, on_unknown)
