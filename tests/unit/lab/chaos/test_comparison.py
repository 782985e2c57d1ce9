"""The documents of production and sales against the acknowledged records, with one difference in each test."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any, TypeAlias

import pytest

from lab.chaos.comparison import FIELDS, Comparison
from lab.chaos.expected import AcknowledgedRecord, ExpectedState, OrderedVoid
from services.production.domain.entities import Lot, ReportKind, ReportOutcome, TerminalReport
from services.production.store import LOTS, REPORTS
from services.sales.domain import Booth, Receipt
from services.sales.domain.drawer import Drawer, Taking
from services.sales.domain.receipt import Part, Sale, entity_id
from services.sales.store import BOOTHS, RECEIPTS
from shared.events.language import Body, Topic
from shared.events.production import TERMINAL, ProductionCorrected, ProductionReported, RecallLot
from shared.events.sales import (
    TILL,
    BoothCounted,
    CashCounted,
    CashDropped,
    DrawerOpened,
    PartBasis,
    Payment,
    PaymentKind,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    TillClosed,
    VoidedLine,
)
from shared.runtime.processor import Collection

Database: TypeAlias = dict[str, dict[str, dict[str, Any]]]

AT = datetime(2026, 4, 18, 4, 0, tzinfo=UTC)
ON = date(2026, 4, 1)
PLACE = {"facility": "LP-KPG", "terminal": "T1"}
DESK = {"booth": "F.B1", "till": "T1", "device": "D1"}
PRICE = 5_000


def a_receipt(seq: int, *pieces: int, **changed: Any) -> ReceiptIssued:
    lines = tuple(
        ReceiptLine(line=line, product="KKG", qty=qty, unit_price_rupiah=PRICE) for line, qty in enumerate(pieces, 1)
    )
    paid = {"lines": lines, "payment": Payment(kind=PaymentKind.CASH), "drawer": "opened", "sold_at": AT}
    return ReceiptIssued(**{**DESK, "seq": seq} | paid | changed)


def a_void(seq: int, receipt: str, qty: int, line: int = 1, **changed: Any) -> ReceiptVoided:
    defaults = {"receipt": receipt, "lines": (VoidedLine(line=line, qty=qty),), "voided_at": AT}
    return ReceiptVoided(**{**DESK, "seq": seq} | defaults | changed)


RECORDS: tuple[tuple[Topic, str, Body], ...] = (
    (TERMINAL, "made", ProductionReported(**PLACE, product="KKG", qty=40, made_on=ON)),
    (TERMINAL, "refused", ProductionReported(**PLACE, product="XYZ", qty=7, made_on=ON)),
    (TERMINAL, "corrected", ProductionCorrected(**PLACE, lot="L1", change=-2)),
    (TERMINAL, "not corrected", ProductionCorrected(**PLACE, lot="L1", change=-9999)),
    (TERMINAL, "recalled", RecallLot(**PLACE, lot="L1")),
    (TILL, "opened", DrawerOpened(**DESK, seq=1, cashier="K1", float_rupiah=900, opened_at=AT)),
    (TILL, "sold", a_receipt(2, 3, 4)),
    (TILL, "back", a_receipt(3, 5, drawer=None)),
    (TILL, "void", a_void(4, "back", 5)),
    (TILL, "void of too many", a_void(5, "sold", 4)),
    (TILL, "void of some", a_void(6, "sold", 1, line=2)),
    (TILL, "counted", BoothCounted(**DESK, seq=7, counted_at=AT)),
    (TILL, "dropped", CashDropped(**DESK, seq=8, drawer="opened", rupiah=70, dropped_at=AT)),
    (
        TILL,
        "cash",
        CashCounted(**DESK, seq=9, drawer="opened", counted_rupiah=99, expected_rupiah=1, counted_at=AT),
    ),
    (TILL, "closed", TillClosed(**DESK, seq=10, last_seq=10)),
    # Another device goes on from a copy of the spool that was made after record 9.
    (TILL, "closed too", TillClosed(**DESK, seq=10, last_seq=10)),
)


def expected(records: Iterable[tuple[Topic, str, Body]] = RECORDS) -> ExpectedState:
    state = ExpectedState()
    for topic, id, body in records:
        state.add_record(AcknowledgedRecord("source", id, topic, b"digest", body))
    return state


def a_report(id: str, kind: ReportKind, outcome: ReportOutcome, change: int | None = None) -> TerminalReport:
    return TerminalReport(id, "source", "LP-KPG", "T1", kind, outcome, AT, lot="L1", change=change)


def a_sale(line: int, qty: int, voided: int) -> Sale:
    parts = (Part("L1", "LP-KPG", qty - voided, PartBasis.SHARE),) if qty > voided else ()
    return Sale(line, None, "KKG", qty, PRICE, qty * PRICE, parts=parts, voided=voided)


def kept_receipt(id: str, drawer: str, *sales: Sale) -> Receipt:
    kind = PaymentKind.CASH
    return Receipt(entity_id("F.B1", id), id, "F.B1", 1, "T1", "D1", 1, drawer, kind, 0, 0, AT, sales)


def documents(collection: Collection[Any], *entities: Any) -> dict[str, dict[str, Any]]:
    return {entity.id: {"_id": entity.id, **collection.to_document(entity)} for entity in entities}


def a_database() -> Database:
    """The documents that the services keep of these records."""
    return {
        "reports": documents(
            REPORTS,
            a_report("made", ReportKind.PRODUCTION, ReportOutcome.ACCEPTED),
            a_report("refused", ReportKind.PRODUCTION, ReportOutcome.REJECTED),
            a_report("corrected", ReportKind.CORRECTION, ReportOutcome.ACCEPTED, -2),
            a_report("not corrected", ReportKind.CORRECTION, ReportOutcome.REJECTED),
            a_report("recalled", ReportKind.RECALL, ReportOutcome.ACCEPTED),
        ),
        "lots": documents(LOTS, Lot("L1", "LP-KPG", "KKG", "food", 40, ON, None, None, "made", AT)),
        "receipts": documents(
            RECEIPTS,
            kept_receipt("sold", "opened", a_sale(1, 3, 0), a_sale(2, 4, 1)),
            kept_receipt("back", "D1", a_sale(1, 5, 5)),
        ),
        "booths": with_devices(
            documents(
                BOOTHS,
                Booth(
                    "F.B1",
                    drawers=(
                        Drawer(
                            "opened",
                            "T1",
                            "D1",
                            float_rupiah=900,
                            dropped_rupiah=70,
                            counted_rupiah=99,
                            takings=(Taking(0, PaymentKind.CASH, 1, 7 * PRICE),),
                        ),
                        Drawer("D1", "T1", "D1", takings=(Taking(0, PaymentKind.CASH, 1, 5 * PRICE),)),
                    ),
                ),
            )
        ),
    }


def with_devices(booths: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same, with a device whose spool was copied after record 9."""
    branches = [{"seen": [[1, 10]], "last_seq": 10}, {"seen": [[10, 10]], "last_seq": 10}]
    booths["F.B1"]["devices"] = [{"device": "D1", "till": "T1", "branches": branches}]
    return booths


