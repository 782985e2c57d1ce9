"""What may not be in a log."""

import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog

from shared.log import configure
from shared.settings import Settings


@pytest.fixture
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_is_logged_without_its_variables(
    as_json: bool, logging_restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Settings(log_json=as_json), "production")
    value = "".join(["a maker's ", "name"])
    try:
        raise ValueError(len(value))
    except ValueError:
        structlog.get_logger().exception("decide_failed")
    errors = capsys.readouterr().err
    assert "test_a_traceback_is_logged" in errors
    assert "a maker's name" not in errors


@pytest.mark.parametrize("as_json", [True, False])
def test_what_others_wrote_steers_no_terminal_that_shows_the_log(
    as_json: bool, logging_restored: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Settings(log_json=as_json), "production")
    text = "\x1b]0;title\x07 \u202e \x9b"
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger().exception(text, trace=text, many=[text])
    logging.getLogger("a library").warning("%s", text)
    errors = capsys.readouterr().err
    assert errors.count("title") == 5
    # The renderer's own colours begin with ESC and a bracket.
    assert {c for c in errors.replace("\x1b[", "") if not c.isprintable()} == {"\n"}


def test_no_address_of_a_request_is_logged(logging_restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_json=True), "identity")
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        client.post("http://identity.test/invitations/a-code-of-somebody/accept")
    assert "a-code-of-somebody" not in capsys.readouterr().err
