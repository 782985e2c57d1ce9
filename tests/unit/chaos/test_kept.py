"""What terminals and tills were acknowledged for against what production and sales keep: one thing wrong each."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any, TypeAlias

import pytest

from deploy.chaos.kept import READ, Kept
from deploy.chaos.told import Acknowledged, Told
from services.production.domain.entities import Lot, Outcome, Report, ReportKind
from services.production.store import LOTS, REPORTS
from services.sales.domain import Booth, Sale
from services.sales.domain.booth import TillHeard
from services.sales.domain.sale import SaleStatus, entity_id
from services.sales.store import BOOTHS, SALES
from shared.events.language import Body, Topic
from shared.events.production import TERMINAL, ProductionCorrected, ProductionReported, RecallLot
from shared.events.sales import TILL, BoothCounted, SaleReported, SaleVoided, TillClosed
from shared.family import Collection

Database: TypeAlias = dict[str, dict[str, dict[str, Any]]]

AT = datetime(2026, 4, 18, 4, 0, tzinfo=UTC)
ON = date(2026, 4, 1)
PLACE = {"facility": "LP-KPG", "terminal": "T1"}
DESK = {"booth": "F.B1", "till": "T1"}


def a_sale(seq: int, qty: int) -> SaleReported:
    return SaleReported(**DESK, seq=seq, product="KKG", qty=qty, unit_price_rupiah=5000, sold_at=AT)


def a_void(seq: int, sale: str) -> SaleVoided:
    return SaleVoided(**DESK, seq=seq, sale=sale, voided_at=AT)


SAID: tuple[tuple[Topic, str, Body], ...] = (
    (TERMINAL, "made", ProductionReported(**PLACE, product="KKG", qty=40, made_on=ON)),
    (TERMINAL, "refused", ProductionReported(**PLACE, product="XYZ", qty=7, made_on=ON)),
    (TERMINAL, "corrected", ProductionCorrected(**PLACE, lot="L1", change=-2)),
    (TERMINAL, "not corrected", ProductionCorrected(**PLACE, lot="L1", change=-9999)),
    (TERMINAL, "recalled", RecallLot(**PLACE, lot="L1")),
    (TILL, "sold", a_sale(1, 3)),
    (TILL, "back", a_sale(2, 5)),
    (TILL, "void", a_void(3, "back")),
    (TILL, "void again", a_void(4, "back")),
    (TILL, "counted", BoothCounted(**DESK, seq=5, lots=())),
    (TILL, "closed", TillClosed(**DESK, seq=6, last_seq=6)),
)


def told(said: Iterable[tuple[Topic, str, Body]] = SAID) -> Told:
    model = Told()
    for topic, id, body in said:
        model.hear(Acknowledged("source", id, topic, b"digest", body))
    return model


def a_report(id: str, kind: ReportKind, outcome: Outcome, change: int | None = None) -> Report:
    return Report(id, "source", "LP-KPG", "T1", kind, outcome, AT, lot="L1", change=change)


def kept_sale(id: str, qty: int, status: SaleStatus) -> Sale:
    return Sale(entity_id("F.B1", id), id, "F.B1", "T1", None, "KKG", qty, 5000, AT, status)


def documents(collection: Collection[Any], *entities: Any) -> dict[str, dict[str, Any]]:
    return {entity.id: {"_id": entity.id, **collection.to_document(entity)} for entity in entities}


def a_database() -> Database:
    """As the services would keep what was said."""
    return {
        "reports": documents(
            REPORTS,
            a_report("made", ReportKind.PRODUCTION, Outcome.ACCEPTED),
            a_report("refused", ReportKind.PRODUCTION, Outcome.REJECTED),
            a_report("corrected", ReportKind.CORRECTION, Outcome.ACCEPTED, -2),
            a_report("not corrected", ReportKind.CORRECTION, Outcome.REJECTED),
            a_report("recalled", ReportKind.RECALL, Outcome.ACCEPTED),
        ),
        "lots": documents(LOTS, Lot("L1", "LP-KPG", "KKG", "food", 40, ON, None, None, "made", AT)),
        "sales": documents(SALES, kept_sale("sold", 3, SaleStatus.RECORDED), kept_sale("back", 5, SaleStatus.VOIDED)),
        "booths": documents(BOOTHS, Booth("F.B1", heard=(TillHeard("T1", ((1, 6),), 6),))),
    }


def differences(model: Told, database: Database) -> tuple[list[str], list[str], list[str]]:
    kept = Kept(model)
    for (_, name), fields in READ.items():
        # As the projection would cut them.
        cut = ({field: one[field] for field in ("_id", *fields)} for one in database[name].values())
        kept.look(name, cut)
    kept.close()
    return kept.lost, kept.doubled, kept.torn


def test_all_that_was_said_is_kept_once() -> None:
    assert differences(told(), a_database()) == ([], [], [])


def test_the_order_in_which_records_are_heard_changes_nothing() -> None:
    tills = [one for one in SAID if one[0] is TILL]
    first = told(tills)
    for said in permutations(tills):
        model = told(said)
        assert (model.sums, model.voided, model.tills) == (first.sums, first.voided, first.tills)


def test_sums_are_of_each_facility_and_each_booth() -> None:
    assert told().sums == {
        ("LP-KPG", "production reports"): 2,
        ("LP-KPG", "pieces reported"): 47,
        ("LP-KPG", "correction reports"): 2,
        ("LP-KPG", "recall reports"): 1,
        ("F.B1", "sales"): 2,
        ("F.B1", "pieces sold"): 8,
        ("F.B1", "sales voided"): 1,
    }


def test_a_void_of_a_sale_that_never_came_voids_nothing() -> None:
    model = told([*SAID, (TILL, "early", a_void(7, "elsewhere"))])
    database = a_database()
    database["booths"]["F.B1"]["heard"][0]["seen"] = [[1, 7]]
    assert differences(model, database) == ([], [], [])


Break: TypeAlias = Callable[[Database], None]


def removed(collection: str, id: str) -> Break:
    def remove(database: Database) -> None:
        del database[collection][id]

    return remove


def changed(collection: str, id: str, **fields: Any) -> Break:
    return lambda database: database[collection][id].update(fields)


def copied(collection: str, id: str, **fields: Any) -> Break:
    def copy(database: Database) -> None:
        database[collection]["copy"] = {**deepcopy(database[collection][id]), "_id": "copy", **fields}

    return copy


def heard(**fields: Any) -> Break:
    return lambda database: database["booths"]["F.B1"]["heard"][0].update(fields)


LOST, DOUBLED, TORN = range(3)


@pytest.mark.parametrize(
    ("broken", "where", "sentence"),
    [
        (removed("reports", "refused"), LOST, "production does not keep report refused of LP-KPG"),
        (removed("reports", "refused"), LOST, "LP-KPG: 47 pieces reported were acknowledged, 40 are kept"),
        (removed("reports", "recalled"), LOST, "LP-KPG: 1 recall reports were acknowledged, 0 are kept"),
        (removed("lots", "L1"), LOST, "production accepted report made, but keeps no lot of it"),
        (removed("sales", "F.B1 sold"), LOST, "sales does not keep sale sold of F.B1"),
        (removed("sales", "F.B1 sold"), LOST, "F.B1: 8 pieces sold were acknowledged, 5 are kept"),
        (removed("booths", "F.B1"), LOST, "sales never heard till T1 of F.B1"),
        (heard(seen=[[1, 2], [5, 6]]), LOST, "sales never heard 2 records (3, 4) of till T1 of F.B1"),
        (
            copied("reports", "refused"),
            DOUBLED,
            "production keeps report copy, which no terminal was acknowledged for",
        ),
        (copied("reports", "refused"), DOUBLED, "LP-KPG: 2 production reports were acknowledged, 3 are kept"),
        (
            copied("lots", "L1"),
            DOUBLED,
            "production keeps lot copy of report made, which has another or was not accepted",
        ),
        (copied("lots", "L1"), DOUBLED, "LP-KPG: 47 pieces reported were acknowledged, 87 are kept"),
        (copied("sales", "F.B1 sold"), DOUBLED, "sales keeps sale sold of F.B1 twice"),
        (
            copied("sales", "F.B1 sold", booth="F.B2"),
            DOUBLED,
            "sales keeps sale sold of F.B2, which no till was acknowledged for",
        ),
        (
            heard(seen=[[1, 7]]),
            DOUBLED,
            "sales heard 1 record (7) of till T1 of F.B1, which was acknowledged for fewer",
        ),
        (
            changed("reports", "made", facility="PR-KPG"),
            TORN,
            "production keeps report made as production of 40 by PR-KPG T1, "
            "but production of 40 by LP-KPG T1 was acknowledged",
        ),
        (
            changed("reports", "corrected", change=-3),
            TORN,
            "production keeps report corrected as correction of -3 by LP-KPG T1, "
            "but correction of -2 by LP-KPG T1 was acknowledged",
        ),
        (
            changed("lots", "L1", qty=41),
            TORN,
            "lot L1 holds 41 pieces, but its report made was acknowledged with 40",
        ),
        (
            changed("sales", "F.B1 sold", qty=4),
            TORN,
            "sales keeps sale sold of F.B1 as (till, pieces, price) ('T1', 4, 5000), but ('T1', 3, 5000) was told",
        ),
        (
            changed("sales", "F.B1 back", status="recorded"),
            TORN,
            "sale back of F.B1 was voided by a till, but is recorded",
        ),
        (
            changed("sales", "F.B1 sold", status="voided"),
            TORN,
            "sale sold of F.B1 was not voided by a till, but is voided",
        ),
        (heard(last_seq=5), TORN, "the last record of till T1 of F.B1 is 6, but sales takes 5 for it"),
    ],
)
def test_what_is_kept_otherwise_is_told(broken: Break, where: int, sentence: str) -> None:
    database = a_database()
    broken(database)
    assert sentence in differences(told(), database)[where]


@pytest.mark.parametrize("status", list(SaleStatus))
def test_whatever_became_of_a_sale_it_is_kept(status: SaleStatus) -> None:
    database = a_database()
    database["sales"]["F.B1 sold"]["status"] = status.value
    lost, _, torn = differences(told(), database)
    assert lost == []
    assert bool(torn) is (status is SaleStatus.VOIDED)
