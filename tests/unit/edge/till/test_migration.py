"""A spool of the former version, as its own tables held it, goes on as baskets."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.spool.check import check
from edge.till.till import Till
from shared import envelope
from shared.events.festival import BOOTH_STOCK
from shared.events.sales import (
    SALES,
    TILL,
    BoothCounted,
    LotCount,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
    VoidedLine,
)
from tests.support.builders.till import BOOTH, LOT, NOW, an_opening, line
from tests.support.former_spool import FORMER_SCHEMA

SALE = {"lot": LOT, "product": "KTI", "qty": 3, "unit_price_rupiah": 1000, "sold_at": "2023-04-18T01:02:03.456Z"}
RECORDS = [
    ("sale-1", "SaleReported.v1", SALE),
    ("sale-2", "SaleReported.v1", {**SALE, "lot": None, "qty": 1}),
    ("void-1", "SaleVoided.v1", {"sale": "sale-1", "voided_at": "2023-04-18T01:05:00Z"}),
    ("count", "BoothCounted.v1", {"lots": [{"lot": LOT, "qty": 4}]}),
    ("close", "TillClosed.v1", {"last_seq": 5}),
]
SOLD = datetime(2023, 4, 18, 1, 2, 3, 456000, tzinfo=UTC)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    (tmp_path / "till").mkdir()
    with sqlite3.connect(tmp_path / "till" / f"{BOOTH}.T1.spool") as db:
        db.executescript(FORMER_SCHEMA)
        for number, (id, type, fields) in enumerate(RECORDS, 1):
            value = json.dumps({"booth": BOOTH, "till": "T1", "seq": number, **fields}).encode()
            headers = json.dumps([["ce_id", id], ["ce_type", type]])
            db.execute(
                "insert into said values (?, ?, ?, ?, ?, ?, ?, ?)",
                (number, id, BOOTH, type, value, headers, NOW.isoformat(), number < 3),
            )
        booth = (BOOTH_STOCK.name, "BoothOpened.v1", envelope.encode(an_opening("T1")))
        answer = (SALES.name, "SaleRecorded.v1", b'{"booth": "ODOP.B07", "sale": "sale-1"}')
        for number, (topic, type, value) in enumerate((booth, answer), 1):
            db.execute(
                "insert into heard values (?, 'somebody', ?, ?, ?, ?, null, ?)",
                (number, f"h{number}", topic, type, value, NOW.isoformat()),
            )
            db.execute("insert into positions values (?, 0, 7)", (topic,))
    db.close()
    with Till(tmp_path, BOOTH, "T1") as till:
        yield till


def test_records_keep_numbers_ids_and_acknowledgements_and_become_receipts(till: Till) -> None:
    ids = [id for id, *_ in RECORDS]
    places = [
        {"booth": BOOTH, "till": "T1", "device": till.spool.device, "seq": number, "previous": previous}
        for number, previous in enumerate([None, *ids[:-1]], 1)
    ]
    paid = Payment(kind=PaymentKind.OTHER)
    records = till.spool.records()
    assert [(record.number, record.id, record.acknowledged) for record in records] == [
        (number, id, number < 3) for number, id in enumerate(ids, 1)
    ]
    first, second = line(1, 3, lot=LOT, unit_price_rupiah=1000), line(1, 1, unit_price_rupiah=1000)
    assert [record.body for record in records] == [
        ReceiptIssued(**places[0], lines=(first,), payment=paid, sold_at=SOLD),
        ReceiptIssued(**places[1], lines=(second,), payment=paid, sold_at=SOLD),
        ReceiptVoided(
            **places[2],
            receipt="sale-1",
            lines=(VoidedLine(line=1, qty=3),),
            refund=PaymentKind.OTHER,
            refund_rupiah=3000,
            voided_at=datetime(2023, 4, 18, 1, 5, tzinfo=UTC),
        ),
        BoothCounted(**places[3], counted_at=NOW, final=True, lots=(LotCount(lot=LOT, qty=4),)),
        TillClosed(**places[4], last_seq=5),
    ]
    assert check(till.spool.path, TILL).ok


def test_what_is_sent_says_what_it_is_now(till: Till) -> None:
    [void, *_] = till.spool.pending(10)
    assert void.id == "void-1"
    assert envelope.header(void.headers, "ce_type") == "ReceiptVoided.v1"
    assert envelope.header(void.headers, "ce_id") == "void-1"
    assert envelope.header(void.headers, "ce_source") == f"till/{BOOTH}/T1"
    assert envelope.header(void.headers, "ce_time") == envelope.rfc3339(NOW)
    assert void.value == envelope.encode(void.body)


def test_the_booth_is_known_on_and_answers_are_heard_anew(till: Till) -> None:
    assert till.view().prices_at(NOW).revision == 1
    assert till.spool.position(BOOTH_STOCK, 0) == 7
    assert till.spool.received(SALES) == []
    assert till.spool.position(SALES, 0) == 0
