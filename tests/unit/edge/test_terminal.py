"""What a terminal keeps, refuses at once, and shows of production's answers."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import terminal as commands
from cli.terminal import app
from edge.terminal.maker import key_at, pseudonym
from edge.terminal.terminal import ReportStatus, Terminal
from shared.errors import SpoolFailed, WrongEntry
from shared.events.catalogue import FACILITY_CATALOGUE
from shared.events.language import Body, Event
from shared.events.lot_number import LotNumber
from shared.events.production import (
    ANSWERS,
    LiftRecall,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
    Refusal,
    ReportAccepted,
    ReportRejected,
    WithdrawReport,
)
from tests.support.builders.production import facility_listed, product_listed

NOW = datetime(2023, 4, 18, 1, 2, 3, tzinfo=UTC)
DAY = date(2023, 4, 18)
LOT = str(LotNumber("PR-KPG", "KTI", DAY, 7))
FOREIGN = str(LotNumber("LP-KPG", "KRJ", DAY, 7))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, "pr-kpg", "T1") as terminal:
        yield terminal


def receive(terminal: Terminal, *bodies: Body) -> None:
    """As a sync would keep them."""
    events = [Event(f"{index}.{body!r}", "production", "PR-KPG", NOW, NOW, body) for index, body in enumerate(bodies)]
    terminal.spool.receive(
        ANSWERS, 0, [(event, getattr(event.body, "report", None)) for event in events], next=len(events)
    )


def an_acceptance(report: str, *, name: str = "T1", lot: str = LOT) -> ReportAccepted:
    return ReportAccepted(facility="PR-KPG", terminal=name, report=report, lot=lot)


def a_rejection(report: str) -> ReportRejected:
    return ReportRejected(
        facility="PR-KPG",
        terminal="T1",
        report=report,
        field="product",
        reason=Refusal.UNKNOWN_PRODUCT,
        message="This product code is not in the catalogue.",
        template="This product code is not in the catalogue.",
        values={},
    )


def test_what_was_made_is_kept_as_it_will_be_sent(terminal: Terminal) -> None:
    terminal.record(" kti ", 12, made_on=DAY, at=NOW)
    terminal.correct(LOT.lower().replace("-", ""), -2, reason="two torn", at=NOW)
    terminal.recall(LOT, at=NOW)
    terminal.lift(LOT, reason=" the wrong lot ", at=NOW)
    terminal.withdraw(LOT, at=NOW)
    assert [record.body for record in terminal.spool.pending(10)] == [
        ProductionReported(facility="PR-KPG", terminal="T1", product="KTI", qty=12, made_on=DAY),
        ProductionCorrected(facility="PR-KPG", terminal="T1", lot=LOT, change=-2, reason="two torn"),
        RecallLot(facility="PR-KPG", terminal="T1", lot=LOT),
        LiftRecall(facility="PR-KPG", terminal="T1", lot=LOT, reason="the wrong lot"),
        WithdrawReport(facility="PR-KPG", terminal="T1", lot=LOT),
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (lambda t: t.record("KTI", 0, made_on=DAY, at=NOW), "at least 1"),
        (lambda t: t.record("KTI", 2**60, made_on=DAY, at=NOW), "qty"),
        (lambda t: t.record("", 1, made_on=DAY, at=NOW), "product"),
        (lambda t: t.record("KT1", 1, made_on=DAY, at=NOW), "three capital letters"),
        (lambda t: t.record("KTI", 1, made_on=DAY, best_before=date(2023, 4, 17), at=NOW), "best-before"),
        (lambda t: t.record("KTI", 1, made_on=DAY, maker=" - ", at=NOW), "maker"),
        (lambda t: t.correct(LOT, 0, at=NOW), "nothing to correct"),
        (lambda t: t.correct(LOT[:-1] + "9", 1, at=NOW), "compare it with the label"),
        (lambda t: t.recall(FOREIGN, at=NOW), "another facility"),
        (lambda t: t.withdraw(FOREIGN, at=NOW), "another facility"),
        (lambda t: t.lift(LOT, reason=" ", at=NOW), "only with a reason"),
        (lambda t: t.recall(LOT, reason="x" * 501, at=NOW), "reason"),
    ],
)
def test_what_can_not_be_is_refused_at_once_and_not_kept(terminal: Terminal, entry: Any, message: str) -> None:
    with pytest.raises(WrongEntry, match=message):
        entry(terminal)
    assert terminal.counts().records == 0


@pytest.mark.parametrize(("facility", "name"), [("Kupang", "T1"), ("PR-KPG", ""), ("PR-KPG", "../../x")])
def test_names_are_checked_before_a_file_is_made(tmp_path: Path, facility: str, name: str) -> None:
    with pytest.raises(WrongEntry):
        Terminal(tmp_path, facility, name)
    assert list(tmp_path.iterdir()) == []


def hear_catalogue(terminal: Terminal, *bodies: Body) -> None:
    events = [Event(f"c{index}", "production", "PR-KPG", NOW, NOW, body) for index, body in enumerate(bodies)]
    terminal.spool.receive(FACILITY_CATALOGUE, 0, [(event, None) for event in events], next=len(events))


def test_before_a_list_has_come_every_product_is_taken(terminal: Terminal) -> None:
    hear_catalogue(terminal, facility_listed(products=("KTI", "KBS")), product_listed("KTI"))
    terminal.record("XYZ", 1, made_on=DAY, at=NOW)
    assert terminal.catalogue().known is False


@pytest.mark.parametrize(
    ("product", "options", "message"),
    [
        ("KTL", {}, r"KTL is not on this facility's list\. Did you mean KTI \(Kain tenun ikat\)\?"),
        ("XYZ", {}, "`karya terminal products` shows the list"),
        ("KBS", {}, "not on this facility's list"),
        ("KTI", {"qty": 201}, "More than 200 \\(helai\\) of Kain tenun ikat"),
        ("KKR", {"best_before": date(2023, 4, 21)}, "keeps for 2 days, until 2023-04-20"),
    ],
)
def test_what_the_devices_list_does_not_allow_is_refused_at_once(
    terminal: Terminal, product: str, options: dict[str, Any], message: str
) -> None:
    hear_catalogue(
        terminal,
        product_listed("KTI", revision=2),
        product_listed("KTI", max_qty=9),  # an older revision that comes later
        product_listed("KBS", retired_at=NOW),
        product_listed("KKR", name="Kue kering", category="x", unit="x", max_qty=9, shelf_life_days=2),
        facility_listed(products=("KTI", "KBS", "KKR")),
    )
    with pytest.raises(WrongEntry, match=message):
        terminal.record(product, **{"qty": 1, "made_on": DAY, "at": NOW, **options})
    assert terminal.counts().records == 0
    terminal.record(product, **{"qty": 1, "made_on": DAY, "at": NOW, "unlisted": True, **options})
    assert terminal.counts().records == 1


def test_a_product_can_be_chosen_by_its_name(terminal: Terminal) -> None:
    hear_catalogue(terminal, facility_listed(products=("KTI",)), product_listed("KTI"))
    spooled = terminal.record("kain tenun IKAT", 1, made_on=DAY, at=NOW)
    assert isinstance(spooled.body, ProductionReported)
    assert spooled.body.product == "KTI"


def test_a_name_that_is_a_code_or_the_name_of_two_products_chooses_none(terminal: Terminal) -> None:
    names = {"KTI": "KBS", "KBS": "Kue", "KRJ": "Kue"}
    listed = (product_listed(code, name=name) for code, name in names.items())
    hear_catalogue(terminal, facility_listed(products=tuple(names)), *listed)
    spooled = terminal.record("kbs", 1, made_on=DAY, at=NOW)
    assert isinstance(spooled.body, ProductionReported)
    assert spooled.body.product == "KBS"
    with pytest.raises(WrongEntry, match=r"KUE is not on this facility's list\. Did you mean KBS \(Kue\)"):
        terminal.record("kue", 1, made_on=DAY, at=NOW)


@pytest.mark.parametrize("unlisted", [False, True])
def test_a_mistyped_name_is_refused_with_the_nearest(terminal: Terminal, *, unlisted: bool) -> None:
    listed = (product_listed("KTI"), product_listed("KBS"))
    hear_catalogue(terminal, facility_listed(products=("KTI", "KBS")), *listed)
    for text in ("kain tenum ikat", "tenun ikat kain"):
        with pytest.raises(
            WrongEntry, match=rf"^{text} is not on this facility's list\. Did you mean KTI \(Kain tenun ikat\)"
        ):
            terminal.record(text, 1, made_on=DAY, at=NOW, unlisted=unlisted)


def test_the_list_is_shown_and_a_new_facilitys_zone_is_taken_from_it(tmp_path: Path) -> None:
    with Terminal(tmp_path, "LP-SOE", "T1") as terminal:
        events = (facility_listed("LP-SOE", products=("KTI",), zone="Asia/Jayapura"), product_listed("KTI", "LP-SOE"))
        hear_catalogue(terminal, *events)
    words = ["--facility", "LP-SOE", "--spool-dir", str(tmp_path)]
    result = CliRunner().invoke(app, [*words, "products", "--json"])
    assert [row["product"] for row in json.loads(result.output)] == ["KTI"]
    assert "WIT" in CliRunner().invoke(app, [*words, "record", "KTI", "3"]).output


def test_each_record_shows_what_became_of_it(terminal: Terminal) -> None:
    records = [terminal.record("KTI", n, made_on=DAY, at=NOW) for n in range(1, 5)]
    terminal.spool.acknowledge([1, 2, 3])
    receive(
        terminal, an_acceptance(records[0].id), a_rejection(records[1].id), an_acceptance(records[2].id, name="T2")
    )
    rows = terminal.tracked_reports()
    assert [row.status for row in rows] == [
        ReportStatus.ACCEPTED,
        ReportStatus.REJECTED,
        ReportStatus.SENT,
        ReportStatus.TO_SEND,
    ]
    assert rows[0].answer == an_acceptance(records[0].id)
    assert rows[1].answer == a_rejection(records[1].id)


# Makers


def test_only_a_keyed_pseudonym_of_the_maker_is_kept(tmp_path: Path) -> None:
    number = "7429918830"
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        first = terminal.record("KTI", 1, made_on=DAY, maker=number, at=NOW).body
        second = terminal.record("KTI", 1, made_on=DAY, maker="742 991-8830", at=NOW).body
        different = terminal.record("KTI", 1, made_on=DAY, maker="7429918831", at=NOW).body
        assert isinstance(first, ProductionReported)
        assert isinstance(second, ProductionReported)
        assert isinstance(different, ProductionReported)
        assert first.maker == second.maker != different.maker
        assert first.maker is not None
        assert len(first.maker) == 16
        contents = b"".join(path.read_bytes() for path in (tmp_path / "terminal").iterdir())
    assert number.encode() not in contents
    assert first.maker.encode() in contents


def test_a_pseudonym_is_of_its_key_and_facility() -> None:
    key = bytes(range(32))
    # Worked out with `openssl dgst -sha256 -mac HMAC`, `head -c10` and `base32`.
    assert pseudonym(key, "PR-KPG", "12 34") == "tcmiqfythex7d6un"
    assert pseudonym(key, "LP-KPG", "1234") != pseudonym(key, "PR-KPG", "1234")
    assert pseudonym(bytes(32), "PR-KPG", "1234") != pseudonym(key, "PR-KPG", "1234")


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "PR-KPG.key"
    key = key_at(path)
    assert key_at(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]
    path.write_bytes(b"cut off")
    with pytest.raises(SpoolFailed, match="damaged"):
        key_at(path)


# The command


def run(folder: Path, *arguments: str, **environment: str) -> Any:
    variables = {"KARYA_SPOOL_DIR": str(folder), "KARYA_FACILITY": "PR-KPG"}
    return CliRunner().invoke(app, list(arguments), env=variables | environment)


def words(output: str) -> str:
    """Without the frame and the line breaks that Typer puts around an error."""
    return " ".join(output.replace("│", " ").split())


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime, zone: str) -> None:
    """The device's clock stands at `now` and in this zone."""

    class FixedClock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now.astimezone(tz)

    monkeypatch.setattr(commands, "datetime", FixedClock)
    monkeypatch.setenv("TZ", zone)
    time.tzset()


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[datetime, str], None]]:
    yield lambda now, zone: set_clock(monkeypatch, now, zone)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Jayapura", "Asia/Makassar"])
