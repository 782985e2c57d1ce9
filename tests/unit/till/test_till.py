"""What a till keeps, refuses at once, warns of, and shows of sales' answers."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.till.cli import app
from services.till.till import Standing, Till
from shared.errors import WrongEntry
from shared.events.festival import BOOTH_STOCK, BoothOpened, BoothStocked, LotWithdrawn, Price
from shared.events.language import Body, Event, Topic
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    SALES,
    BoothCounted,
    LotCount,
    SaleDisputed,
    SaleRecorded,
    SaleReported,
    SaleVoided,
    SaleVoidRecorded,
    TillClosed,
)

NOW = datetime(2023, 4, 18, 1, 2, 3, tzinfo=UTC)
DAY = date(2023, 4, 18)
LOT = str(LotNumber("PR-KPG", "KTI", DAY, 1))
OTHER = str(LotNumber("PR-KPG", "KTI", DAY, 2))
BOOTH = "ODOP.B07"

OPENED = BoothOpened(
    booth=BOOTH,
    festival="ODOP",
    name="Booth 7",
    prices=(Price(product="KTI", price_rupiah=250_000),),
    tills=("T1", "T2"),
)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    with Till(tmp_path, BOOTH, "T1") as till:
        yield till


def hear(till: Till, topic: Topic, *bodies: Body) -> None:
    """As a sync would keep them."""
    events = [Event(repr(body), "somebody", BOOTH, NOW, NOW, body) for body in bodies]
    till.spool.hear(topic, 0, [(event, getattr(event.body, "sale", None)) for event in events], next=9)


def stocked(lot: str, qty: int) -> BoothStocked:
    return BoothStocked(booth=BOOTH, festival="ODOP", lot=lot, facility="PR-KPG", product="KTI", made_on=DAY, qty=qty)


def withdrawn(lot: str) -> LotWithdrawn:
    return LotWithdrawn(booth=BOOTH, lot=lot, reason="mouldy")


def recorded(sale: str) -> SaleRecorded:
    return SaleRecorded(
        booth=BOOTH,
        sale=sale,
        festival="ODOP",
        till="T1",
        lot=LOT,
        facility="PR-KPG",
        product="KTI",
        qty=1,
        unit_price_rupiah=1,
        amount_rupiah=1,
        sold_at=NOW,
    )


def test_records_are_numbered_from_one_without_gaps(till: Till) -> None:
    sale = till.sell(LOT, 2, at=NOW, price_rupiah=1000).said
    till.sell("kti", 1, at=NOW, price_rupiah=1000)
    with pytest.raises(WrongEntry):
        till.sell("kti", 0, at=NOW, price_rupiah=1000)
    till.void("1", at=NOW)
    till.count({LOT.lower(): 3, OTHER: 0}, at=NOW)
    till.close(at=NOW)
    assert [said.body for said in till.spool.all_said()] == [
        SaleReported(
            booth=BOOTH, till="T1", seq=1, lot=LOT, product="KTI", qty=2, unit_price_rupiah=1000, sold_at=NOW
        ),
        SaleReported(booth=BOOTH, till="T1", seq=2, product="KTI", qty=1, unit_price_rupiah=1000, sold_at=NOW),
        SaleVoided(booth=BOOTH, till="T1", seq=3, sale=sale.id, voided_at=NOW),
        BoothCounted(booth=BOOTH, till="T1", seq=4, lots=(LotCount(lot=LOT, qty=3), LotCount(lot=OTHER, qty=0))),
        TillClosed(booth=BOOTH, till="T1", seq=5, last_seq=5),
    ]


def test_the_booths_price_is_taken_unless_another_is_given(till: Till) -> None:
    with pytest.raises(WrongEntry, match="No price of KTI"):
        till.sell("KTI", 2, at=NOW)
    hear(till, BOOTH_STOCK, OPENED, stocked(LOT, 10))
    sold = till.sell("KTI", 2, at=NOW)
    assert (sold.amount_rupiah, sold.warnings) == (500_000, ())
    assert till.sell("KTI", 1, at=NOW, price_rupiah=200_000).warnings == ("The booth's price is Rp250.000.",)


def test_a_sale_beyond_the_tills_part_is_kept_with_a_warning(till: Till) -> None:
    hear(till, BOOTH_STOCK, OPENED, stocked(LOT, 7))
    assert till.sell(LOT, 4, at=NOW).warnings == ()
    [warning] = till.sell(LOT, 1, at=NOW).warnings
    assert "allows 0 more" in warning
    [warning] = till.sell(OTHER, 1, at=NOW).warnings
    assert "not known to be at this booth" in warning
    assert till.spool.counts().said == 3


def test_a_sale_before_anything_was_heard_is_kept_with_a_warning(till: Till) -> None:
    [warning] = till.sell(LOT, 4, at=NOW, price_rupiah=1).warnings
    assert "please sync" in warning


def test_a_withdrawn_lot_is_refused_unless_it_happened(till: Till) -> None:
    hear(till, BOOTH_STOCK, OPENED, stocked(LOT, 10), stocked(OTHER, 10), withdrawn(LOT))
    with pytest.raises(WrongEntry, match="withdrawn"):
        till.sell(LOT, 1, at=NOW)
    assert till.sell(OTHER, 1, at=NOW).warnings == ()
    assert till.sell("KTI", 1, at=NOW).warnings == ()
    assert till.sell(LOT, 1, at=NOW, happened=True).warnings != ()
    assert till.spool.counts().said == 3


def test_a_product_whose_lots_were_all_withdrawn_is_refused(till: Till) -> None:
    hear(till, BOOTH_STOCK, OPENED, stocked(LOT, 10), withdrawn(LOT))
    with pytest.raises(WrongEntry, match="All lots"):
        till.sell("KTI", 1, at=NOW)


def test_a_closed_till_sells_only_what_happened_and_closes_again(till: Till) -> None:
    till.sell("KTI", 1, at=NOW, price_rupiah=1)
    till.close(at=NOW)
    for again in (lambda: till.sell("KTI", 1, at=NOW, price_rupiah=1), lambda: till.close(at=NOW)):
        with pytest.raises(WrongEntry, match="closed"):
            again()
    till.sell("KTI", 1, at=NOW, price_rupiah=1, happened=True)
    assert till.close(at=NOW).body == TillClosed(booth=BOOTH, till="T1", seq=4, last_seq=4)


def test_only_an_own_standing_sale_can_be_voided(till: Till) -> None:
    sale = till.sell("KTI", 1, at=NOW, price_rupiah=1).said
    with pytest.raises(WrongEntry, match="No sale"):
        till.void("2", at=NOW)
    till.void(sale.id, at=NOW)
    with pytest.raises(WrongEntry, match="already voided"):
        till.void("1", at=NOW)
    with pytest.raises(WrongEntry, match="No sale"):
        till.void("2", at=NOW)  # a void is no sale


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (lambda t: t.sell("the red one", 1, at=NOW), "neither a lot number nor"),
        (lambda t: t.sell(LOT[:-1] + "9", 1, at=NOW), "neither a lot number nor"),
        (lambda t: t.sell("KTI", 10**7, at=NOW, price_rupiah=1), "qty"),
        (lambda t: t.sell("KTI", 1, at=NOW, price_rupiah=-1), "unit_price_rupiah"),
        (lambda t: t.count({LOT[:-1] + "9": 1}, at=NOW), "no lot number"),
        (lambda t: t.count({LOT: 1, LOT.lower(): 1}, at=NOW), "named twice"),
    ],
)
def test_what_can_not_be_is_refused_at_once_and_not_kept(till: Till, entry: Any, said: str) -> None:
    with pytest.raises(WrongEntry, match=said):
        entry(till)
    assert till.spool.counts().said == 0


def test_each_record_shows_what_became_of_it(till: Till) -> None:
    sales = [till.sell("KTI", 1, at=NOW, price_rupiah=1).said.id for _ in range(5)]
    till.void("2", at=NOW)
    till.void("1", at=NOW)
    till.spool.acknowledge([1, 2, 3, 4, 6, 7])
    disputed = SaleDisputed(
        booth=BOOTH,
        sale=sales[2],
        festival=None,
        till="T1",
        lot=None,
        product="KTI",
        qty=1,
        amount_rupiah=1,
        sold_at=NOW,
    )
    voided = SaleVoidRecorded(
        booth=BOOTH,
        sale=sales[1],
        festival="ODOP",
        lot=LOT,
        facility="PR-KPG",
        product="KTI",
        qty=1,
        amount_rupiah=1,
    )
    hear(till, SALES, recorded(sales[0]), recorded(sales[1]), disputed, voided)
    assert [row.standing for row in till.standings()] == [
        Standing.RECORDED,
        Standing.VOIDED,
        Standing.DISPUTED,
        Standing.SENT,
        Standing.TO_SEND,
        Standing.VOIDED,
        Standing.SENT,
    ]


@pytest.mark.parametrize(("booth", "name"), [("", "T1"), (BOOTH, "a/b"), ("../x", "T1")])
def test_names_are_checked_before_a_file_is_made(tmp_path: Path, booth: str, name: str) -> None:
    with pytest.raises(WrongEntry):
        Till(tmp_path, booth, name)
    assert list(tmp_path.iterdir()) == []


# The command


def run(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(
        app, list(arguments), env={"KARYA_SPOOL_DIR": str(folder), "KARYA_BOOTH": BOOTH, "KARYA_TILL": "T1"}
    )


def test_the_command_sells_voids_counts_and_closes(tmp_path: Path) -> None:
    with Till(tmp_path, BOOTH, "T1") as till:
        hear(till, BOOTH_STOCK, OPENED, stocked(LOT, 3), withdrawn(OTHER))
    done = run(tmp_path, "sell", LOT, "2", "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["record"], told["amount_rupiah"], told["warnings"]) == (1, 500_000, [])
    done = run(tmp_path, "sell", "KTI")
    assert (done.exit_code, done.stdout) == (0, "Sale 2: Rp250.000. 2 to send.\n")
    assert "allows 0 more" in done.stderr
    refused = run(tmp_path, "sell", OTHER)
    assert refused.exit_code == 1
    assert "withdrawn" in refused.stderr
    assert run(tmp_path, "void", "2").exit_code == 0
    assert run(tmp_path, "count", f"{LOT}=1").exit_code == 0
    assert run(tmp_path, "count", LOT).exit_code == 2
    assert run(tmp_path, "close").exit_code == 0
    rows = json.loads(run(tmp_path, "list", "--json").stdout)
    assert [row["what"] for row in rows] == [
        f"2 × {LOT} at Rp250.000",
        "1 × KTI at Rp250.000",
        "void of a sale",
        "count of 1 lots, 1 pieces",
        "closing",
    ]
    stock = json.loads(run(tmp_path, "stock", "--json").stdout)["stock"]
    assert [(row["at booth"], row["this till"], row["sold"]) for row in stock] == [(3, 0, 2), (3, 0, 2)]
    assert "KTI" in run(tmp_path, "stock").stdout
