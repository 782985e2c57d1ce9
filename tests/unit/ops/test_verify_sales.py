"""What `verify` makes of sales: right as they are told and kept, and wrong as soon as one of the two is changed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from ops.verify.evidence import Evidence
from ops.verify.topic_evidence import PublishedEvent
from services.sales.domain import Booth, FacilityFeed, Receipt, Settlement
from services.sales.domain.booth import BoothStatus, LotSum, with_lot, with_pool
from services.sales.domain.receipt import Sale
from shared.events.festival import DisputeOutcome, DisputeResolved, TillStruck, VoidOrdered
from shared.events.language import Body
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    AdjustmentCause,
    AdjustmentPublished,
    CashCounted,
    CashDropped,
    DrawerOpened,
    LotShare,
    PartBasis,
    Payment,
    PaymentKind,
    SaleAccounted,
    SalePublished,
    SaleShared,
    TillRecord,
    VoidRefused,
)
from tests.support.builders.sales import (
    B1,
    NOON,
    ODOP,
    a_closing,
    a_count,
    a_last_word,
    a_line,
    a_receipt,
    a_sale,
    a_stocking,
    a_void,
    an_opening,
    record_id,
)
from tests.support.witness import Witness, broken, notes, with_entity, without

pytestmark = pytest.mark.unit

D1, D2 = f"{B1}-T1", f"{B1}-T2"
LATER = NOON + timedelta(hours=2)
A, B, C = (str(LotNumber(place, "KTI", date(2023, 4, 1), 1)) for place in ("LA-KPG", "LB-KPG", "LC-KPG"))
QRIS = Payment(kind=PaymentKind.QRIS)
# Two of 7 pieces, then one: the rounding of a void falls on another till than that of the first.
UNEVEN = {"unit_price_rupiah": 10_001, "discount_rupiah": 5}


def after(seq: int) -> dict[str, Any]:
    """Where a record of T1 stands."""
    return {"seq": seq, "previous": record_id(D1, seq - 1)}


def played_world() -> Witness:
    """A booth of two facilities: labelled and unlabelled sales, a basket, voids of every kind, a drawer, a final
    count, a dispute accepted with a lot named, one rejected, and one that stays."""
    world = Witness()
    drawer = {"booth": B1, "till": "T1", "device": D1}
    world.give(
        an_opening(),
        a_stocking(A, 10, facility="LA-KPG"),
        a_stocking(B, 10, facility="LB-KPG", made_on=date(2023, 4, 2)),
        DrawerOpened(**drawer, seq=1, cashier="c.1", float_rupiah=50_000, opened_at=NOON),
        a_receipt(2, a_line(A, 3), a_line(None, 7, 2, **UNEVEN), discount_rupiah=7, drawer=record_id(D1, 1)),
        a_void(record_id(D1, 2), seq=1, till="T2", qty=2, line=2),
        a_void(record_id(D1, 2), seq=3, qty=1, line=2, voided_at=LATER, drawer=record_id(D1, 1)),
        a_void(record_id(D1, 2), seq=4, qty=9, line=2),
        VoidOrdered(booth=B1, receipt=record_id(D1, 2), line=1, qty=1),
        a_void(record_id(D1, 6), seq=2, till="T2", qty=1),
        a_void("never-heard", seq=3, till="T2", qty=1),
        CashDropped(**drawer, **after(5), drawer=record_id(D1, 1), rupiah=20_000, dropped_at=LATER),
        a_sale(6, B, 2, payment=QRIS),
        a_sale(7, None, 4, sold_at=LATER),
        CashCounted(
            **drawer, **after(8), drawer=record_id(D1, 1), counted_rupiah=9, expected_rupiah=9, counted_at=LATER
        ),
        a_count(4, till="T2", at=NOON + timedelta(hours=1), **{A: 3, B: 5}),
        *(a_sale(seq, "L9", 20) for seq in (9, 10, 11)),
        a_last_word(12),
        a_last_word(5, till="T2"),
        a_closing(),
    )
    sold_beyond = [f"{record_id(D1, seq)}/1" for seq in (9, 10)]
    world.give(
        DisputeResolved(booth=B1, sale=sold_beyond[0], outcome=DisputeOutcome.ACCEPTED, lot=C),
        DisputeResolved(booth=B1, sale=sold_beyond[1], outcome=DisputeOutcome.REJECTED),
    )
    return world


def fresh() -> Evidence:
    return played_world().evidence()


def test_what_sales_keeps_and_tells_of_a_booth_adds_up() -> None:
    evidence = fresh()
    assert broken(evidence) == {}
    # Two of these voids were paid back all the same: one too many, one of a receipt that nobody knows.
    early, paid = notes(evidence)["voids"]
    assert early == f"a void at {B1} waits for receipt never-heard, which never came"
    assert paid == f"tills of {B1} paid back Rp140.014, its voids return Rp40.000"
    [booth] = evidence.of(Booth).values()
    parts = {part.basis for receipt in evidence.of(Receipt).values() for sale in receipt.sales for part in sale.parts}
    assert parts == set(PartBasis), "each kind of part was looked at"
    assert any(pool.adjusted for pool in booth.pools)
    assert booth.disputed
    assert any(hour.refunded_rupiah for drawer in booth.drawers for hour in drawer.takings)


# --- what is changed behind the service's back

Change = Callable[[Evidence], Evidence]


def of_booth(change: Callable[[Booth], Booth]) -> Change:
    return lambda evidence: with_entity(evidence, Booth, change)


def of_lot(lot: str, **fields: Any) -> Change:
    """The lot with so many more in these fields."""

    def change(booth: Booth) -> Booth:
        booth_lot = booth.find_lot(lot)
        assert booth_lot is not None
        return with_lot(booth, increased(booth_lot, fields))

    return of_booth(change)


def of_pool(**fields: Any) -> Change:
    return of_booth(lambda booth: with_pool(booth, increased(booth.pools[0], fields)))


def increased(of: Any, fields: dict[str, int]) -> Any:
    return replace(of, **{name: getattr(of, name) + plus for name, plus in fields.items()})


def of_sale(seq: int, change: Callable[[Sale], Sale], line: int = 1) -> Change:
    """The sale of this line of the receipt that T1 issued as record `seq`."""
    id = f"{B1} {record_id(D1, seq)}"
    return lambda evidence: with_entity(
        evidence, Receipt, lambda receipt: receipt.with_sale(change(receipt.sales[line - 1])), id
    )


def of_drawer(**fields: Any) -> Change:
    def change(booth: Booth) -> Booth:
        return replace(booth, drawers=(replace(booth.drawers[0], **fields), *booth.drawers[1:]))

    return of_booth(change)


def pay_part_twice(sale: Sale) -> Sale:
    part = sale.parts[0]
    return replace(sale, parts=(*sale.parts, part))


def clear_names(evidence: Evidence) -> Evidence:
    evidence.published.tills.named.clear()
    return evidence


def drop_device_run(booth: Booth) -> Booth:
    first = booth.devices[0]
    [run] = first.branches[0].runs
    branch = replace(first.branches[0], runs=(run._replace(last=3), run._replace(first=5)))
    return replace(booth, devices=(replace(first, branches=(branch,)), *booth.devices[1:]))


def hide_record(booth: Booth) -> Booth:
    """Two records of one number, and only one of them known."""
    return replace(booth, devices=booth.devices[:1])


def a_drawer_lost(booth: Booth) -> Booth:
    return replace(booth, drawers=booth.drawers[1:])


def shared_by_age(booth: Booth) -> Booth:
    """As if the oldest lot had sold all that was unlabelled."""
    pool = booth.pools[0]
    old, new, *newer_lots = booth.lots
    return replace(
        booth,
        lots=(
            replace(old, pool_qty=pool.qty, pool_rupiah=pool.rupiah),
            replace(new, pool_qty=0, pool_rupiah=0),
            *newer_lots,
        ),
    )


WRONG: list[tuple[str, Change, str]] = [
    ("reported sales", lambda evidence: without(evidence, Receipt), "was reported by T1, but sales does not have it"),
    ("reported sales", of_sale(6, lambda sale: replace(sale, net_rupiah=1)), "differs from every report of it"),
    ("reported sales", of_sale(6, lambda sale: replace(sale, lot=A)), "differs from every report of it"),
    (
        "reported sales",
        lambda evidence: with_entity(evidence, Receipt, lambda entity: replace(entity, seq=99)),
        "differs from every report of it",
    ),
    (
        "reported sales",
        lambda evidence: with_entity(evidence, Receipt, lambda entity: replace(entity, number=99)),
        "their numbers have gaps",
    ),
    (
        "reported sales",
        of_booth(lambda booth: replace(booth, waiting=("x",))),
        "disputed, by its receipts",
    ),
    ("reported sales", of_booth(lambda booth: replace(booth, disputed=())), "disputed, by its receipts"),
    ("reported sales", of_sale(11, lambda sale: replace(sale, disputed=0, waiting=sale.disputed)), "still waits"),
    ("sales in parts", of_sale(6, pay_part_twice), "pieces, but its parts"),
    ("sales in parts", of_sale(6, lambda sale: replace(sale, voided=0)), "pieces, but its parts"),
    ("sales in parts", of_sale(6, lambda sale: replace(sale, voided=-1, rejected=2)), "waiting, disputed, rejected"),
    ("sales said", of_sale(6, lambda sale: replace(sale, revision=9)), "revision and times published"),
    (
        "sales said",
        of_sale(2, lambda sale: replace(sale, parts=sale.parts[1:]), 2),
        "differs from its last publication",
    ),
    ("stock sold", of_lot(A, label_qty=1), "sold by label"),
    ("stock sold", of_lot(A, label_rupiah=1), "sold by label"),
    ("stock sold", of_lot(C, named_qty=-1), "named by the organiser"),
    ("stock sold", of_lot(B, after_qty=1), "sold after its final count"),
    ("stock sold", of_lot(A, lost=-1), "below zero"),
    ("stock sold", of_sale(2, pay_part_twice), "sold by label"),
    ("stock sold", of_booth(lambda booth: replace(booth, lots=booth.lots[:1])), "which never held it"),
    ("unlabelled sales", of_pool(qty=-1), "in the pool, by receipts"),
    ("unlabelled sales", of_pool(rupiah=1), "in the pool, by receipts"),
    ("unlabelled sales", of_pool(after_qty=-1), "in the pool, by receipts"),
    ("unlabelled sales", of_booth(shared_by_age), "but the rule shares"),
    ("unlabelled sales", of_lot(A, pool_rupiah=1), "but the rule shares"),
    ("unlabelled sales", of_booth(lambda booth: replace(booth, pools=())), "there is no pool of it"),
    (
        "unlabelled sales",
        of_booth(lambda booth: with_pool(booth, replace(booth.pools[0], adjusted=(LotSum(A, 1, 1),)))),
        "adjusted in sum, not",
    ),
    (
        "unlabelled sales",
        of_booth(lambda booth: with_pool(booth, replace(booth.pools[0], from_sales=booth.pools[0].from_sales[1:]))),
        "published by lot, by the parts of sales",
    ),
    ("credited", of_lot(A, label_qty=9), "LA-KPG is credited with"),
    ("credited", of_lot(B, stocked=-7), "LB-KPG is credited with"),
    ("credited", clear_names, "which the organiser did not name"),
    ("voids", of_booth(lambda booth: replace(booth, early_voids=())), "not carried out, but refused or early"),
    ("cash", of_sale(6, lambda sale: replace(sale, net_rupiah=sale.net_rupiah + 1)), "by receipts and voids"),
    ("cash", of_drawer(takings=()), "by receipts and voids"),
    ("cash", of_drawer(float_rupiah=0), "float, drops or count"),
    ("cash", of_drawer(cashier="c.2"), "float, drops or count"),
    ("cash", of_drawer(dropped_rupiah=0), "float, drops or count"),
    ("cash", of_drawer(counted_rupiah=None), "float, drops or count"),
    ("cash", of_booth(a_drawer_lost), "was reported, but sales does not have it"),
    ("devices", of_booth(drop_device_run), "records known, in the topic"),
    ("devices", of_booth(hide_record), "but the booth does not know it"),
    ("shares", of_sale(2, lambda sale: replace(sale, parts=sale.parts[1:]), 2), "published, kept is"),
    ("shares", of_booth(lambda booth: with_pool(booth, replace(booth.pools[0], adjusted=()))), "by lot as published"),
    ("settlements", of_sale(2, pay_part_twice), "by all published changes"),
    (
        "settlements",
        lambda evidence: with_entity(
            evidence,
            Settlement,
            lambda entity: replace(entity, booths=(increased(entity.booths[0], {"sold_rupiah": 1}),)),
        ),
        "settled, by recorded sales",
    ),
    (
        "settlements",
        lambda evidence: with_entity(
            evidence,
            Settlement,
            lambda entity: replace(
                entity,
                booths=(replace(entity.booths[0], pools=(replace(entity.booths[0].pools[0], counted=False),)),),
            ),
        ),
        "provisional ones, by the booth itself",
    ),
    ("settlements", lambda evidence: without(evidence, Settlement), "there is no settlement"),
    (
        "settlements said",
        lambda evidence: with_entity(evidence, Settlement, lambda entity: replace(entity, revision=9)),
        "revision",
    ),
    (
        "public stream",
        lambda evidence: with_entity(
            evidence, FacilityFeed, lambda entity: replace(entity, sequence=entity.sequence + 1)
        ),
        "these numbers are not used once",
    ),
    ("demand", of_sale(2, pay_part_twice), "sold, by recorded sales"),
]


@pytest.mark.parametrize(("name", "change", "sentence"), WRONG)
def test_what_is_changed_in_what_is_kept_is_found(name: str, change: Change, sentence: str) -> None:
    sentences = broken(change(fresh()))
    assert name in sentences, sentences
    assert any(sentence in broken_sentence for broken_sentence in sentences[name]), sentences[name]


# --- what was said otherwise


def share(**changed: Any) -> SaleShared:
    fields: dict[str, Any] = {
        "facility": "LA-KPG",
        "festival": ODOP,
        "booth": B1,
        "sale": "x/1",
        "product": "KTI",
        "revision": 1,
        "lots": (LotShare(lot=A, qty=1, amount_rupiah=5),),
        "qty": 1,
        "amount_rupiah": 5,
        "change_qty": 1,
        "change_rupiah": 5,
        "pooled_change_qty": 0,
        "pooled_change_rupiah": 0,
        "sold_at": NOON,
    }
    return SaleShared(**fields | changed)


def a_publication(**changed: Any) -> SalePublished:
    fields: dict[str, Any] = {
        "sale": "x",
        "facility": "LA-KPG",
        "festival": ODOP,
        "product": "KTI",
        "revision": 1,
        "sequence": 1,
        "lots": (),
        "qty": 0,
        "amount_rupiah": 0,
        "sold_at": NOON,
    }
    return SalePublished(**fields | changed)


def an_accounted_sale(world: Witness, **changed: Any) -> SaleAccounted:
    return world.bodies(SaleAccounted)[0].model_copy(update=changed)


def a_public_adjustment() -> AdjustmentPublished:
    return AdjustmentPublished(
        adjustment="x",
        facility="LA-KPG",
        festival=ODOP,
        product="KTI",
        revision=1,
        sequence=99,
        cause=AdjustmentCause.COUNT,
        counted=True,
        lots=(),
        qty=0,
        amount_rupiah=0,
    )


@pytest.mark.parametrize(
    ("name", "say", "sentence"),
    [
        ("sales said", lambda world: an_accounted_sale(world, revision=7), "revision and times published"),
        ("sales said", an_accounted_sale, "revision and times published"),
        (
            "sales said",
            lambda world: an_accounted_sale(world, sale="x/1"),
            "was published, but sales does not have it",
        ),
        (
            "sales said",
            lambda world: an_accounted_sale(world, revision=7, open_rupiah=1),
            "open and returned, but net",
        ),
        (
            "voids",
            lambda world: an_accounted_sale(world, sale=f"{record_id(D1, 7)}/1", revision=9, voided=3),
            "no such void",
        ),
        ("voids", lambda _: a_void(record_id(D1, 7), seq=13), "not carried out, but refused or early"),
        ("voids", lambda _: VoidOrdered(booth=B1, receipt=record_id(D1, 7), line=1, qty=1), "not carried out"),
        ("reported sales", lambda _: a_sale(13), "was reported by T1, but sales does not have it"),
        ("devices", lambda _: a_sale(3), "records known, in the topic"),
        ("devices", lambda _: a_last_word(20), "closed with record, in the topic"),
        (
            "cash",
            lambda _: CashDropped(booth=B1, till="T1", device=D1, seq=13, drawer="x", rupiah=1, dropped_at=NOON),
            "was reported, but sales does not have it",
        ),
        ("shares", lambda _: share(), "published, kept is"),
        ("settlements", lambda _: share(), "by all published changes"),
        (
            "settlements",
            lambda _: share(revision=9, sale=f"{record_id(D1, 6)}/1", change_qty=0, change_rupiah=0),
            "by the latest amounts",
        ),
        ("public stream", lambda _: share(), "is shown as None"),
        ("public stream", lambda _: a_publication(), "is shown, but is no sale and no adjustment"),
        ("public stream", lambda _: a_publication(), "these numbers are not used once"),
        ("public stream", lambda _: a_public_adjustment(), "is shown, but is no sale and no adjustment"),
    ],
)
def test_what_was_said_beyond_what_is_kept_is_found(name: str, say: Callable[[Witness], Body], sentence: str) -> None:
    world = played_world()
    evidence = world.evidence()
    publish_unworked(world, say(world))
    sentences = broken(evidence)
    assert name in sentences, sentences
    assert any(sentence in broken_sentence for broken_sentence in sentences[name]), sentences[name]


def publish_unworked(world: Witness, body: Body, more: dict[str, Any] | None = None) -> None:
    """The body is in a topic (with `more` fields), but no service made anything of it."""
    value = json.dumps(body.model_dump(mode="json") | (more or {})).encode()
    world.words.add(PublishedEvent(type(body).__name__, "nobody", "nothing", "", value))


@pytest.mark.parametrize(
    ("body", "more", "sentence"),
    [
        (a_publication(), {"till": "T1"}, "SalePublished x shows till"),
        (a_publication(), {"receipt": "r"}, "SalePublished x shows receipt"),
        (
            a_publication(),
            {"lots": [{"lot": A, "qty": 1, "amount_rupiah": 5, "booth": B1}]},
            "SalePublished x shows booth",
        ),
        (a_public_adjustment(), {"booth": B1}, "AdjustmentPublished x shows booth"),
    ],
)
def test_a_field_that_not_everybody_may_see_is_found(body: Body, more: dict[str, Any], sentence: str) -> None:
    world = Witness()
    publish_unworked(world, body, more)
    assert sentence in broken(world.evidence())["public stream"]


# --- when a booth may be settled


def force_settled(*records: TillRecord, tills: tuple[str, ...] = ("T1", "T2")) -> Evidence:
    """A booth whose last record, by the service's word, settled it."""
    world = Witness()
    world.give(an_opening(tills=tills), a_closing())
    for number, record in enumerate(records):
        world.tell(record, f"record-{number}")
    evidence = world.evidence()
    world.words.settled_by[B1] = f"record-{len(records) - 1}"
    return with_entity(evidence, Booth, lambda booth: replace(booth, status=BoothStatus.SETTLED))


