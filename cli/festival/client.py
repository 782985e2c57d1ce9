"""HTTP client of the services: gives commands and reads pages, with the token of whoever is signed in."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from operator import itemgetter
from types import TracebackType
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from cli.problems import NOT_VALID
from cli.sessions import STRANGER, token_source
from shared.access.session import Bearer, TokenSource, roles_of, wait_for_role
from shared.causes import cause_of
from shared.errors import NotAnswered
from shared.trust import refuse_in_clear
from shared.wording import Message, message_of

PAGE = 500
TRIES = 3
ANSWER_WITHIN = 20.0
LOOK_AGAIN = 0.1
ROLE_WITHIN = 10.0
# In the challenge of a service that knows the caller and refuses the request (RFC 6750).
INSUFFICIENT = 'error="insufficient_scope"'

Row = dict[str, Any]


class AnswerStatus(StrEnum):
    """The status of a command. `ACCEPTED`: its outcome is not known yet."""

    DONE = "done"
    REFUSED = "refused"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one command. `field`, `reason` and `message` say why it was refused."""

    command: str
    status: AnswerStatus
    field: str | None = None
    reason: str | None = None
    message: str | None = None
    template: str | None = None
    values: Mapping[str, str | int] | None = None

    @property
    def row(self) -> Row:
        """The fields that are known, for JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class ServiceClient:
    """The service `name` at `url`. Every command waits up to `wait` seconds for its outcome.

    `signed_in`: whose token is sent; if left out, that of whoever is signed in here. Every method raises NotAnswered.
    """

    def __init__(self, url: str, wait: int, name: str = "festival", signed_in: TokenSource | None = None) -> None:
        self.wait = wait
        self._name = name
        self._signed_in = signed_in or token_source()
        with self._reaching():
            refuse_in_clear(url)
            self._client = httpx.Client(base_url=url, timeout=ANSWER_WITHIN + wait, auth=Bearer(self._signed_in))

    def __enter__(self) -> "ServiceClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, *place: str, **query: str) -> Any:
        """The page at this place, e.g. `"festivals", "ODOP", "booths"`."""
        return self._page(self._get(_path(place), query or None))

    def find(self, *place: str) -> Any | None:
        """The page at this place, or None if there is none (yet)."""
        answer = self._get(_path(place))
        return None if answer.status_code == 404 else self._page(answer)

    def all(self, *place: str, by: str, **query: str | None) -> list[Row]:
        """Every row of a list that comes in pages, in the order of `by`."""
        filters = {name: value for name, value in query.items() if value is not None}
        path: str | None = _path(place)
        params: Mapping[str, str] | None = {**filters, "limit": str(PAGE)}
        rows: list[Row] = []
        while path is not None:
            answer = self._get(path, params)
            page: list[Row] = self._page(answer)
            rows += page
            path, params = (answer.links["next"]["url"] if len(page) == PAGE else None), None
        return sorted(rows, key=itemgetter(by))

    def command(self, *place: str, body: Mapping[str, Any]) -> Answer:
        """Give a command. After a doubtful answer it is given again with the same id, so that it counts once."""
        headers = {"Idempotency-Key": str(uuid4()), "Prefer": f"wait={self.wait}"}
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                with self._reaching():
                    answer = self._client.post(_path(place), json=body, headers=headers)
            except NotAnswered:
                if last:
                    raise
                continue
            if answer.status_code != 503 or last:
                return self._answer(answer, headers["Idempotency-Key"])
        raise AssertionError("the last try returns or raises")

    def ask(self, *place: str, body: Mapping[str, Any]) -> Row:
        """The answer to a request that is no command: it is given once."""
        with self._reaching():
            answer = self._client.post(_path(place), json=body)
        if not answer.is_success:
            raise self._failure(answer)
        return _problem(answer)

    def wait_for_role(self, role: str) -> bool:
        """Wait until this session's token has a role that identity grants now. False if the role is late.

        A service without access control grants no role, so there is no wait.
        """
        if self._signed_in.token() is None or not self._needs_token():
            return True
        return wait_for_role(self._signed_in, role, ROLE_WITHIN)

    def renew(self) -> None:
        """Renew the token of whoever is signed in, so that it has the account's roles of this moment."""
        if (token := self._signed_in.token()) is not None:
            self._signed_in.renewed(token)

    def poll(self, ask: Callable[[], Row], settled: Callable[[Row], bool]) -> Row:
        """Repeat `ask` until its answer is settled, for at most `wait` seconds. Returns the last answer."""
        end = time.monotonic() + self.wait
        while not settled(answer := ask()) and time.monotonic() < end:
            time.sleep(LOOK_AGAIN)
        return answer

    def _needs_token(self) -> bool:
        """Whether the service refuses strangers: every service with commands has this page, which they can't read."""
        with self._reaching():
            return self._client.get(_path(("commands", "none")), auth=None).status_code == 401

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> httpx.Response:
        with self._reaching():
            return self._client.get(path, params=query)

    def _page(self, answer: httpx.Response) -> Any:
        if answer.status_code != 200:
            raise self._failure(answer)
        try:
            return answer.json()
        except ValueError:
            raise NotAnswered(
                Message(
                    "What answers at {address} is not the {service} service of Karya.",
                    address=str(self._client.base_url),
                    service=self._name,
                ),
                answer.status_code,
            ) from None

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise NotAnswered(
                Message(
                    "{setting} is not a valid address; one is e.g. http://127.0.0.1:8003.",
                    setting=f"KARYA_{self._name.upper()}_URL",
                )
            ) from None
        except httpx.RequestError as fault:
            message = Message(
                "The {service} service does not answer ({reason}). `karya status` shows what runs.",
                service=self._name,
                reason=cause_of(fault),
            )
            raise NotAnswered(message) from fault

    def _answer(self, answer: httpx.Response, id: str) -> Answer:
        match answer.status_code:
            case 200:
                return Answer(id, AnswerStatus.DONE)
            case 202:
                return Answer(id, AnswerStatus.ACCEPTED)
            case 409 if (problem := _problem(answer)).keys() >= {"field", "reason", "detail"}:
                return Answer(
                    id,
                    AnswerStatus.REFUSED,
                    problem["field"],
                    problem["reason"],
                    problem["detail"],
                    problem.get("template"),
                    problem.get("values"),
                )
            case 422 if errors := _problem(answer).get("errors"):
                message = _sentences(errors)
                return Answer(
                    id,
                    AnswerStatus.REFUSED,
                    errors[0]["field"],
                    NOT_VALID,
                    message.english,
                    message.template,
                    message.plain_values,
                )
            case _:
                raise self._failure(answer)

    def _failure(self, answer: httpx.Response) -> NotAnswered:
        return NotAnswered(self._access_detail(answer) or self._detail(answer), answer.status_code)

    def _access_detail(self, answer: httpx.Response) -> Message | None:
        """Why access was refused, and what to do; None for another answer."""
        if self._signed_in is STRANGER:
            return None
        challenge = answer.headers.get("WWW-Authenticate", "")
        token = answer.request.headers.get("Authorization", "").removeprefix("Bearer ")
        if answer.status_code == 403 and INSUFFICIENT in challenge:
            if roles := ", ".join(roles_of(token)):
                return Message(
                    "Your account may not do this; it has the roles {roles}. An organiser or administrator can grant "
                    "the role that it needs.",
                    roles=roles,
                )
            return Message(
                "Your account may not do this: it has no role yet. An organiser or administrator can grant one."
            )
        if answer.status_code != 401 or not challenge:
            return None
        if self._signed_in.has_ended:
            return Message("Your session has ended. Sign in again: `karya login`.")
        if not token:
            return Message("Sign in first: `karya login`.")
        problem = _problem(answer)
        return Message(
            "Your access token is not accepted. {detail}", detail=_sentence(problem.get("detail", ""), problem)
        )

    def _detail(self, answer: httpx.Response) -> Message:
        problem = _problem(answer)
        if not problem.keys() >= {"title", "detail"}:
            return Message(
                "The {service} service answered with status {status}.", service=self._name, status=answer.status_code
            )
        errors = problem.get("errors")
        return Message(
            "{title}: {detail}",
            title=Message(_literal(problem["title"])),
            detail=_sentences(errors) if errors else _sentence(problem["detail"], problem),
        )


def _path(place: tuple[str, ...]) -> str:
    return "/" + "/".join(quote(part, safe="") for part in place)


def _sentences(errors: Sequence[Row]) -> Message:
    """A sentence for each wrong field, with the name of the field before it."""
    first, *remainder = (
        Message("{field}: {message}", field=error["field"], message=_sentence(error["message"], error))
        for error in errors
    )
    return Message("{first}; {others}", first=first, others=_sentences(errors[1:])) if remainder else first


def _sentence(english: str, row: Row) -> Message:
    """The message of a service. Without a template it stays in English."""
    template = row.get("template")
    return message_of(template, row.get("values") or {}) if template else Message(_literal(english))


def _literal(text: str) -> str:
    """The text as a template without fields."""
    return text.replace("{", "{{").replace("}", "}}")


def _problem(answer: httpx.Response) -> Row:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
