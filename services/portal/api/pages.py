"""Rendering: templates in the reader's language, and the answers to faults as pages."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException

from services.portal.api.assets import Assets
from services.portal.api.calendar import day, days
from services.portal.api.files import FILE, FileTable, csv_file, page_table
from services.portal.api.forwarding import ROUTES as FORWARDED
from services.portal.api.people import Person
from services.portal.clients import SignedOut
from services.portal.clients.services import WRONG_FORM
from shared.documents import DatabaseFault
from shared.http.admission import OTHERS, BodyRule, body_rule
from shared.http.answer_headers import SECURITY
from shared.http.problems import TITLE, PageRefused, problem
from shared.http.server import allowed_methods
from shared.shown import clock, rupiah, thousands, zone
from shared.translation import Language, heading, language, tr, translated, word
from shared.visible import in_order
from shared.wording import Message, Value, counts, message_of

log = structlog.get_logger()

TEMPLATES = Path(__file__).parents[1] / "templates"
# Everything that a page loads comes from the portal, and no script or style stands in a page.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    **SECURITY,
    "Content-Security-Policy": POLICY,
    # Without a referrer a browser sends `Origin: null` with a form, and it would be refused.
    "Referrer-Policy": "same-origin",
}
# What a page shows is the person's, and no copy may stay after they have signed out.
NOT_KEPT = {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}
NO_FILES: Mapping[str, FileTable] = {}
MOST_FORM_BYTES = 256 * 1024
FORM = BodyRule(
    "application/x-www-form-urlencoded",
    MOST_FORM_BYTES,
    Message("The body must be a form."),
    Message("A form has at most {most} KiB.", most=MOST_FORM_BYTES // 1024),
)
SEE_OTHER = 303
UNAUTHORIZED = 401
WRONG_METHOD = 405
# Of a fault's headers, those that its page has too.
SENT_ALONG = ("Allow", "Retry-After")
SUCCESS = 200
HTMX = "hx-request"
# English words that are codes in events. The Indonesian ones are translated.
_AS_WRITTEN = {"qris": "QRIS", "facility-staff": "facility staff"}


@cache
def _templates() -> Environment:
    """The templates, each compiled when it is first shown, with what all of them need."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_read_in_order,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "tr": shown_text,
        "said": said,
        "word": shown_word,
        "heading": column_title,
        "either": either,
        "rupiah": rupiah,
        "thousands": thousands,
        "moment": moment,
        "zone_name": zone_name,
        "day": day,
        "days": days,
        "language": language,
        "languages": {Language.INDONESIAN: "Indonesia", Language.ENGLISH: "English"},
        "new_id": lambda: str(uuid4()),
    }
    return environment


class Pages:
    """The pages of the templates."""

    def __init__(self, assets: Assets) -> None:
        self._environment, self._assets = _templates(), assets

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        person: Person | None = None,
        files: Mapping[str, FileTable] = NO_FILES,
        **values: Any,
    ) -> Response:
        """The page of a template, or that table of it which the address asks for, as a file.

        `files`: the tables by name that have more as files than on the page.
        """
        content = self._environment.get_template(template).render(
            asset=self._assets.address,
            path=request.url.path,
            address=_address(request),
            file_address=_file_address(request),
            origin=str(request.base_url).rstrip("/"),
            person=person,
            **values,
        )
        if (name := request.query_params.get(FILE)) and request.method == "GET" and status == SUCCESS:
            return _file(files.get(name) or page_table(content, name))
        return _sent(request, content.encode(), status)

    def refused(self, request: Request, status: int, message: Message) -> Response:
        """The page of a fault."""
        person = self.person_of(request)
        return self.render(request, "error.html", status=status, person=person, code=status, message=message)

    def person_of(self, request: Request) -> Person | None:
        """Whoever asks, if that was known before the fault."""
        caller = getattr(request.state, "caller", None)
        return Person(caller, getattr(request.state, "session", None)) if caller is not None else None


def _sent(request: Request, content: bytes, status: int) -> Response:
    """The page as the browser takes it. The answer to a form is not compressed: it may show a code beside what was
    typed, and its length would tell of both."""
    is_zipped = request.method == "GET" and "gzip" in request.headers.get("accept-encoding", "")
    if not is_zipped:
        return HTMLResponse(content, status, NOT_KEPT)
    vary = f"{NOT_KEPT['Vary']}, Accept-Encoding"
    headers = {**NOT_KEPT, "Vary": vary, "Content-Encoding": "gzip"}
    return HTMLResponse(gzip.compress(content, mtime=0), status, headers)


class ShownCount(int):
    """A number of things, which a sentence shows as `1.250`."""

    def __str__(self) -> str:
        return thousands(int(self))


def shown_text(template: str, /, **values: Value) -> str:
    """The text in the reader's language, with its numbers as tables show them."""
    return tr(template, **{name: _count(value) for name, value in values.items()})


def said(text: "Message | dict[str, Any]") -> str:
    """A sentence in the reader's language, or that of a service's answer, with its template and values."""
    return translated(
        _with_counts(text if isinstance(text, Message) else message_of(text["template"], text["values"]))
    )


def _with_counts(message: Message) -> Message:
    return Message(message.template, **_counts(message.template, dict(message.values)))


def _counts(template: str, values: Mapping[str, Value]) -> dict[str, Value]:
    names = counts(template)
    return {name: _count(value) if name in names else value for name, value in values.items()}


def _count(value: Value) -> Value:
    return ShownCount(value) if isinstance(value, int) else value


