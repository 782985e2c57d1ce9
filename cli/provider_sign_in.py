"""Sign-in at the provider that identity names, in a browser. It comes back to a loopback address of this command."""

import hashlib
import hmac
import secrets
import threading
import time
import webbrowser
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from types import TracebackType
from urllib.parse import parse_qsl, urlencode, urlsplit

from cli.console import err
from cli.festival.client import ServiceClient
from shared.access.provider_sign_in import sentence_of
from shared.access.session import ClientSession
from shared.errors import NotAnswered
from shared.translation import tr, translated
from shared.visible import visible
from shared.wording import Message

# A person types a password at the provider, and perhaps a second factor.
WITHIN_SECONDS = 600.0
PATH = "/signed-in"
METADATA = (".well-known", "oauth-authorization-server")
METHODS = "sign_in_methods_supported"
PROVIDER = "provider"
NO_PROVIDER = Message("No other provider is set up here. Sign in with your login and password.")


def takes_provider(api: ServiceClient, *, is_wanted: bool) -> bool:
    """Whether a person signs in at the provider: if it is wanted, or if there is no other way.

    Raises NotAnswered if it is wanted and there is none.
    """
    metadata = api.find(*METADATA)
    methods = metadata.get(METHODS) if isinstance(metadata, dict) else None
    has_provider = isinstance(methods, list) and PROVIDER in methods
    if is_wanted and not has_provider:
        raise NotAnswered(NO_PROVIDER)
    return is_wanted or methods == [PROVIDER]


def provider_session(api: ServiceClient, identity: str) -> ClientSession:
    """A new session, after the person has signed in with a browser on this machine. Raises NotAnswered."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    with _Listener(state) as listener:
        query = urlencode({"redirect_uri": listener.address, "state": state, "code_challenge": challenge})
        address = f"{identity}/sessions/provider?{query}"
        err.print(tr("Sign in with a browser on this machine: {address}", address=address), soft_wrap=True)
        webbrowser.open(address)
        answer = listener.answer(WITHIN_SECONDS)
    if answer is None:
        raise NotAnswered(Message("Nobody has signed in at the provider in time. Please try again."))
    if "code" not in answer:
        raise NotAnswered(sentence_of(answer.get("error", "")))
    asked_at = time.time()
    page = api.ask("sessions", "provider", body={"code": answer["code"], "code_verifier": verifier})
    try:
        return ClientSession.from_answer(identity, page, asked_at)
    except (KeyError, TypeError, ValueError):
        raise NotAnswered(Message("What answers at {url} is no identity service.", url=identity)) from None


class _Listener:
    """A free port of loopback, where the browser brings the answer to this state. Nothing else is listened to."""

    def __init__(self, state: str) -> None:
        answers: SimpleQueue[Mapping[str, str]] = SimpleQueue()

        class CallbackHandler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                answer = dict(parse_qsl(parts.query))
                known = hmac.compare_digest(answer.get("state", "").encode(), state.encode())
                if parts.path != PATH or not known:
                    self.send_error(404)
                    return
                self._show(_page(answer))
                answers.put(answer)

            def _show(self, page: str) -> None:
                raw = page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                """Leave out the log: the address has a code."""

        self._answers = answers
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), CallbackHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, within: float) -> Mapping[str, str] | None:
        """What the browser has brought, or None if it has brought nothing in time."""
        try:
            return self._answers.get(timeout=within)
        except Empty:
            return None


def _page(answer: Mapping[str, str]) -> str:
    if "code" in answer:
        sentence = tr("You are signed in. You can close this page and go back to the terminal.")
    else:
        sentence = translated(sentence_of(answer.get("error", "")))
    return f"<!doctype html><title>Karya</title><p>{escape(visible(sentence))}</p>"
