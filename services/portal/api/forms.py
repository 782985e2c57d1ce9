"""Forms that a browser sends."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from shared.wording import Message

MOST_FIELDS = 2000
# What the form's page showed, so that nobody decides about what came later.
SEEN = "seen"
CHANGED = Message("This has changed since the page was shown, and nothing was recorded. Look again, and decide.")
Form = Mapping[str, str]


async def form_of(request: Request) -> Form:
    """The fields of a form; of a name that comes twice the last value. Raises RequestValidationError."""
    try:
        text = (await request.body()).decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS))
    except ValueError:
        raise RequestValidationError([]) from None


Sent = Annotated[Form, Depends(form_of)]
