"""The organiser's commands that take back a mistake, and the question before a doubtful one."""

from typing import Any

import pytest
from typer.testing import CliRunner

from cli.festival import app, session
from cli.festival.client import Answer, AnswerStatus, ServiceClient

pytestmark = pytest.mark.unit

DAYS = ("--first-day", "2026-04-18", "--last-day", "2026-04-20")
ANNOUNCE = ("announce", "ODOP", "Pekan", "--place", "Kupang", *DAYS)


class Given:
    """The commands that the festival service was given; it doubts each one without a yes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, terminal: bool = False) -> None:
        self.commands: list[tuple[str, dict[str, Any]]] = []
        monkeypatch.setattr(ServiceClient, "command", self._command)
        monkeypatch.setattr(session, "on_terminal", lambda: terminal)

    def _command(self, *place: str, body: dict[str, Any]) -> Answer:
        self.commands.append(("/".join(place), body))
        if body.get("confirmed") is False:
            message = "The last day, 2026-04-20, has passed."
            return Answer("c-1", AnswerStatus.REFUSED, "last_day", "not_confirmed", message)
        return Answer("c-1", AnswerStatus.DONE)


def run(*words: str, typed: str = "") -> Any:
    return CliRunner().invoke(app, words, env={"KARYA_FESTIVAL_URL": "http://127.0.0.1:9"}, input=typed)


def test_a_doubtful_festival_is_refused_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Given(monkeypatch)
    result = run(*ANNOUNCE)
    assert result.exit_code == 1
    assert "has passed" in result.output
    assert [body["confirmed"] for _, body in api.commands] == [False]


def test_yes_confirms_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Given(monkeypatch)
    assert run(*ANNOUNCE, "--yes").exit_code == 0
    assert [body["confirmed"] for _, body in api.commands] == [True]


@pytest.mark.parametrize(("typed", "code", "confirmed"), [("y\n", 0, [False, True]), ("n\n", 1, [False])])
def test_on_a_terminal_a_person_is_asked(
    monkeypatch: pytest.MonkeyPatch, typed: str, code: int, confirmed: list[bool]
) -> None:
    api = Given(monkeypatch, terminal=True)
    result = run(*ANNOUNCE, typed=typed)
    assert result.exit_code == code
    assert "Is it right?" in result.output
    assert [body["confirmed"] for _, body in api.commands] == confirmed


def test_a_change_names_only_what_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Given(monkeypatch)
    result = run("change", "ODOP", "--last-day", "2026-04-22", "--name", "Raya", "--yes")
    assert api.commands == [("festivals/ODOP/change", {"name": "Raya", "last_day": "2026-04-22", "confirmed": True})]
    assert result.output.strip() == "ODOP is changed."


def test_a_new_island_brings_new_lead_times(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Given(monkeypatch)
    assert run("change", "ODOP", "--place", "Atambua", "--island", "timor", "--yes").exit_code == 0
    [(_, body)] = api.commands
    assert body["island"] == "timor"


@pytest.mark.parametrize(
    ("words", "place", "body"),
    [
        (("rename-booth", "ODOP", "B1", "Stan tenun"), "booths/ODOP.B1/name", {"name": "Stan tenun"}),
        (("merge-booths", "ODOP", "B2", "ODOP.B1"), "booths/ODOP.B2/merge", {"to": "ODOP.B1"}),
        (("move-stray", "ODOP", "odop.b1", "B1"), "booths/ODOP.B1/strays", {"stray": "odop.b1"}),
        (
            ("add-product", "ODOP", "B1", "KTI=Rp150.000"),
            "booths/ODOP.B1/products",
            {"product": "KTI", "price_rupiah": 150_000},
        ),
    ],
)
def test_each_mistake_has_its_command(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], place: str, body: dict[str, Any]
) -> None:
    api = Given(monkeypatch)
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert api.commands == [(f"festivals/ODOP/{place}", body)]


def test_several_products_are_added_until_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Given(monkeypatch)
    assert run("add-product", "ODOP", "B1", "KTI=1", "TTN=2").exit_code == 0
    assert [body["product"] for _, body in api.commands] == ["KTI", "TTN"]
