"""What an organiser types at a command, and what of it reaches the festival service."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.festival import app
from cli.festival.client import Answer, AnswerStatus
from shared.events.lot_number import LotNumber

pytestmark = pytest.mark.unit

LOT = str(LotNumber("PR-KPG", "KTI", date(2023, 4, 18), 7))
DAYS = ("--first-day", "2026-11-29", "--last-day", "2026-12-01")


class FakeService:
    """A service that takes every command."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def command(self, *_: str, body: dict[str, Any]) -> Answer:
        self.bodies.append(body)
        return Answer("c", AnswerStatus.ACCEPTED if "demands" in body or "until" in body else AnswerStatus.DONE)

    def get(self, *place: str) -> dict[str, Any]:
        page = {"festival": "ODOP", "name": "One Day", "place": "Kupang", "zone": "Asia/Makassar", "status": "open"}
        days = {"first_day": "2026-11-29", "last_day": "2026-12-01", "sums": None}
        return {**page, **days, "to": "ODOP.B2", "revision": None} if place else {}

    def all(self, *place: str, **_: Any) -> Iterator[dict[str, Any]]:
        yield from [self.get("festivals", "ODOP")] if place == ("festivals",) else []


@pytest.fixture
def fake_service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    fake_service = FakeService()

    @contextmanager
    def service(_: object) -> Iterator[Any]:
        yield fake_service

    for name in ("festivals", "goods", "refills", "revising", "transfers"):
        monkeypatch.setattr(import_module(f"cli.festival.{name}"), "service", service)
    return fake_service


def karya(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def test_money_room_and_limits_are_read_with_dots(fake_service: FakeService) -> None:
    prices = ("--price", "kti=150.000", "--price", "SVR=Rp 5.000")
    result = karya("booth", "ODOP", "B1", *prices, "--capacity", "1.250", "--limit", "tenun=1.000")
    assert result.exit_code == 0, result.output
    [body] = fake_service.bodies
    assert [(price["product"], price["price_rupiah"]) for price in body["prices"]] == [
        ("KTI", 150_000),
        ("SVR", 5_000),
    ]
    assert (body["capacity"], body["limits"]) == (1250, [{"category": "tenun", "qty": 1000}])


def test_pieces_and_hours_are_read_with_dots(fake_service: FakeService) -> None:
    for words in (
        ("loss", "ODOP", LOT.lower(), "1.250"),
        ("request", "ODOP", "R1", "B1:kti=1.250", "--hold-hours", "1.000"),
        ("return", "ODOP", "B1", LOT, "1.250"),
        ("transfer", "send", "ODOP", "T1", "B1", "B2", f"{LOT.lower()}=1.250"),
        ("close", "ODOP", "--till-hours", "24"),
    ):
        result = karya(*words)
        assert result.exit_code == 0, result.output
    loss, request, home, transfer, close = fake_service.bodies
    assert (loss["lot"], loss["qty"]) == (LOT, 1250)
    assert request["demands"] == [{"booth": "ODOP.B1", "product": "KTI", "qty": 1250}]
    assert request["hold_hours"] == 1000
    assert home["qty"] == 1250
    assert transfer["lots"] == [{"lot": LOT, "qty": 1250}]
    assert close["till_hours"] == 24


@pytest.mark.parametrize("clock", ["17.00", "17:00"])
def test_a_time_of_day_is_the_festival_s(fake_service: FakeService, clock: str) -> None:
    assert karya("replenish", "ODOP", "R2", "--until", clock, "--between-booths").exit_code == 0
    [body] = fake_service.bodies
    assert body["until"].endswith("T09:00:00+00:00")


@pytest.mark.parametrize(
    ("words", "understood"),
    [
        (("booth", "ODOP", "B1", "--price", "KTI=150.00"), "150 and a fraction"),
        (("booth", "ODOP", "B1", "--price", "KTI=1,250"), "can mean 1.250 or"),
        (("booth", "ODOP", "B1", "--price", "KT1=1"), "three capital letters"),
        (("booth", "ODOP", "B1", "--price", "KTI=1", "--capacity", "1.5"), "1 and a fraction"),
        (("loss", "ODOP", LOT, "1_000"), "not understood"),
        (("loss", "ODOP", LOT[:-1] + "9", "1"), "no lot number"),
        (("request", "ODOP", "R1", "B1:KTI=\u0663"), "not understood"),
        (("request", "ODOP", "R1", "KTI=3"), "no booth and product"),
        (("request", "ODOP", "R1", "B1:KTI=1", "--hold-hours", "1.5"), "1 and a fraction"),
        (("receive", "ODOP", "S1", f"{LOT}=1,5"), "1 and a fraction"),
        (("receive", "ODOP", "S1", f"{LOT}=1", f"{LOT.lower()}=2"), "named twice"),
        (("close", "ODOP", "--till-hours", "48.00"), "48 and a fraction"),
        (("replenish", "ODOP", "R2", "--until", "1700"), "no time of day"),
        (("announce", "ODOP", "One", "--place", "K", *DAYS, "--weight", "PR-KPG=1.5"), "1 and a fraction"),
        (("--wait", "1.000", "list"), "must be from 0 to 30"),
    ],
)
def test_what_is_in_doubt_never_reaches_the_service(
    fake_service: FakeService, words: tuple[str, ...], understood: str
) -> None:
    result = karya(*words)
    assert result.exit_code == 2
    assert understood in " ".join(result.output.replace("│", " ").split())
    assert fake_service.bodies == []


def test_days_say_the_festival_s_zone(fake_service: FakeService) -> None:
    result = karya("announce", "ODOP", "One Day", "--place", "Kupang", "--zone", "Asia/Makassar", *DAYS)
    assert "announced as ODOP, 2026-11-29 to 2026-12-01 WITA." in result.output
    assert "2026-11-29 to 2026-12-01 WITA: open" in karya("show", "ODOP").output
    assert "WITA" in karya("list").output