def differences(state: ExpectedState, database: Database) -> tuple[list[str], list[str], list[str]]:
    comparison = Comparison(state)
    for (_, name), fields in FIELDS.items():
        # As the projection of the query returns them.
        projected = ({field: document[field] for field in ("_id", *fields)} for document in database[name].values())
        comparison.add_documents(name, projected)
    comparison.finish()
    return comparison.lost, comparison.doubled, comparison.mismatched


def test_all_that_was_said_is_kept_once() -> None:
    assert differences(expected(), a_database()) == ([], [], [])


def test_the_order_in_which_records_are_heard_changes_nothing() -> None:
    tills = [record for record in RECORDS if isinstance(record[2], ReceiptIssued | ReceiptVoided | TillClosed)]
    first = expected(tills)
    for records in permutations(tills):
        state = expected(records)
        assert (state.sums, state.drawers, state.devices) == (first.sums, first.drawers, first.devices)


def test_a_record_that_two_spools_have_is_one() -> None:
    assert differences(expected([*RECORDS, *RECORDS]), a_database()) == ([], [], [])


def test_what_an_organiser_voided_does_not_stand_either() -> None:
    state = expected()
    state.add_void(OrderedVoid("F.B1", "sold", 1, 3))
    assert differences(state, a_database())[2] == [
        "0 pieces of line 1 of receipt sold of F.B1 are voided, but 3 were ordered"
    ]