@pytest.mark.parametrize(
    ("now", "day", "at"),
    [
        (datetime(2026, 11, 28, 18, 48, tzinfo=UTC), "2026-11-29", "2026-11-29 02:48 WITA"),
        (datetime(2026, 11, 28, 15, 59, tzinfo=UTC), "2026-11-28", "2026-11-28 23:59 WITA"),
    ],
)
def test_the_day_of_making_is_the_facility_s_wherever_the_device_s_clock_stands(
    tmp_path: Path, device: Callable[[datetime, str], None], zone: str, now: datetime, day: str, at: str
) -> None:
    device(now, zone)
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        hear_catalogue(terminal, facility_listed(products=("KBS",)), product_listed("KBS"))
    result = run(tmp_path, "record", "KBS", "40")
    assert (result.exit_code, result.stdout) == (0, f"Kept as record 1 at {at}: 40 × KBS, made {day}. 1 to send.\n")
    [row] = json.loads(run(tmp_path, "list", "--json").stdout)
    assert (row["what"], row["recorded"]) == (f"40 × KBS, made {day}", at)
    assert json.loads(run(tmp_path, "record", "KBS", "1", "--json").stdout)["made_on"] == day


def test_a_facility_that_is_not_known_needs_its_zone_said(tmp_path: Path) -> None:
    result = run(tmp_path, "record", "KBS", "40", KARYA_FACILITY="LP-XXX")
    assert result.exit_code == 2
    message = (
        "time zone of LP-XXX is not known here: get the catalogue by `karya terminal sync`, or set it with --zone"
    )
    assert message in words(result.output)
    result = run(tmp_path, "record", "KBS", "40", KARYA_FACILITY="PR-KPG")
    assert result.exit_code == 2, "the catalogue alone knows, and none has come"
    assert run(tmp_path, "record", "KBS", "40", "--made-on", "2023-04-18", KARYA_FACILITY="LP-XXX").exit_code == 0
    assert run(tmp_path, "list", KARYA_FACILITY="LP-XXX").exit_code == 0
    result = run(tmp_path, "record", "KBS", "40", KARYA_FACILITY="LP-XXX", KARYA_ZONE="Asia/Jayapura")
    assert result.exit_code == 0
    assert " WIT: 40 × KBS" in result.stdout


