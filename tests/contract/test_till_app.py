"""The till in a browser writes, signs and adds up as the other tills do: the same bytes, sums and views."""

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import segno
from joserfc.jwk import ECKey
from segno import encoder

from edge.spool import SpooledRecord
from edge.till.amending import rupiah_of
from edge.till.basket import warnings
from edge.till.booth import view
from edge.till.day import till_day
from edge.till.drawer import drawers
from edge.till.receipts import known_receipts
from services.portal.api.assets import APPS
from shared import envelope
from shared.access.signatures import SignedContent, check_proof, public_key_of, verify
from shared.events import lot_number
from shared.events.amounts import net_amounts, value
from shared.events.festival import (
    BoothStockLost,
    BoothStockMoved,
    LotRecounted,
    TillAdded,
    TillStruck,
)
from shared.events.identity import Curve
from shared.events.language import Body, event_type
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    TILL,
    BoothReopened,
    CashCounted,
    CashDropped,
    DeviceHeard,
    DrawerOpened,
    ReceiptLine,
    TillClosed,
    TillRecord,
    VoidRefused,
)
from shared.shown import rupiah, thousands
from tests.support.builders.till import (
    BOOTH,
    DAY,
    LOT,
    NOW,
    OTHER,
    a_device_notice,
    a_snapshot,
    a_spooled_record,
    a_stocking,
    an_opening,
    changed,
    closing,
    line,
    receipt,
    reinstated,
    void,
    withdrawn,
)

pytestmark = pytest.mark.contract