UNFINISHED = f"booth {B1} was settled before its deadline, but not all of its tills were complete"


@pytest.mark.parametrize(
    ("records", "tills"),
    [
        ([a_last_word(1)], ("T1", "T2")),
        ([a_sale(1), a_last_word(3)], ("T1",)),
        ([a_sale(1), a_sale(1, device="D2"), a_last_word(2)], ("T1",)),
        # Somebody goes on from record 1 as well, and has not closed.
        ([a_sale(1), a_sale(2), a_sale(2, previous=record_id(D1, 1)), a_last_word(3)], ("T1",)),
        ([a_sale(1, till="T9"), a_last_word(1)], ("T1",)),
    ],
    ids=["a till never heard", "a record missing", "another device", "a branch", "a till not listed"],
)
def test_a_booth_that_was_settled_before_all_devices_had_said_all_is_found(
    records: list[TillRecord], tills: tuple[str, ...]
) -> None:
    assert UNFINISHED in broken(force_settled(*records, tills=tills))["devices"]


def test_what_comes_after_a_booth_was_settled_does_not_make_it_settled_too_early() -> None:
    world = Witness()
    world.give(an_opening(tills=("T1",)), a_closing(), a_sale(1), a_last_word(2), a_sale(1, device="D2", till="T9"))
    evidence = world.evidence()
    assert broken(evidence) == {}
    assert notes(evidence) == {
        "devices": [f"device D2 of T9 at {B1} was not waited for: it has not closed"],
        "strays": [f"till T9 has records at {B1}, but festival did not name it there"],
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (1, 0, 2)])
def test_a_booth_whose_tills_had_closed_before_it_was_may_be_settled_at_once(order: tuple[int, ...]) -> None:
    world = Witness()
    bodies = (an_opening(tills=("T1",)), a_sale(1), a_last_word(2))
    world.give(*(bodies[place] for place in order), a_closing())
    assert broken(world.evidence()) == {}


