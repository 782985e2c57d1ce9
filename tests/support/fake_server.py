"""A service's HTTP API that a test writes the answers of."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class FakeServer:
    """A service on a free port: it answers with `pages`, and takes every command down in `given`.

    A command whose path is in `refusals` is refused with this problem.
    After a command the pages `then` are there too. A page whose path is in `etags` is not sent twice to who knows it.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.then: dict[str, Any] = {}
        self.given: list[tuple[str, Any]] = []
        self.refusals: dict[str, Any] = {}
        self.etags: dict[str, str] = {}
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(urlsplit(self.path).path)
                page, etag = answering.pages.get(path), answering.etags.get(path)
                if etag is not None and self.headers["If-None-Match"] == etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.reply(404 if page is None else 200, {"detail": "unknown"} if page is None else page, etag)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answering.given.append((self.path, body))
                refusal = answering.refusals.get(self.path)
                answering.pages |= {} if refusal else answering.then
                self.reply(200 if refusal is None else 409, refusal or {})

            def reply(self, status: int, page: Any, etag: str | None = None) -> None:
                raw = json.dumps(page).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                if etag is not None:
                    self.send_header("ETag", etag)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def running() -> Iterator[FakeServer]:
    """A server that answers until the block ends."""
    answering = FakeServer()
    thread = threading.Thread(target=answering.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield answering
    finally:
        answering.server.shutdown()
        answering.server.server_close()
        thread.join()