def test_the_zone_is_what_staff_put_down_in_the_catalogue(tmp_path: Path) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        moved = facility_listed(products=("KBS",), zone="Asia/Jayapura", revision=2)
        hear_catalogue(terminal, facility_listed(products=("KBS",)), moved, product_listed("KBS"))
    assert " WIT: 40 × KBS" in run(tmp_path, "record", "KBS", "40").stdout


def test_a_zone_that_is_not_the_facility_s_is_refused(tmp_path: Path) -> None:
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        hear_catalogue(terminal, facility_listed(products=("KBS",)), product_listed("KBS"))
    result = run(tmp_path, "record", "KBS", "40", KARYA_ZONE="Asia/Jakarta")
    assert result.exit_code == 2
    assert "PR-KPG is in Asia/Makassar" in words(result.output)
    assert run(tmp_path, "record", "KBS", "40", KARYA_ZONE="Asia/Makassar").exit_code == 0


def test_the_command_reads_numbers_as_indonesians_write_them(tmp_path: Path) -> None:
    assert run(tmp_path, "record", "SVR", "1.000", KARYA_ZONE="Asia/Makassar").exit_code == 0
    assert run(tmp_path, "correct", LOT, "-1.000").exit_code == 0
    assert run(tmp_path, "correct", LOT, "+3").exit_code == 0
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        made, less, more = (record.body for record in terminal.spool.records())
    assert isinstance(made, ProductionReported)
    assert made.qty == 1000
    assert [getattr(body, "change", None) for body in (less, more)] == [-1000, 3]


