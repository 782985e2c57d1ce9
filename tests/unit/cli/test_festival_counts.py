"""Counts of what arrived: what the commands ask for, and what they show before and after."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.festival import app
from tests.support.fake_server import FakeServer, running

pytestmark = pytest.mark.unit

LOT = "PR-KPG-KTI-230418-007-4"


@pytest.fixture
def festival() -> Iterator[FakeServer]:
    with running() as server:
        yield server


def run(festival: FakeServer, *words: str) -> Result:
    return CliRunner().invoke(app, words, env={"KARYA_FESTIVAL_URL": festival.url, "COLUMNS": "300"})


def request_of(festival: FakeServer, *words: str) -> tuple[str, Any]:
    """The path and the body of a command that succeeds."""
    result = run(festival, *words)
    assert result.exit_code == 0, result.output
    return festival.given[-1]


S1 = "/festivals/PASAR/shipments/S1"


def a_lot(lot: str, sent: int, counted: int | None = None, stocked: int | None = None) -> dict[str, Any]:
    if counted is None or stocked is None:
        return {"lot": lot, "sent": sent, "counted": None, "stocked": None, "lost": None, "surplus": None}
    lost, surplus = max(0, sent - stocked), max(0, counted - sent)
    return {"lot": lot, "sent": sent, "counted": counted, "stocked": stocked, "lost": lost, "surplus": surplus}


def a_page(*lots: dict[str, Any], recounts: int = 0, status: str = "sent") -> dict[str, Any]:
    return {
        "shipment": "S1",
        "booth": "PASAR.B1",
        "request": "R1",
        "status": status,
        "recounts": recounts,
        "lots": list(lots),
    }


def test_a_count_beyond_what_was_sent_says_what_becomes_of_it(festival: FakeServer) -> None:
    festival.pages[S1] = a_page(a_lot(LOT, 20))
    festival.then[S1] = a_page(a_lot(LOT, 20, 25, 20), status="received")
    result = run(festival, "receive", "PASAR", "S1", f"{LOT}=25")
    assert result.exit_code == 0, result.output
    assert f"{LOT}\t20\t25\t0\t5" in result.output
    assert "S1 is received: 20 pieces at PASAR.B1." in result.output
    assert f"{LOT}: 20 sent, 25 counted, 5 surplus. The surplus is not in stock." in result.output
    assert f"karya festival recount PASAR S1 {LOT}=25" in result.output
    body = {"booth": "PASAR.B1", "counted": [{"lot": LOT, "qty": 25}], "lose_unnamed": False}
    assert festival.given == [(f"{S1}/receive", body)]


def test_what_was_sent_is_shown_before_and_what_was_lost_after(festival: FakeServer) -> None:
    festival.pages[S1] = a_page(a_lot(LOT, 40))
    festival.then[S1] = a_page(a_lot(LOT, 40, 4, 4), status="received")
    shown = run(festival, "receive", "PASAR", "S1", f"{LOT}=4").output
    assert shown.index(f"{LOT}\t40\t4\t36\t0") < shown.index("is received: 4 pieces")
    assert f"If lost pieces are found: karya festival recount PASAR S1 {LOT}=40" in shown


@pytest.mark.parametrize(("words", "lose"), [((), False), (("--yes",), True)])
def test_losing_what_is_not_named_needs_a_yes(festival: FakeServer, words: tuple[str, ...], lose: bool) -> None:
    festival.pages[S1] = a_page(a_lot(LOT, 40), a_lot("LP-KPG-KRJ-1", 3))
    festival.then[S1] = a_page(a_lot(LOT, 40, 40, 40), a_lot("LP-KPG-KRJ-1", 3, 0, 0), status="received")
    _, body = request_of(festival, "receive", "PASAR", "S1", f"{LOT}=40", *words)
    assert body["lose_unnamed"] is lose


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_a_difference_is_asked_about(
    festival: FakeServer, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("cli.festival.counting.on_terminal", lambda: True)
    festival.pages[S1] = a_page(a_lot(LOT, 40))
    festival.then[S1] = a_page(a_lot(LOT, 40, 4, 4), status="received")
    env = {"KARYA_FESTIVAL_URL": festival.url, "COLUMNS": "300"}
    result = CliRunner().invoke(app, ["receive", "PASAR", "S1", f"{LOT}=4"], env=env, input=f"{answer}\n")
    assert "Is this what arrived?" in result.output
    assert (result.exit_code, len(festival.given)) == ((0, 1) if answer == "y" else (1, 0))


def test_goods_at_another_booth_get_the_commands_to_type(festival: FakeServer) -> None:
    festival.pages[S1] = a_page(a_lot(LOT, 40))
    festival.pages["/festivals/PASAR/transfers"] = [{"transfer": "T1"}]
    result = run(festival, "receive", "PASAR", "S1", f"{LOT}=40", "--booth", "B2")
    assert result.exit_code == 1
    assert not festival.given
    assert "S1 was sent to PASAR.B1, not to PASAR.B2." in result.output
    assert "karya festival receive PASAR S1 --as-sent" in result.output
    assert f"karya festival transfer send PASAR T2 PASAR.B1 PASAR.B2 {LOT}=40" in result.output


def test_a_recount_shows_before_and_after_and_what_is_promised_beyond(festival: FakeServer) -> None:
    festival.pages[S1] = a_page(a_lot(LOT, 40, 4, 4), status="received")
    festival.then[S1] = a_page(a_lot(LOT, 40, 40, 40), recounts=1, status="received")
    surplus = {"booth": "PASAR.B1", "product": "KTI", "asked": 40, "surplus": 36}
    festival.pages["/festivals/PASAR/requests/R1"] = {"surpluses": [surplus]}
    result = run(festival, "recount", "PASAR", "S1", f"{LOT}=40")
    assert f"{LOT}\t40\t4\t36\t0\t4" in result.output
    assert "S1 is recounted: 40 pieces at PASAR.B1." in result.output
    assert "PASAR.B1 gets 36 more of KTI than it asked for. What a revision has reserved stays." in result.output
    assert festival.given == [(f"{S1}/recount", {"booth": "PASAR.B1", "counted": [{"lot": LOT, "qty": 40}]})]


def test_transfers_and_returns_are_recounted_too(festival: FakeServer) -> None:
    place = "/festivals/PASAR/transfers/T1"
    page = {"transfer": "T1", "booth": "PASAR.B1", "to": "PASAR.B2", "recounts": 1, "lots": [a_lot(LOT, 3, 3, 3)]}
    festival.pages[place] = page
    body = {"booth": "PASAR.B2", "counted": [{"lot": LOT, "qty": 3}]}
    assert request_of(festival, "transfer", "recount", "PASAR", "T1", f"{LOT}=3") == (f"{place}/recount", body)
    returned = ("/festivals/PASAR/returns/recount", {"booth": "PASAR.B1", "lot": LOT, "qty": 12})
    assert request_of(festival, "recount-return", "PASAR", "B1", LOT, "12") == returned