def test_sums_are_of_each_facility_and_each_booth() -> None:
    assert expected().sums == {
        ("LP-KPG", "production reports"): 2,
        ("LP-KPG", "pieces reported"): 47,
        ("LP-KPG", "correction reports"): 2,
        ("LP-KPG", "recall reports"): 1,
        ("F.B1", "receipts"): 2,
        ("F.B1", "sales"): 3,
        ("F.B1", "pieces sold"): 12,
        ("F.B1", "rupiah"): 12 * PRICE,
        ("F.B1", "pieces voided"): 6,
    }


def test_a_void_of_a_receipt_that_never_came_voids_nothing() -> None:
    state = expected([*RECORDS, (TILL, "early", a_void(11, "elsewhere", 1))])
    database = a_database()
    first = database["booths"]["F.B1"]["devices"][0]["branches"][0]
    first["seen"] = [[1, 11]]
    assert differences(state, database) == ([], [], [])


Break: TypeAlias = Callable[[Database], None]


def removal(collection: str, id: str) -> Break:
    def remove(database: Database) -> None:
        del database[collection][id]

    return remove


def changed(collection: str, id: str, **fields: Any) -> Break:
    return lambda database: database[collection][id].update(fields)


def copying(collection: str, id: str, **fields: Any) -> Break:
    def copy(database: Database) -> None:
        database[collection]["copy"] = {**deepcopy(database[collection][id]), "_id": "copy", **fields}

    return copy


def branch(number: int, **fields: Any) -> Break:
    return lambda database: database["booths"]["F.B1"]["devices"][0]["branches"][number].update(fields)


def drawer(**fields: Any) -> Break:
    return lambda database: database["booths"]["F.B1"]["drawers"][0].update(fields)


def sale(**fields: Any) -> Break:
    return lambda database: database["receipts"]["F.B1 sold"]["sales"][0].update(fields)


LOST, DOUBLED, MISMATCHED = range(3)


