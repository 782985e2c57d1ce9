"""Headers of every HTTP answer: what a browser may do with it, and what access control adds."""

from collections.abc import Iterator, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For data, which load and embed nothing. A page for people brings a policy of its own.
SECURITY: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
# A browser must not use plain HTTP for this host any more. Without HTTPS it would find nothing.
HTTPS_ONLY: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
_ADDED = "answer_headers"


def add_header(scope: Scope, name: str, value: str) -> None:
    """Add a header to whatever is answered to the request of this scope."""
    scope["state"].setdefault(_ADDED, {})[name] = value


class AnswerHeaders:
    """A middleware around a whole application: also errors of the framework get the headers.

    A header that the application itself sends is kept. `security`: those that depend on what it serves.
    """

    def __init__(self, app: ASGIApp, security: Mapping[str, str] = SECURITY) -> None:
        self._app = app
        self._security = security

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers(scope["scheme"], state):
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _headers(self, scheme: str, state: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
        yield from self._security.items()
        if scheme == "https":
            yield from HTTPS_ONLY.items()
        yield from state.get(_ADDED, {}).items()
