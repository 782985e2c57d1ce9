"""Who may ask, and which bodies are taken, in whatever pieces they come."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Receive, Scope

from shared.events.language import MAX_VALUE_BYTES
from shared.http.admission import MAX_DRAINED_BYTES, Admission

OWN = "http://127.0.0.1:8003"
JSON = {"Content-Type": "application/json"}
POSTED = [(b"host", b"localhost"), (b"content-type", b"application/json")]


class Client:
    """Sends the same piece again and again, and goes away once it has heard a whole answer."""

    def __init__(self, piece: bytes) -> None:
        self.answers: list[Message] = []
        self.sent_before_it_heard = 0
        self._piece = piece

    async def send(self) -> Message:
        if any(answer["type"] == "http.response.body" for answer in self.answers):
            return {"type": "http.disconnect"}
        self.sent_before_it_heard += len(self._piece)
        assert self.sent_before_it_heard < 2 * MAX_VALUE_BYTES
        return {"type": "http.request", "body": self._piece, "more_body": True}


def an_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(Admission, names=["Festival", "karya.example"])

    @app.post("/")
    async def byte_count(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.post("/declared")
    async def name_count(body: dict[str, Any]) -> dict[str, int]:
        return {"names": len(body)}

    @app.get("/")
    async def read() -> dict[str, str]:
        return {"text": "some"}

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=an_app())
    async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8003", "127.0.0.1", "[::1]:8003", "10.1.2.3:80", "localhost:8003", "LOCALHOST", "localhost."),
        *("me.localhost:8003", "festival:8000", "karya.example"),
    ],
)
async def test_its_own_names_and_every_address_are_answered(host: str, client: httpx.AsyncClient) -> None:
    assert (await client.get("/", headers={"Host": host})).status_code == 200
    assert (await client.post("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8003", "127.0.0.1.evil.example", "localhost.evil.example", "xlocalhost"),
        *("", ":8003", "evil@localhost", "localhost:evil", "localhost/x", "2130706433", "[::1", "xkarya.example"),
    ],
)
async def test_a_name_that_is_none_of_its_own_is_answered_nothing(host: str, client: httpx.AsyncClient) -> None:
    for method in ("GET", "POST", "HEAD", "OPTIONS"):
        refused = await client.request(method, "/", headers={"Host": host})
        assert refused.status_code == 403
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:8004"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:8003"},
        {"Origin": "http://127.0.0.1:8003.evil.example"},
        {"Origin": "http://127.0.0.1:8003@evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_page_of_another_origin_changes_nothing(headers: dict[str, str], client: httpx.AsyncClient) -> None:
    for path in ("/", "/declared", "/nowhere"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            refused = await client.request(method, path, json={}, headers=headers)
            assert (refused.status_code, refused.json()["status"]) == (403, 403)
    assert (await client.get("/", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("127.0.0.1:8003", {}),
        ("127.0.0.1:8003", {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}),
        ("127.0.0.1:8003", {"Sec-Fetch-Site": "none"}),
        ("karya.example", {"Origin": "https://karya.example"}),
        ("karya.example:443", {"Origin": "https://KARYA.example"}),
    ],
)
async def test_programs_and_its_own_pages_are_served(
    host: str, headers: dict[str, str], client: httpx.AsyncClient
) -> None:
    assert (await client.post("/", json={}, headers={"Host": host, **headers})).status_code == 200


async def test_a_request_without_a_host_is_no_browsers() -> None:
    assert await status(b"", headers=[]) == 200
    assert await status(b"", headers=[(b"origin", b"http://127.0.0.1:8003")]) == 403
    assert await status(b"", headers=[(b"host", b"localhost"), (b"host", b"evil.example")]) == 403


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"),
        *("application/json; charset=utf-16", "application/json, text/plain", "application/json; x=y", "", "json"),
        "application/problem+json",
    ],
)
async def test_a_body_of_another_kind_is_not_taken(kind: str, client: httpx.AsyncClient) -> None:
    for path in ("/", "/declared"):
        refused = await client.post(path, content=b"{}", headers={"Content-Type": kind})
        assert refused.status_code == 415
        assert refused.headers["accept"] == "application/json"
    unnamed = await client.post("/", content=b"{}")
    assert unnamed.status_code == 415
    packed = await client.post("/", content=b"{}", headers={**JSON, "Content-Encoding": "gzip"})
    assert (packed.status_code, packed.headers["accept-encoding"]) == (415, "identity")


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"'],
)
async def test_json_is_taken(kind: str, client: httpx.AsyncClient) -> None:
    assert (await client.post("/", content=b"{}", headers={"Content-Type": kind})).json() == {"bytes": 2}


async def test_no_body_needs_no_kind(client: httpx.AsyncClient) -> None:
    assert (await client.post("/")).json() == {"bytes": 0}


@pytest.mark.parametrize("path", ["/", "/declared"])
async def test_a_body_without_end_is_read_to_the_limit_and_no_further(path: str) -> None:
    client = Client(b" " * 1000)
    assert await status(client.send, headers=POSTED, path=path, answers=client.answers) == 413
    assert MAX_VALUE_BYTES < client.sent_before_it_heard <= MAX_VALUE_BYTES + 1000


async def test_a_body_that_says_that_it_is_too_long_is_not_read_at_all() -> None:
    client = Client(b" " * 1000)
    headers = [*POSTED, (b"content-length", str(MAX_VALUE_BYTES + 1).encode())]
    assert await status(client.send, headers=headers, answers=client.answers) == 413
    assert client.sent_before_it_heard == 0


async def test_who_goes_on_sending_after_he_was_answered_is_cut_off() -> None:
    sent = 0

    async def send_endlessly() -> Message:
        nonlocal sent
        sent += 1_000_000
        assert sent < 10 * MAX_DRAINED_BYTES
        return {"type": "http.request", "body": b" " * 1_000_000, "more_body": True}

    assert await status(send_endlessly, headers=POSTED) == 413
    assert sent <= MAX_VALUE_BYTES + MAX_DRAINED_BYTES + 2_000_000


async def test_the_largest_body_is_taken(client: httpx.AsyncClient) -> None:
    largest = b" " * MAX_VALUE_BYTES
    assert (await client.post("/", content=largest, headers=JSON)).json() == {"bytes": MAX_VALUE_BYTES}
    assert (await client.post("/", content=largest + b" ", headers=JSON)).status_code == 413


async def test_head_answers_as_get_without_a_body(client: httpx.AsyncClient) -> None:
    whole, head = await client.get("/"), await client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.content))


async def status(
    body: bytes | Receive,
    *,
    headers: list[tuple[bytes, bytes]],
    path: str = "/",
    answers: list[Message] | None = None,
) -> int:
    """What a POST of exactly these headers is answered; the body in one piece, or as a function gives it."""
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "server": ("127.0.0.1", 8003),
    }
    messages = [] if answers is None else answers

    async def whole() -> Message:
        return {"type": "http.request", "body": body}

    async def keep(message: Message) -> None:
        messages.append(message)

    await an_app()(scope, whole if isinstance(body, bytes) else body, keep)
    assert not messages[-1].get("more_body", False)
    return int(messages[0]["status"])
