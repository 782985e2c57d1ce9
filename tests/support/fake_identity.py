"""An identity service that a test controls, which is any other service as well: its pages need its tokens."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

SUBJECT = "s-abcdefghijklmnopqrstuvwxyz"
CHALLENGE = 'Bearer realm="karya"'


def a_token(number: int, roles: list[str]) -> str:
    """A token whose claims can be read. Nobody checks its signature here."""
    claims = json.dumps({"sub": SUBJECT, "roles": roles, "exp": 1_900_000_000, "number": number}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.sig"


class FakeIdentity:
    """One account with one session at a time. `valid`: the access token that pages accept.

    `lifetime`: of each token, in seconds. `roles`: those of the next token. `forbidden`: how paths begin that need
    another role. `lost_answers`: how many renewals are not answered. `is_open`: pages need no token. `given`: every
    POST that was let through. `public`: how paths begin that need no token. `refusals`: the problem with which a POST
    is answered 401.
    """

    def __init__(self) -> None:
        self.password = "sepuluh kata acak"
        self.roles: list[str] = ["organiser:*"]
        self.later_roles: list[list[str]] = []
        self.lifetime = 300
        self.pages: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        self.forbidden: set[str] = set()
        self.public: tuple[str, ...] = ()
        self.refusals: dict[str, Any] = {}
        self.given: list[tuple[str, Any]] = []
        self.tokens_seen: list[str | None] = []
        self.valid = ""
        self.refresh_token = ""
        self.refreshes = 0
        self.lost_answers = 0
        self.is_open = False
        self.signed_in = 0
        self.reused = False
        self.failing = False
        self._number = 0
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(urlsplit(self.path).path)
                if fake.is_public(path) or fake.may(self):
                    page = fake.pages.get(path)
                    self.reply(404 if page is None else 200, {"detail": "unknown"} if page is None else page)

            def do_POST(self) -> None:
                path = unquote(urlsplit(self.path).path)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with fake._lock:
                    if path in ("/sessions", "/sessions/refresh", "/sessions/end"):
                        fake.sessions(self, path, body)
                    elif fake.is_public(path) or fake.may(self):
                        fake.given.append((path, body))
                        refused = fake.refusals.get(path)
                        self.reply(200 if refused is None else 401, refused or fake.answers.get(path, {}))

            def reply(self, status: int, page: Any, challenge: str | None = None) -> None:
                raw = json.dumps(page).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                if challenge is not None:
                    self.send_header("WWW-Authenticate", challenge)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def is_public(self, path: str) -> bool:
        return path.endswith("/account") or path.startswith(("/resets/", *self.public))

    def may(self, handler: Any) -> bool:
        """Whether the request has the valid token; else it is answered."""
        if self.is_open:
            return True
        sent = handler.headers.get("Authorization", "").removeprefix("Bearer ") or None
        self.tokens_seen.append(sent)
        if sent is None or sent != self.valid:
            handler.reply(
                401, {"title": "Unauthorized", "detail": "The token has expired. Sign in again."}, CHALLENGE
            )
            return False
        if any(handler.path.startswith(start) for start in self.forbidden):
            detail = {"title": "Forbidden", "detail": "Your account may not do this."}
            handler.reply(403, detail, f'{CHALLENGE}, error="insufficient_scope"')
            return False
        return True

    def sessions(self, handler: Any, path: str, body: Any) -> None:
        if self.failing:
            handler.reply(503, {"title": "Service Unavailable"})
            return
        refused = {"title": "Unauthorized", "detail": "The login or the password is wrong, or the account is closed."}
        if path == "/sessions":
            if body["password"] != self.password:
                handler.reply(401, refused, CHALLENGE)
                return
            self.signed_in += 1
        elif body["refresh_token"] != self.refresh_token:
            # As identity does: whoever uses an old token ends the whole session.
            self.reused, self.refresh_token, self.valid = True, "", ""
            handler.reply(401, refused, CHALLENGE)
            return
        elif path == "/sessions/end":
            self.refresh_token = self.valid = ""
            handler.reply(200, {})
            return
        else:
            self.refreshes += 1
            if self.lost_answers:
                # The token counts again, as identity lets it for some seconds.
                self.lost_answers -= 1
                handler.close_connection = True
                return
            if self.later_roles:
                self.roles = self.later_roles.pop(0)
        handler.reply(200, self.next_tokens())

    def next_tokens(self) -> dict[str, Any]:
        """The tokens of the next answer, which alone are valid from now on."""
        self._number += 1
        self.valid, self.refresh_token = a_token(self._number, self.roles), f"refresh-{self._number}"
        return {
            "access_token": self.valid,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "refresh_token": self.refresh_token,
            "subject": SUBJECT,
        }


@contextmanager
def running_identity() -> Iterator[FakeIdentity]:
    """An identity service that answers until the block ends."""
    fake = FakeIdentity()
    thread = threading.Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        fake.server.shutdown()
        fake.server.server_close()
        thread.join()