@pytest.mark.parametrize(
    ("arguments", "understood"),
    [
        (("record", "SVR", "1,000"), "can mean 1.000 or"),
        (("record", "SVR", "1.5"), "1 and a fraction"),
        (("record", "SVR", "+5"), "a sign"),
        (("record", "SVR", "5", "--made-on", "18-04-2023"), "year, month and day"),
        (("correct", LOT, "--5"), "a sign"),
        (("correct", LOT, "1.00"), "1 and a fraction"),
        (("sync", "--wait", "1.500"), "understood as 1500"),
    ],
)
def test_the_command_refuses_what_is_in_doubt_and_keeps_nothing(
    tmp_path: Path, arguments: tuple[str, ...], understood: str
) -> None:
    result = run(tmp_path, *arguments)
    assert result.exit_code == 2
    assert understood in words(result.output)
    with Terminal(tmp_path, "PR-KPG", "T1") as terminal:
        assert terminal.counts().records == 0


def test_the_command_records_and_lists(tmp_path: Path) -> None:
    result = run(tmp_path, "record", "KTI", "12", "--made-on", "2023-04-18", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["record"] == 1
    assert run(tmp_path, "correct", LOT, "-3", "--reason", "torn").exit_code == 0
    assert run(tmp_path, "recall", LOT).exit_code == 0
    listed = json.loads(run(tmp_path, "list", "--json", KARYA_ZONE="Asia/Makassar").stdout)
    assert [row["what"] for row in listed] == [
        "12 × KTI, made 2023-04-18",
        f"-3 of {LOT}",
        f"recall of {LOT}",
    ]
    assert {row["standing"] for row in listed} == {"to send"}
    assert listed[0]["recorded"].endswith(" WITA")


def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    result = run(tmp_path, "correct", LOT[:-1] + "9", "1")
    assert result.exit_code == 1
    assert "compare it with the label" in result.stderr
    assert "Traceback" not in result.output