def test_a_booth_may_be_settled_without_what_was_struck_or_when_its_deadline_has_passed() -> None:
    struck = Witness()
    struck.give(an_opening(), a_sale(1), a_closing(), a_last_word(1, till="T2"), TillStruck(booth=B1, till="T1"))
    assert struck.booth().status is BoothStatus.SETTLED
    assert broken(struck.evidence()) == {}
    late = Witness()
    late.give(an_opening(), a_sale(1), a_closing())
    late.fire()
    assert broken(late.evidence()) == {}
    assert notes(late.evidence())["devices"] == [f"device {D1} of T1 at {B1} was not waited for: it has not closed"]


def test_a_device_that_is_waited_for_is_told_with_what_is_missing_of_it() -> None:
    world = Witness()
    world.give(an_opening(), a_sale(1), a_sale(5), a_closing())
    assert notes(world.evidence())["devices"] == [f"device {D1} of T1 at {B1} is waited for: records 2–4 are missing"]


def test_a_booth_that_festival_never_opened_is_told() -> None:
    world = Witness()
    world.give(a_sale(1, booth="pasar.b1", till="T3"))
    evidence = world.evidence()
    assert broken(evidence) == {}
    assert notes(evidence) == {"strays": ["booth pasar.b1 was never opened by festival: 1 receipts of T3"]}