JAVASCRIPT = Path(__file__).parents[1] / "support" / "till_records.mjs"
TEXTS = ("", "P1", 'a "quoted" \\ word', "tab\tline\nend", "Kain «tenun» 😀 \u2028 \x1f\x7f", "/" * 40)
MOMENTS = (
    datetime(2026, 11, 30, 8, tzinfo=UTC),
    datetime(2026, 11, 30, 8, 0, 0, 7000, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2099, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
)
DEVICE = "5f0c2f0e-7c1b-4d7e-9d6f-2b1f3c9a8e01"


def answers(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the modules of the app answer, run by node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here to run JavaScript")
    (file := folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    done = subprocess.run(
        [node, str(JAVASCRIPT), str(APPS), str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def amount(random: Random) -> int:
    return random.choice((0, 1, 999, 25_000, 1_000_000_000, random.randrange(10_000_000)))


def a_record(random: Random, kind: type[TillRecord]) -> TillRecord:
    """A record of this kind with fields of any sort, without a wish for sense."""
    place = {
        "booth": BOOTH,
        "till": "T1",
        "device": DEVICE,
        "seq": random.randrange(1, 1000),
        "previous": random.choice((None, "r-1")),
    }
    at, text, drawer = random.choice(MOMENTS), random.choice(TEXTS), random.choice((None, "drawer-1"))
    match kind.__name__:
        case "DeviceIntroduced":
            fields: dict[str, Any] = {"introduced_at": at}
        case "ReceiptIssued":
            lines = tuple(
                line(
                    number,
                    qty := random.randrange(1, 9),
                    lot=random.choice((None, LOT)),
                    unit_price_rupiah=(price := amount(random)),
                    discount_rupiah=random.randrange(qty * price + 1),
                    price_reason=random.choice(TEXTS),
                )
                for number in range(1, random.randrange(2, 6))
            )
            due = sum(row.gross_rupiah - row.discount_rupiah for row in lines)
            off = random.choice((0, random.randrange(due + 1)))
            change = random.randrange(100_000)
            given = random.choice((None, due - off + change))
            payment = {
                "kind": random.choice(("cash", "qris", "other")),
                "reference": text,
                "given_rupiah": given,
                "change_rupiah": 0 if given is None else change,
            }
            fields = {"lines": lines, "discount_rupiah": off, "payment": payment, "drawer": drawer}
            fields |= {"price_list": random.randrange(4), "sold_at": at}
        case "ReceiptVoided":
            pieces = [random.randrange(1, 9) for _ in range(random.randrange(1, 4))]
            rows = tuple({"line": number, "qty": qty} for number, qty in enumerate(pieces, 1))
            fields = {"receipt": "r-2", "lines": rows, "refund": random.choice(("cash", "qris", "other"))}
            fields |= {"refund_rupiah": amount(random), "drawer": drawer, "reason": text, "voided_at": at}
        case "BoothCounted":
            fields = {"counted_at": at, "final": random.choice((True, False))}
            fields |= {"lots": ({"lot": LOT, "qty": 0},), "products": ({"product": "KTI", "qty": 3},)}
        case "DrawerOpened":
            fields = {"cashier": "P1", "float_rupiah": amount(random), "opened_at": at}
        case "CashDropped":
            fields = {"drawer": "d", "rupiah": amount(random), "reason": text, "dropped_at": at}
        case "CashCounted":
            fields = {"drawer": "d", "counted_rupiah": amount(random), "expected_rupiah": -amount(random)}
            fields |= {"counted_at": at}
        case "RecordTakenOut":
            fields = {"kind": "ReceiptIssued", "rupiah": amount(random), "reason": text, "taken_out_at": at}
        case "TillClosed":
            fields = {"last_seq": place["seq"], "opening": random.randrange(1, 4)}
        case other:
            raise AssertionError(f"the app does not know {other}")
    return kind.model_validate(place | fields, strict=False)


PLACE = ("booth", "till", "device", "seq", "previous")


def asked_of(record: TillRecord) -> dict[str, Any]:
    """The record as the app's function for it gets it."""
    fields = record.model_dump(mode="json")
    place = {name: fields.pop(name) for name in PLACE}
    moments = [name for name in fields if name.endswith("_at")]
    at = milliseconds(getattr(record, moments[0])) if moments else 0
    for name in moments:
        del fields[name]
    for number in fields.get("lines", ()):
        if "product" in number:
            del number["line"]
    fields.pop("last_seq", None)
    return {"kind": type(record).__name__, "place": place, "given": fields, "at": at}


def test_each_record_has_the_same_bytes_as_that_of_another_till(tmp_path: Path) -> None:
    random = Random(17)
    records = [a_record(random, kind) for kind in TILL.bodies if issubclass(kind, TillRecord) for _ in range(40)]
    made = answers({"bodies": [asked_of(record) for record in records]}, tmp_path)["bodies"]
    for record, answer in zip(records, made, strict=True):
        assert base64.b64decode(answer["bytes"]) == envelope.encode(record)
        assert answer["type"] == event_type(TILL, type(record))
        assert answer["rupiah"] == rupiah_of(record)


def test_amounts_are_divided_and_written_as_elsewhere(tmp_path: Path) -> None:
    random = Random(18)
    receipts = []
    for _ in range(300):
        rows = [(random.randrange(1, 9), amount(random)) for _ in range(random.randrange(1, 7))]
        discounts = [random.randrange(qty * price + 1) for qty, price in rows]
        due = sum(qty * price for qty, price in rows) - sum(discounts)
        receipts.append((rows, discounts, random.randrange(due + 1)))
    # Of equal remainders the first wins.
    receipts.append(([(1, 1000)] * 3, [0] * 3, 100))
    values = [(amount(random), qty := random.randrange(1, 90), random.randrange(qty + 1)) for _ in range(300)]
    values.append((1_000_000_000_000, 999_999, 999_998))
    amounts = [0, 1, 12, 999, 1000, 25_000, 1_250_000, 123_456_789, -1250]
    typed = ["25000", "25.000", " Rp 25.000 ", "1,250,000", "0", "25.00", "2.5", "", "-5", "1e3", "25 000", "9" * 14]
    answered = answers(
        {
            "nets": [
                {
                    "lines": [
                        {"qty": qty, "unit_price_rupiah": price, "discount_rupiah": discount}
                        for (qty, price), discount in zip(rows, discounts, strict=True)
                    ],
                    "discount_rupiah": off,
                }
                for rows, discounts, off in receipts
            ],
            "values": values,
            "formats": amounts,
            "typed": typed,
            "times": [milliseconds(moment) for moment in MOMENTS],
        },
        tmp_path,
    )
    assert answered["nets"] == [
        net_amounts([qty * price for qty, price in rows], discounts, off) for rows, discounts, off in receipts
    ]
    assert answered["values"] == [value(*item) for item in values]
    assert answered["formats"] == [[rupiah(amount), thousands(abs(amount))] for amount in amounts]
    assert answered["typed"] == [25_000, 25_000, 25_000, 1_250_000, 0, None, None, None, None, None, None, None]
    assert answered["times"] == [envelope.rfc3339(moment) for moment in MOMENTS]


def test_what_the_app_signs_is_taken(tmp_path: Path) -> None:
    key = ECKey.generate_key(Curve.P256.value)
    public = public_key_of(key)
    random = Random(19)
    records = [a_record(random, kind) for kind in TILL.bodies if issubclass(kind, TillRecord)]
    contents = [
        {
            "source": f"till/{BOOTH}/T1",
            "id": f"é-{number}",
            "type": event_type(TILL, type(record)),
            "time": "2026-11-30T08:00:00.000Z",
            "key": BOOTH,
            "bytes": base64.b64encode(envelope.encode(record)).decode(),
        }
        for number, record in enumerate(records)
    ]
    asked = {"key": key.as_dict(private=True), "records": contents}
    answered = answers({"signed": asked}, tmp_path)["signed"]
    assert answered["subject"] == public.device
    check_proof(answered["proof"], "http://identity.test", "challenge", public)
    for content, record, made in zip(contents, records, answered["made"], strict=True):
        texts = [content[name].encode() for name in ("source", "id", "type", "time", "key")]
        signed = SignedContent(*texts, envelope.encode(record))
        assert base64.b64decode(made["payload"]) == signed.payload
        verify(made["signature"], signed, public)


def news_of(bodies: Sequence[Body]) -> list[dict[str, Any]]:
    names = {"topic": "", "source": "", "id": "", "about": None}
    return [{**names, "type": f"{type(body).__name__}.v1", "data": dumped(body)} for body in bodies]


def dumped(body: Body) -> dict[str, Any]:
    return body.model_dump(mode="json")


def recorded(records: Sequence[SpooledRecord]) -> list[dict[str, Any]]:
    return [
        {
            "seq": record.number,
            "id": record.id,
            "kind": type(record.body).__name__,
            "body": dumped(record.body),
            "sent": record.acknowledged,
        }
        for record in records
    ]


REFUSALS: tuple[Body, ...] = (
    VoidRefused(booth=BOOTH, receipt="r1", line=1, till="T1", qty=1, left=0),
    VoidRefused(booth=BOOTH, receipt="r1", line=2, till=None, qty=1, left=0),
    BoothReopened(booth=BOOTH, opening=2),
    TillStruck(booth=BOOTH, till="T1", device="d1"),
    TillStruck(booth=BOOTH, till="T2", device=None),
    TillStruck(booth=BOOTH, till="T1", device="d0", branch=2),
    TillAdded(booth=BOOTH, till="T3"),
    LotRecounted(
        booth=BOOTH, festival="ODOP", lot=LOT, facility="PR-KPG", product="KTI", made_on=DAY, qty=9, revision=2
    ),
    BoothStockLost(booth=BOOTH, lot=LOT, qty=2),
    BoothStockMoved(booth=BOOTH, lot=OTHER, qty=1, to="ODOP.B08"),
)
_OF_TILL: dict[str, Any] = {"booth": BOOTH, "till": "T1", "device": "d1", "seq": 6}
ENDINGS: tuple[list[tuple[str, Body]], ...] = (
    [],
    [("drop", CashDropped(**_OF_TILL, drawer="drawer", rupiah=5000, dropped_at=NOW))],
    [
        ("drop", CashDropped(**_OF_TILL, drawer="drawer", rupiah=5000, dropped_at=NOW)),
        (
            "count",
            CashCounted(**_OF_TILL, drawer="drawer", counted_rupiah=9, expected_rupiah=12, counted_at=NOW),
        ),
    ],
    [("closed", TillClosed(**_OF_TILL, last_seq=6, opening=1))],
)


def a_story(random: Random) -> tuple[list[Body], list[SpooledRecord]]:
    """News of a booth and the records of one device, in any order that the two may have."""
    news: list[Body] = [
        an_opening("T1", "T2", prices={"KTI": 250_000, "KRJ": 75_000}),
        a_stocking(LOT, random.randrange(1, 30)),
        a_stocking(OTHER, random.randrange(1, 30), days_old=random.randrange(3)),
        a_stocking(LOT, 4),
        changed(2, NOW, KTI=240_000),
        changed(3, NOW + timedelta(days=9), KTI=1),
        a_device_notice("T2", "d2"),
        a_device_notice("T1", "d0"),
        withdrawn(OTHER),
        withdrawn(LOT),
        reinstated(LOT),
        closing(NOW),
        a_snapshot("r1", 1, 3, voided=random.randrange(3), revision=2),
        a_snapshot("r1", 1, 3, voided=3, revision=1),
        a_snapshot("r7", 1, 5, voided=random.randrange(5)),
        a_snapshot("r7", 2, 2, revision=3),
        *[body for body in REFUSALS if random.random() < 0.5],
    ]
    news = [body for body in news if random.random() < 0.85]
    random.shuffle(news)
    bodies: list[tuple[str, Body]] = [
        ("drawer", a_record(random, DrawerOpened)),
        ("r1", receipt(line(1, 3), line(2, 2, lot=LOT), drawer="drawer", discount_rupiah=random.randrange(1000))),
        ("r2", receipt(line(1, 1, product="KRJ", unit_price_rupiah=75_000))),
        ("v1", void("r1", (1, 1), rupiah=83, drawer="drawer")),
        ("v2", void("r1", (2, 1), (1, 1), rupiah=7)),
        ("v3", void("r7", (1, random.randrange(1, 3)), rupiah=7)),
        *ENDINGS[random.randrange(len(ENDINGS))],
    ]
    records = [
        a_spooled_record(id, body, sent=number <= random.randrange(9), number=number)
        for number, (id, body) in enumerate(bodies, 1)
    ]
    return news, records


UNKNOWN_LOT = str(LotNumber("PR-KPG", "KTI", DAY, 9))


def some_lines(random: Random) -> list[ReceiptLine]:
    lots = random.choices((None, LOT, OTHER, UNKNOWN_LOT), k=random.randrange(1, 5))
    return [line(number, random.randrange(1, 30), lot=lot) for number, lot in enumerate(lots, 1)]


def doubt_of(values: dict[str, Any]) -> dict[str, Any]:
    """The app's form of a sentence about a line that may be disputed."""
    return {"item": values.get("item") or values["lot"], "left": values.get("remaining")}


def test_booth_receipts_and_drawers_are_the_same_view(tmp_path: Path) -> None:
    random = Random(20)
    stories = [(*a_story(random), some_lines(random)) for _ in range(200)]
    asked = [
        {
            "till": "T1",
            "device": "d1",
            "news": news_of(news),
            "records": recorded(records),
            "at": milliseconds(NOW),
            "lines": [dumped(line) for line in lines],
        }
        for news, records, lines in stories
    ]
    made = answers({"booths": asked}, tmp_path)["booths"]
    for (news, records, lines), answer in zip(stories, made, strict=True):
        receipts = known_receipts(records, news)
        booth = view("T1", "d1", news, receipts)
        prices = booth.prices_at(NOW)
        if booth.price_lists and booth.listed and not booth.struck:
            sentences = warnings(booth, lines, {})
            assert answer["doubts"] == [doubt_of(dict(sentence.values)) for sentence in sentences]
        own = [record for record in records if record.id in receipts.paid]
        assert answer["prices"] == dict(prices.prices)
        assert (answer["revision"], answer["opening"]) == (prices.revision, booth.opening)
        assert (answer["listed"], answer["struck"]) == (booth.listed, booth.struck)
        assert answer["isClosing"] == (booth.closing is not None)
        assert answer["slices"] == {id: lot.slice for id, lot in booth.lots.items()}
        assert answer["left"] == {product: booth.left_of(product) for product in prices.prices}
        assert answer["drawers"] == [[row.id, row.expected_rupiah, row.counted_rupiah] for row in drawers(records)]
        others = {id: lines for id, lines in receipts.lines.items() if id not in receipts.paid}
        assert dict(answer["others"]) == {
            id: [[row.line, row.left, row.refund(row.left)] for _, row in sorted(lines.items())]
            for id, lines in others.items()
        }
        heard = [body for body in news if isinstance(body, DeviceHeard) and body.till == "T1" and body.device != "d1"]
        struck = {
            body.device for body in news if isinstance(body, TillStruck) and body.till == "T1" and not body.branch
        }
        assert set(answer["former"]) == {body.device for body in heard} - struck
        assert answer["receipts"] == [
            [record.id, [[row.left, row.refund(row.left)] for row in receipts.lines[record.id].values()]]
            for record in reversed(own)
        ]


def test_a_day_has_the_same_report(tmp_path: Path) -> None:
    random = Random(22)
    zone = ZoneInfo("Asia/Makassar")
    stories = []
    for _ in range(100):
        _, records = a_story(random)
        stories.append(records)
    days = [NOW.astimezone(zone).date(), *(moment.astimezone(zone).date() for moment in MOMENTS)]
    asked = [
        {"records": recorded(records), "day": day.isoformat(), "zone": zone.key}
        for records in stories
        for day in days
    ]
    made = iter(answers({"days": asked}, tmp_path)["days"])
    for records in stories:
        for day in days:
            report = till_day(records, day, lambda moment: moment.astimezone(zone).date())
            answer = next(made)
            assert answer["payments"] == [
                {
                    "kind": row.kind.value,
                    "receipts": row.receipts,
                    "net": row.net_rupiah,
                    "refunds": row.refunds,
                    "refunded": row.refunded_rupiah,
                }
                for row in report.payments
            ]
            assert answer["drawers"] == [drawer.id for drawer in report.drawers]
            assert (answer["receipts"], answer["voids"]) == (report.receipts, report.voids)
            assert (answer["voidedPieces"], answer["unsent"]) == (report.voided_pieces, report.unsent)
            taken_out = [{"kind": body.kind, "rupiah": body.rupiah} for body in report.taken_out]
            assert answer["takenOut"] == taken_out


def test_a_qr_code_is_the_one_that_another_encoder_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It adds a whole codeword of padding bits where none is missing, which readers take too.
    monkeypatch.setattr(encoder, "write_padding_bits", lambda buff, _, length: buff.extend([0] * (-length % 8)))
    random = Random(23)
    texts = ["a", str(uuid4()), *("".join(random.choices("abc-/:?09é", k=length)) for length in range(2, 80, 3))]
    # The longest of each version.
    texts += ["x" * length for length in (17, 32, 53, 78, 106)]
    for text, modules in zip(texts, answers({"codes": texts}, tmp_path)["codes"], strict=True):
        other = segno.make_qr(text.encode(), error="l", mask=0, mode="byte", boost_error=False)
        assert modules == [[bool(module) for module in row] for row in other.matrix], text


def test_labels_are_read_as_elsewhere(tmp_path: Path) -> None:
    random = Random(21)
    texts = [LOT, LOT.lower(), LOT.replace("-", ""), f" {LOT.replace('-', ' ')} ", LOT.replace("0", "O"), "", "KTI"]
    for _ in range(400):
        facility = "".join(random.choices("ABIOLZ", k=2)) + "-" + "".join(random.choices("ABIOLZ", k=3))
        day = date(2000, 1, 1) + timedelta(days=random.randrange(36_000))
        number = str(LotNumber(facility, "KTI", day, random.choice((1, 12, 999, 1000, 123_456))))
        place = random.randrange(len(number))
        texts += [number, number[:place] + random.choice("0O1IL9ZK-") + number[place + 1 :], number[:place]]
        texts.append(f"{number[:-9]}{random.choice(('000', '0001', '001'))}-{number[-1]}")
    no_days = ("230230", "231301", "230400")
    texts += [f"PR-KPG-KTI-{day}-001-{check}" for day in no_days for check in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    read = [lot_number.parse(text) for text in texts]
    assert sum(lot is None for lot in read) > 300
    assert answers({"lots": texts}, tmp_path)["lots"] == [
        None if lot is None else {"id": str(lot), "product": lot.product} for lot in read
    ]


def test_a_basket_never_has_less_than_nothing(tmp_path: Path) -> None:
    taps = [["KTI", 1], ["KTI", 1], ["KRJ", -1], ["KTI", -1], ["KRJ", 1], ["KRJ", -1]]
    answered = answers({"baskets": [{"taps": taps, "due": 87_500}, {"taps": [], "due": 0}]}, tmp_path)["baskets"]
    assert answered[0]["basket"] == {"KTI": 1}
    assert answered[0]["cash"] == [87_500, 88_000, 90_000, 100_000]
    assert answered[1]["cash"] == [0]


def test_a_sale_of_goods_that_were_recalled_after_they_were_shown_is_refused(tmp_path: Path) -> None:
    payment = {"kind": "qris", "reference": ""}
    here = [an_opening("T1"), a_stocking(LOT, 10)]
    stories = (here, [*here, withdrawn(LOT)], [*here, withdrawn(LOT), reinstated(LOT)], [*here, withdrawn(OTHER)])
    asked = [
        {"records": [], "news": news_of(news), "sold": {"lines": [dumped(row)], "price_list": 1, "payment": payment}}
        for news in stories
        for row in (line(lot=LOT), line())
    ]
    sold, refused = ["ReceiptIssued"] * 2, ["recalled"] * 2
    assert answers({"commands": asked}, tmp_path)["commands"] == [*sold, *refused, *sold, *sold]


def test_goods_in_the_basket_that_can_not_be_sold_are_named(tmp_path: Path) -> None:
    news = news_of([an_opening("T1"), a_stocking(LOT, 10), a_stocking(OTHER, 10), withdrawn(LOT)])
    asked = {"news": news, "basket": [[LOT, 2], [OTHER, 1], ["KTI", 1], ["KRJ", 1]], "at": milliseconds(NOW)}
    [answered] = answers({"leftOut": [asked]}, tmp_path)["leftOut"]
    assert answered == {"lines": [OTHER, "KTI"], "out": [[LOT, "withdrawn"], ["KRJ", "no-price"]]}


def test_pieces_that_another_tab_took_back_meanwhile_are_not_paid_back_again(tmp_path: Path) -> None:
    bodies = {"r1": receipt(line(1, 3)), "v1": void("r1", (1, 3)), "r2": receipt(line(1, 3))}
    records = recorded([a_spooled_record(id, body, number=n) for n, (id, body) in enumerate(bodies.items(), 1)])
    asked = [
        {
            "records": records,
            "news": [],
            "voided": {
                "made": {
                    "receipt": of,
                    "lines": [{"line": 1, "qty": 1}],
                    "refund": "qris",
                    "refund_rupiah": 1,
                    "reason": "",
                },
                "seen": seen,
            },
        }
        for of, seen in (("r1", 1), ("r1", 2), ("r1", 3), ("r2", 1))
    ]
    assert answers({"commands": asked}, tmp_path)["commands"] == ["voided", *["ReceiptVoided"] * 3]


def test_a_till_with_unsent_records_closes_only_with_a_reason(tmp_path: Path) -> None:
    asked = [
        {
            "records": recorded([a_spooled_record("r1", receipt(), sent=sent)]),
            "news": news_of([an_opening("T1")]),
            "note": note,
        }
        for sent in (True, False)
        for note in ("", "no line")
    ]
    assert answers({"commands": asked}, tmp_path)["commands"] == ["TillClosed", "TillClosed", "unsent", "TillClosed"]
