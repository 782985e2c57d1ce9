"""What `karya status` hears of a service that runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from deploy.local.services import _readiness_failure


@contextmanager
def fixed_answer(status: int, body: bytes) -> Iterator[str]:
    """A service's address, where every question is answered so."""

    class HealthHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if self.path == "/health/ready" else b"")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), HealthHandler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [(200, b"{}", None), (503, b'{"detail": "in has retention.ms=7, not -1"}', "in has retention.ms=7, not -1")],
)
def test_what_keeps_a_service_from_being_ready_is_told_in_its_own_words(
    status: int, body: bytes, trouble: str | None
) -> None:
    with fixed_answer(status, body) as address:
        assert _readiness_failure(address) == trouble


def test_a_service_that_does_not_answer_is_in_readiness_failure() -> None:
    with fixed_answer(200, b"{}") as address:
        pass
    assert "refused" in (_readiness_failure(address) or "")