def _read_in_order(value: Any) -> Any:
    """What a template shows, as it is read. Markup is of a template, or was asked for as it is."""
    return in_order(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def either(english: str, indonesian: str) -> str:
    """A text that comes in both languages, in the reader's."""
    return indonesian or english if language() is Language.INDONESIAN else english


def shown_word(value: str) -> str:
    """A word of the vocabulary in the reader's language, as people write it."""
    text = word(value)
    return _AS_WRITTEN.get(text, text)


def column_title(name: str) -> str:
    """The heading of a column in the reader's language, as people write it."""
    return heading(name).replace("_", " ")


def moment(time: str | datetime, place_zone: str) -> str:
    """The time in the zone of its place: `2026-11-29 14:30 WITA`."""
    parsed = datetime.fromisoformat(time) if isinstance(time, str) else time
    return clock(parsed.astimezone(ZoneInfo(place_zone)))


def zone_name(name: str) -> str:
    """The short name of a zone, as times have it: `WITA` for `Asia/Makassar`."""
    return zone(datetime.now(UTC).astimezone(ZoneInfo(name)))


def redirect(address: str) -> Response:
    """Lead the browser to a page of ours by GET."""
    return RedirectResponse(address, SEE_OTHER, NOT_KEPT)


def local_path(text: str) -> str:
    """The address if it is one of this site, else the first page: nobody is led elsewhere."""
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) else "/"


def form_rules(method: str, path: str) -> BodyRule:
    """The bodies that the portal takes: forms, and those of devices for other services."""
    service, _, rest = path.removeprefix("/").partition("/")
    if service in FORWARDED:
        return OTHERS.get(f"{method} /{rest}", body_rule(method, f"/{rest}"))
    return FORM


def add_fault_pages(app: FastAPI, pages: Pages) -> None:
    """Answer faults with pages, and those of devices with problem details."""

    async def on_http(request: Request, error: HTTPException) -> Response:
        message = error.message if isinstance(error, PageRefused) else _sentence(error.status_code)
        headers = dict(error.headers or {})
        if error.status_code == WRONG_METHOD:
            # The framework lists only the methods of the path's first route.
            headers["Allow"] = allowed_methods(request)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        if is_for_devices(request):
            return problem(error.status_code, TITLE, message, headers)
        if error.status_code == UNAUTHORIZED:
            return _to_sign_in(request)
        answer = pages.refused(request, error.status_code, message)
        answer.headers.update({name: headers[name] for name in SENT_ALONG if name in headers})
        return answer

    async def on_signed_out(request: Request, _: SignedOut) -> Response:
        return _to_sign_in(request)

    async def on_invalid(request: Request, _: RequestValidationError) -> Response:
        if is_for_devices(request):
            return problem(422, TITLE, WRONG_FORM)
        return pages.refused(request, 422, WRONG_FORM)

    async def on_database(request: Request, fault: DatabaseFault) -> Response:
        log.warning("database_request_failed", fault=repr(fault)[:300])
        message = Message("The database does not answer. Nothing was changed. Please try again later.")
        if is_for_devices(request):
            return problem(503, TITLE, message)
        return pages.refused(request, 503, message)

    async def on_bug(request: Request, _: Exception) -> Response:
        # The log has the exception. A stranger need not know it.
        message = Message("This is a fault of the service. Its log says more.")
        if is_for_devices(request):
            return problem(500, TITLE, message)
        return pages.refused(request, 500, message)

    handlers: dict[Any, Any] = {
        HTTPException: on_http,
        SignedOut: on_signed_out,
        RequestValidationError: on_invalid,
        DatabaseFault: on_database,
        Exception: on_bug,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def is_for_devices(request: Request) -> bool:
    """Whether a program reads the answer."""
    return request.url.path.startswith(("/health/", "/apps/", *(f"/{service}/" for service in FORWARDED)))


def _to_sign_in(request: Request) -> Response:
    path = request.url.path
    if request.url.query:
        path += f"?{request.url.query}"
    address = "/sign-in" if request.method != "GET" or path == "/" else f"/sign-in?next={quote(path, safe='/')}"
    if HTMX in request.headers:
        # A script's request would follow a redirection by itself, and put the page into a part of another one.
        return Response(status_code=204, headers={**NOT_KEPT, "HX-Redirect": address})
    return redirect(address)


def _address(request: Request, **more: str) -> str:
    """The address of this page with its filters; of the answer to a form that of the form's page."""
    if request.method != "GET":
        return _came_from(request)
    query = [(name, value) for name, value in request.query_params.multi_items() if name != FILE and value]
    return request.url.path + (f"?{urlencode([*query, *more.items()])}" if query or more else "")


def _came_from(request: Request) -> str:
    """The page whose form was sent: the form's own address may have no page."""
    try:
        page = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return request.url.path
    if page.netloc != request.url.netloc:
        return request.url.path
    return local_path(page._replace(scheme="", netloc="").geturl())


def _file_address(request: Request) -> str:
    """What the name of a table is added to, for the table as a file. Empty if the page is the answer to a form."""
    return _address(request, **{FILE: ""}) if request.method == "GET" else ""


def _file(table: FileTable | None) -> Response:
    if table is None:
        raise PageRefused(404, Message("This page has no such table now."))
    return csv_file(table, NOT_KEPT)


def _sentence(status: int) -> Message:
    if status == 404:
        return Message("There is no such page here.")
    if status == WRONG_METHOD:
        return Message("This page can't do that.")
    return Message("This request can't be answered (status {status}).", status=status)