@pytest.mark.parametrize(
    ("broken", "where", "sentence"),
    [
        (removal("reports", "refused"), LOST, "production does not keep report refused of LP-KPG"),
        (removal("reports", "refused"), LOST, "LP-KPG: 47 pieces reported were acknowledged, 40 are kept"),
        (removal("reports", "recalled"), LOST, "LP-KPG: 1 recall reports were acknowledged, 0 are kept"),
        (removal("lots", "L1"), LOST, "production accepted report made, but keeps no lot of it"),
        (removal("receipts", "F.B1 sold"), LOST, "sales does not keep receipt sold of F.B1"),
        (removal("receipts", "F.B1 sold"), LOST, "F.B1: 12 pieces sold were acknowledged, 5 are kept"),
        (removal("booths", "F.B1"), LOST, "sales never received device D1 of F.B1"),
        (removal("booths", "F.B1"), LOST, "sales does not keep drawer opened of F.B1"),
        (branch(0, seen=[[1, 2], [5, 10]]), LOST, "sales never received 2 records (3, 4) of device D1 of F.B1"),
        # The other branch has the number as well, but only once.
        (branch(1, seen=[]), LOST, "sales never received 1 record (10) of device D1 of F.B1"),
        (
            copying("reports", "refused"),
            DOUBLED,
            "production keeps report copy, which no terminal was acknowledged for",
        ),
        (copying("reports", "refused"), DOUBLED, "LP-KPG: 2 production reports were acknowledged, 3 are kept"),
        (
            copying("lots", "L1"),
            DOUBLED,
            "production keeps lot copy of report made, which has another or was not accepted",
        ),
        (copying("lots", "L1"), DOUBLED, "LP-KPG: 47 pieces reported were acknowledged, 87 are kept"),
        (copying("receipts", "F.B1 sold"), DOUBLED, "sales keeps receipt sold of F.B1 twice"),
        (
            copying("receipts", "F.B1 sold", booth="F.B2"),
            DOUBLED,
            "sales keeps receipt sold of F.B2, which no till was acknowledged for",
        ),
        (
            branch(0, seen=[[1, 11]]),
            DOUBLED,
            "sales received 1 record (11) of device D1 of F.B1, which was acknowledged for fewer",
        ),
        (
            changed("reports", "made", facility="PR-KPG"),
            MISMATCHED,
            "production keeps report made as production of 40 by PR-KPG T1, "
            "but production of 40 by LP-KPG T1 was acknowledged",
        ),
        (
            changed("reports", "corrected", change=-3),
            MISMATCHED,
            "production keeps report corrected as correction of -3 by LP-KPG T1, "
            "but correction of -2 by LP-KPG T1 was acknowledged",
        ),
        (
            changed("lots", "L1", qty=41),
            MISMATCHED,
            "lot L1 holds 41 pieces, but its report made was acknowledged with 40",
        ),
        (
            sale(qty=4),
            MISMATCHED,
            "sales keeps receipt sold of F.B1 as ExpectedReceipt(till='T1', device='D1', lines=("
            "ExpectedLine(lot=None, product='KKG', qty=4, price_rupiah=5000, net_rupiah=15000), "
            "ExpectedLine(lot=None, product='KKG', qty=4, price_rupiah=5000, net_rupiah=20000))), but "
            "ExpectedReceipt(till='T1', device='D1', lines=("
            "ExpectedLine(lot=None, product='KKG', qty=3, price_rupiah=5000, net_rupiah=15000), "
            "ExpectedLine(lot=None, product='KKG', qty=4, price_rupiah=5000, net_rupiah=20000))) was acknowledged",
        ),
        (sale(waiting=1), MISMATCHED, "line 1 of receipt sold of F.B1 has 3 pieces, its parts 4"),
        (sale(voided=1), MISMATCHED, "1 pieces of line 1 of receipt sold of F.B1 are voided, but 0 were ordered"),
        (
            branch(1, last_seq=9),
            MISMATCHED,
            "the last records of device D1 of F.B1 are [10, 10], but sales takes [9, 10] for them",
        ),
        (
            drawer(dropped_rupiah=0),
            MISMATCHED,
            "sales keeps drawer opened of F.B1 as (float, dropped, receipts, taken, paid back) "
            "(900, 0, 1, 35000, 0), but (900, 70, 1, 35000, 0) was acknowledged",
        ),
        (
            drawer(counted_rupiah=98),
            MISMATCHED,
            "drawer opened of F.B1 was counted with 98, but [99] was acknowledged",
        ),
    ],
)
def test_what_is_kept_otherwise_is_expected(broken: Break, where: int, sentence: str) -> None:
    database = a_database()
    broken(database)
    assert sentence in differences(expected(), database)[where]


@pytest.mark.parametrize("place", ["waiting", "disputed", "rejected"])
def test_whatever_became_of_a_sale_it_is_kept(place: str) -> None:
    database = a_database()
    sale(**{"parts": [], place: 3})(database)
    assert differences(expected(), database) == ([], [], [])