# --- voids, whatever their order


def test_each_drawer_paid_what_its_own_till_told() -> None:
    world = Witness()
    world.give(an_opening(), a_stocking(A, 10, facility="LA-KPG"), a_sale(1, A, 3, unit_price_rupiah=10_000))
    world.give(
        a_receipt(2, a_line(A, 3, unit_price_rupiah=3_334, discount_rupiah=2)),
        a_void(record_id(D1, 2), seq=1, till="T2", refund_rupiah=3_334),
        VoidOrdered(booth=B1, receipt=record_id(D1, 2), line=1, qty=1),
        a_void(record_id(D1, 2), seq=3, refund_rupiah=3_333),
    )
    assert broken(world.evidence()) == {}
    refunds = {drawer.id: sum(hour.refunded_rupiah for hour in drawer.takings) for drawer in world.booth().drawers}
    assert refunds == {D1: 3_333, D2: 3_334}
    swapped = {D1: refunds[D2], D2: refunds[D1]}
    drawers = tuple(
        replace(
            drawer,
            takings=tuple(
                replace(hour, refunded_rupiah=swapped[drawer.id] if hour.refunded_rupiah else 0)
                for hour in drawer.takings
            ),
        )
        for drawer in world.booth().drawers
    )
    tampered = with_entity(world.evidence(), Booth, lambda booth: replace(booth, drawers=drawers))
    assert "cash" in broken(tampered)


def test_voids_that_came_before_their_receipt_are_matched_to_what_they_did() -> None:
    world = Witness()
    world.give(
        an_opening(),
        a_void(record_id(D1, 2), seq=1, till="T2", qty=2),
        a_void(record_id(D1, 2), seq=1, qty=1),
        a_void(record_id(D1, 2), seq=2, till="T2", qty=5),
        a_stocking(A, 10, facility="LA-KPG"),
        a_receipt(2, a_line(A, 4, unit_price_rupiah=3_333, discount_rupiah=1)),
    )
    assert len(world.bodies(VoidRefused)) == 1
    assert broken(world.evidence()) == {}
