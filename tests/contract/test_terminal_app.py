"""The terminal in a browser records, checks and reads answers as the other terminals do: the same bytes and views."""

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.spool import IntakeRefusal, SpooledRecord
from edge.terminal.catalogue import CatalogueCopy, received_catalogue
from edge.terminal.earnings import FacilitySales, own_lots
from edge.terminal.terminal import ReportStatus, Terminal
from services.portal.api.assets import APPS
from services.production.domain.catalogue import Product
from services.production.domain.rules import spoils_on
from shared import envelope, typed
from shared.errors import WrongEntry
from shared.events.language import Body, Event, event_type
from shared.events.lot_number import LotNumber
from shared.events.production import (
    ANSWERS,
    TERMINAL,
    ProductionCorrected,
    ProductionReported,
    Refusal,
    ReportAccepted,
    ReportRejected,
)
from shared.wording import Message, as_message
from tests.support.builders.production import facility_listed, product_listed

pytestmark = pytest.mark.contract

JAVASCRIPT = Path(__file__).parents[1] / "support" / "terminal_records.mjs"
TEXTS = ("", "two torn", 'a "quoted" \\ word', "tab\tline\nend", "Kain «tenun» 😀 \u2028 \x1f\x7f", "/" * 40)
FACILITY = "PR-KPG"
DAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)
LOTS = tuple(str(LotNumber(FACILITY, product, DAY, number)) for product in ("KTI", "KBS") for number in (1, 2))
PLACE = {"scope": FACILITY, "name": "T1", "device": "d", "seq": 3, "previous": None, "audience": "http://identity"}


def answers(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the modules of the app answer, run by node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here to run JavaScript")
    (file := folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    done = subprocess.run(
        [node, str(JAVASCRIPT), str(APPS), str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


def dumped(body: Body) -> dict[str, Any]:
    return body.model_dump(mode="json")


def news_of(bodies: Sequence[Body]) -> list[dict[str, Any]]:
    names = {"topic": "", "source": "", "id": "", "about": None}
    return [{**names, "type": f"{type(body).__name__}.v1", "data": dumped(body)} for body in bodies]


def a_body(random: Random, kind: type[Body]) -> Body:
    """A record of this kind with fields of any sort, without a wish for sense."""
    place: dict[str, Any] = {"facility": FACILITY, "terminal": "T1"}
    if kind is ProductionReported:
        return ProductionReported(
            **place,
            product=random.choice(("KTI", "KBS")),
            qty=random.randrange(1, 100_000),
            made_on=DAY - timedelta(days=random.randrange(400)),
            best_before=random.choice((None, DAY)),
            maker=random.choice((None, "p.MAKERPSEUDONYM")),
        )
    about = {**place, "lot": random.choice(LOTS), "reason": random.choice(TEXTS)}
    if kind is ProductionCorrected:
        return ProductionCorrected(**about, change=random.choice((-3, 1, 1000)))
    return kind(**about)


def test_each_record_has_the_same_bytes_as_that_of_another_terminal(tmp_path: Path) -> None:
    random = Random(17)
    bodies = [a_body(random, kind) for kind in TERMINAL.bodies for _ in range(40)]
    asked = [
        {
            "kind": type(body).__name__,
            "place": PLACE,
            "given": {name: value for name, value in dumped(body).items() if name not in ("facility", "terminal")},
        }
        for body in bodies
    ]
    made = answers({"bodies": asked}, tmp_path)["bodies"]
    for body, answer in zip(bodies, made, strict=True):
        assert base64.b64decode(answer["bytes"]) == envelope.encode(body)
        assert answer["type"] == event_type(TERMINAL, type(body))


def a_catalogue(random: Random) -> list[Body]:
    """What may have come of a facility's catalogue, in any order."""
    news: list[Body] = [
        facility_listed(products=("KBS", "KTI")),
        facility_listed(products=("KRJ", "KTI"), revision=2, zone="Asia/Jayapura"),
        facility_listed(products=("KBS", "KRJ", "KTI"), revision=3, retired_at=NOW),
        product_listed("KTI"),
        product_listed("KTI", max_qty=20, revision=2),
        product_listed("KBS"),
        product_listed("KBS", shelf_life_days=5, revision=3),
        product_listed("KRJ"),
        product_listed("KRJ", revision=2, retired_at=NOW),
    ]
    news = [body for body in news if random.random() < 0.7]
    random.shuffle(news)
    return news


def some_goods(random: Random) -> ProductionReported:
    return ProductionReported(
        facility=FACILITY,
        terminal="T1",
        product=random.choice(("KTI", "KBS", "KRJ", "XXX")),
        qty=random.choice((1, 20, 21, 5001)),
        made_on=DAY,
        best_before=random.choice((None, *(DAY + timedelta(days=days) for days in (1, 2, 3, 5, 6)))),
    )


def fault_of(copy: CatalogueCopy, report: ProductionReported) -> dict[str, Any] | None:
    """The other terminals' refusal, as the app says it."""
    try:
        copy.check(report)
    except WrongEntry as wrong:
        values = dict(as_message(wrong.message).values)
    else:
        return None
    if "most" in values:
        return {"why": "too-many"} | {name: values[name] for name in ("most", "unit", "name")}
    if "days" in values:
        return {"why": "beyond-shelf-life"} | {name: values[name] for name in ("days", "until", "name")}
    if "meant" in values:
        return {"why": "not-listed", "product": values["product"]}
    return {"why": "retired-facility", "facility": values["facility"]}


def test_goods_are_refused_by_the_same_catalogue(tmp_path: Path) -> None:
    random = Random(18)
    stories = [(a_catalogue(random), [some_goods(random) for _ in range(6)]) for _ in range(200)]
    asked = [
        {
            "news": news_of(news),
            "goods": [
                {name: dumped(report)[name] for name in ("product", "qty", "made_on", "best_before")}
                for report in goods
            ],
        }
        for news, goods in stories
    ]
    kinds = set()
    for (news, goods), answer in zip(stories, answers({"catalogues": asked}, tmp_path)["catalogues"], strict=True):
        copy = received_catalogue(news)
        faults = [fault_of(copy, report) for report in goods]
        kinds |= {fault and fault["why"] for fault in faults}
        assert answer["faults"] == faults
        assert answer["onList"] == [product.product for product in copy.on_list()]
        assert answer["isWhole"] == copy.known
        assert answer["zone"] == (copy.facility and copy.facility.zone)
    assert kinds == {None, "too-many", "beyond-shelf-life", "not-listed", "retired-facility"}


def test_an_entry_is_checked_before_it_is_kept(tmp_path: Path) -> None:
    news = news_of([facility_listed(), product_listed("KTI"), product_listed("KBS")])
    cake = {"product": "KBS", "qty": "20", "made_on": "2026-11-29", "best_before": ""}
    wrong = {
        "no-number": {"qty": "1,5"},
        "not-positive": {"qty": "0"},
        "no-day": {"made_on": "2026-02-30"},
        "in-future": {"made_on": "2026-12-01"},
        "too-old": {"made_on": "2025-10-25"},
        "before-made": {"best_before": "2026-11-28"},
        "beyond-shelf-life": {"best_before": "2026-12-02"},
        "too-many": {"qty": "5.001"},
        "not-listed": {"product": "KRJ"},
    }
    good = ({}, {"best_before": "2026-12-01"}, {"best_before": "2026-11-30"}, {"made_on": "2025-10-26"})
    asked = [cake | changed for changed in (*wrong.values(), *good)]
    made = answers({"entries": {"news": news, "today": DAY.isoformat(), "entries": asked}}, tmp_path)["entries"]
    assert [answer["fault"] and answer["fault"]["why"] for answer in made] == [*wrong, *(None for _ in good)]
    # The day of the shelf life is left out: production works it out.
    assert [answer["goods"]["best_before"] for answer in made[-4:]] == [None, None, "2026-11-30", None]
    assert made[-4]["goods"] == {"product": "KBS", "qty": 20, "made_on": "2026-11-29", "best_before": None}


def a_rejection(report: str, name: str) -> ReportRejected:
    sentence = "This product code is not in the catalogue."
    fields = {"message": sentence, "template": sentence, "values": {}, "reason": Refusal.UNKNOWN_PRODUCT}
    return ReportRejected(facility=FACILITY, terminal=name, report=report, field="product", **fields)  # type: ignore[arg-type]


def a_day(random: Random, terminal: Terminal) -> list[Body]:
    """Some records of a terminal, of which a part was sent, refused, taken out or answered. The answers."""
    lots = [*LOTS]
    for _ in range(random.randrange(1, 7)):
        lot = random.choice(lots)
        match random.randrange(5):
            case 0 | 1:
                terminal.record("KTI", random.randrange(1, 9), made_on=DAY, at=NOW)
            case 2:
                terminal.correct(lot, random.choice((-2, 3)), at=NOW)
            case 3:
                terminal.recall(lot, at=NOW)
                terminal.lift(lot, reason="wrong", at=NOW)
            case _:
                terminal.withdraw(lot, at=NOW)
    numbers = [record.number for record in terminal.spool.records()]
    removed = random.sample(numbers, k=random.randrange(2)) if random.random() < 0.4 else []
    for number in removed:
        terminal.take_out(number)
    sent = terminal.spool.offer(random.randrange(12))
    taken = [record for record in sent if random.random() < 0.8]
    refused = [record.number for record in sent if record not in taken]
    terminal.spool.acknowledge([record.number for record in taken])
    statuses = [(number, random.choice(("held", "refused", "unusable"))) for number in refused]
    terminal.spool.refuse([IntakeRefusal(number, status, "no_right", Message("No.")) for number, status in statuses])
    bodies: list[Body] = []
    for record in taken:
        name = random.choice(("T1", "T1", "T1", "T2"))
        lot = str(getattr(record.body, "lot", "") or lots[len(bodies) % len(lots)])
        answer = ReportAccepted(facility=FACILITY, terminal=name, report=record.id, lot=lot)
        bodies.append(random.choice((answer, answer, a_rejection(record.id, name))))
    bodies.append(ReportAccepted(facility=FACILITY, terminal="T2", report="of-another-terminal", lot=LOTS[-1]))
    return [body for body in bodies if random.random() < 0.8]


def kept_of(terminal: Terminal) -> list[dict[str, Any]]:
    """The terminal's records as the app's spool has them."""
    refusals = terminal.spool.refusals()

    def state(record: SpooledRecord) -> str:
        if record.taken_out:
            return "removed"
        return "sent" if record.acknowledged else "refused" if record.number in refusals else "kept"

    return [
        {
            "seq": record.number,
            "id": record.id,
            "kind": type(record.body).__name__,
            "body": dumped(record.body),
            "state": state(record),
            "refusal": {"status": refusals[record.number].status} if record.number in refusals else None,
            "kept_at": 0,
        }
        for record in terminal.spool.records()
    ]


def test_reports_stand_the_same_and_lots_hold_the_same(tmp_path: Path) -> None:
    random = Random(19)
    asked, expected = [], []
    for number in range(40):
        with Terminal(tmp_path / str(number), FACILITY, "T1") as terminal:
            bodies = a_day(random, terminal)
            events = [Event(str(index), "production", FACILITY, NOW, NOW, body) for index, body in enumerate(bodies)]
            terminal.spool.receive(
                ANSWERS, 0, [(event, getattr(event.body, "report", None)) for event in events], next=len(events)
            )
            tracked = terminal.tracked_reports()
            lots = own_lots(tracked, bodies, FacilitySales())
            asked.append({"records": kept_of(terminal), "news": news_of(bodies), "name": "T1"})
            expected.append(([row.status.value for row in tracked], lots))
    made = answers({"reports": asked}, tmp_path)["reports"]
    statuses = {status for standings, _ in expected for status in standings}
    assert statuses == {status.value for status in ReportStatus}
    for (standings, lots), answer in zip(expected, made, strict=True):
        assert answer["standings"] == standings
        rows = [(lot.lot, lot.product, lot.made_on.isoformat()) for lot in lots]
        sums = [(lot.recorded, lot.recalled, lot.withdrawn) for lot in lots]
        found = sorted(answer["lots"], key=lambda lot: str(lot["lot"]))
        assert [(lot["lot"], lot["product"], lot["made_on"]) for lot in found] == rows
        assert [(lot["recorded"], lot["recalled"], lot["withdrawn"]) for lot in found] == sums


def read(text: str) -> int | None:
    try:
        return typed.whole(text)
    except WrongEntry:
        return None


def a_real_day(text: str) -> bool:
    try:
        return 1970 <= date.fromisoformat(text).year <= 2099
    except ValueError:
        return False


def test_numbers_and_days_are_read_as_elsewhere(tmp_path: Path) -> None:
    numbers = ["0", "12", "1250", "1.250", " 1.250.000 ", "01", "1,5", "1.25", "12.5000", "", "-3", "+3", "1e3", "٣"]
    numbers.append("9" * 17)
    texts = ["2026-11-30", "2028-02-29", "2026-02-29", "2026-13-01", "2026-00-10", "1969-12-31", "2100-01-01", ""]
    texts.append("30/11/2026")
    moments = [datetime(2026, 11, 30, hour, 30, tzinfo=UTC) for hour in range(24)]
    zones = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
    spans = [(DAY - timedelta(days=number * 37), number * 11 - 300) for number in range(60)]
    answered = answers(
        {
            "wholes": numbers,
            "days": texts,
            "daysIn": [[moment.timestamp() * 1000, zone] for moment in moments for zone in zones],
            "later": [[day.isoformat(), days] for day, days in spans],
        },
        tmp_path,
    )
    assert answered["wholes"] == [read(text) for text in numbers]
    assert answered["days"] == [a_real_day(text) for text in texts]
    assert answered["daysIn"] == [
        moment.astimezone(ZoneInfo(zone)).date().isoformat() for moment in moments for zone in zones
    ]
    for (day, days), later in zip(spans, answered["later"], strict=True):
        product = Product("KBS", "", "", "", 1, shelf_life=timedelta(days=days))
        assert spoils_on(product, day) == date.fromisoformat(later)
