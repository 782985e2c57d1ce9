"""Booths: what festival counted in and what sales can sell, what was sold and how each reported sale ended."""

from collections import defaultdict
from collections.abc import Iterator
from typing import cast

from deploy.verify.evidence import Evidence
from deploy.verify.heard import Sum, Told
from deploy.verify.report import Check
from services.festival.domain import Booth as FestivalBooth
from services.festival.domain import BoothPace
from services.inventory.domain import Lot
from services.sales.domain.booth import Booth, BoothStatus
from services.sales.domain.sale import Sale, SaleStatus, entity_id, sale_id
from shared.events.language import Event

# What the stream must have said of a sale, by what became of it: recorded, disputed, voided.
_SAID = {
    SaleStatus.WAITING: ((0, 0, 0),),
    SaleStatus.RECORDED: ((1, 0, 0), (1, 1, 0)),
    SaleStatus.DISPUTED: ((0, 1, 0),),
    SaleStatus.REJECTED: ((0, 1, 0),),
    SaleStatus.VOIDED: ((0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
}


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about booths and single sales."""
    yield booth_stock(evidence)
    yield sell_through(evidence)
    yield sold_so_far(evidence)
    yield booth_balance(evidence)
    yield credited(evidence)
    yield reported_sales(evidence)
    yield sales_answered(evidence)
    yield withdrawn(evidence)


def booth_stock(evidence: Evidence) -> Check:
    """What festival counted in, lost and moved at a booth is what sales can sell there."""
    check = Check(
        "booth stock",
        "received, lost and moved away at each booth: the same by festival and by sales; prices and tills too",
    )
    selling = evidence.of(Booth)
    for booth in evidence.of(FestivalBooth).values():
        there = selling.get(booth.id)
        if there is None:
            check.expect(False, f"booth {booth.id} is open, but sales does not know it")
            continue
        check.same(
            f"booth {booth.id}",
            (booth.status.value, booth.tills, [(tag.product, tag.price_rupiah) for tag in booth.prices]),
            (there.status.value, there.tills, [(tag.product, tag.price_rupiah) for tag in there.prices]),
            "by festival, by sales",
        )
        come = {
            lot.lot: (lot.received, lot.recorded_lost, lot.moved_out, lot.withdrawn)
            for lot in booth.lots
            if lot.received
        }
        here = {
            lot.lot: (lot.stocked, lot.lost, lot.moved, lot.withdrawn)
            for lot in there.lots
            if lot.stocked or lot.lost or lot.moved
        }
        for lot in sorted(come.keys() | here.keys()):
            check.same(
                f"lot {lot} at {booth.id}",
                come.get(lot),
                here.get(lot),
                "received, lost, moved, withdrawn by festival, by sales",
            )
    opened = {id for id, booth in selling.items() if booth.status is not BoothStatus.UNKNOWN}
    for id in sorted(opened - evidence.of(FestivalBooth).keys()):
        check.expect(False, f"booth {id} is open for sales, but festival has none")
    return check


def sell_through(evidence: Evidence) -> Check:
    """What festival believes to be sold at settled booths is what sales last said, and what sales knows now."""
    check = Check("sell-through", "sold and disputed at settled booths: the same by sales, as said and by festival")
    festival = evidence.of(FestivalBooth)
    for booth in evidence.of(Booth).values():
        said = evidence.heard.sell_through.get(booth.id)
        if booth.status is not BoothStatus.SETTLED:
            check.expect(said is None, f"booth {booth.id} is not settled, but its sell-through was said")
            continue
        if said is None or booth.id not in festival:
            check.expect(False, f"booth {booth.id} is settled, but festival was not told what it sold")
            continue
        sold = {lot.lot: lot.sold for lot in booth.lots if lot.sold}
        here = (booth.revision, sold, booth.disputed[: len(said["disputed"])])
        lots = {lot["lot"]: lot["sold"] for lot in said["lots"] if lot["sold"]}
        check.same(f"booth {booth.id}", here, (said["revision"], lots, tuple(said["disputed"])), "kept, but said was")
        theirs = festival[booth.id]
        check.same(
            f"booth {booth.id}",
            (theirs.revision, dict(theirs.sold), theirs.disputed),
            (said["revision"], lots, tuple(said["disputed"])),
            "by festival, but said was",
        )
    return check


def sold_so_far(evidence: Evidence) -> Check:
    """What festival believes an open booth to have sold is what sales said last."""
    check = Check("sold so far", "what was said of open booths: as often as sales knows, and as festival keeps it")
    paces = dict(evidence.of(BoothPace))
    for booth in evidence.of(Booth).values():
        said, pace = evidence.heard.so_far.get(booth.id), paces.pop(booth.id, None)
        check.same(
            f"booth {booth.id}", booth.so_far.revision, said["revision"] if said else 0, "times told, but said was"
        )
        lots = {lot["lot"]: lot["sold"] for lot in said["lots"]} if said else {}
        check.same(f"booth {booth.id}", dict(pace.sold) if pace else {}, lots, "by festival, but said was")
    for id in sorted(paces):
        check.wrong(f"festival knows what booth {id} sold, but sales does not know the booth")
    return check


def booth_balance(evidence: Evidence) -> Check:
    """By lot at each booth: what is sold is the sum of its recorded sales."""
    check = Check("stock sold", "at each booth, per lot: sold = the recorded sales, in pieces and rupiah")
    sums = _recorded(evidence)
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            pair, what = (booth.id, lot.lot), f"lot {lot.lot} at {booth.id}"
            sales = sums.pop(pair, Sum())
            check.same(
                what, (lot.sold, lot.sold_rupiah), (sales.qty, sales.rupiah), "sold, but its recorded sales sum to"
            )
            if min(lot.stocked, lot.sold, lot.lost, lot.moved) < 0:
                check.wrong(f"{what}: stocked {lot.stocked}, sold {lot.sold}, lost {lot.lost}, moved {lot.moved}")
    for (booth_id, lot_id), sales in sorted(sums.items()):
        check.expect(False, f"{sales.qty} of lot {lot_id} are recorded as sold at {booth_id}, which never held it")
    return check


def credited(evidence: Evidence) -> Check:
    """An accepted dispute is no exception: whoever sent 5 pieces is owed for 5 at most, and the rest is another's."""
    check = Check("credited", "no facility is credited with more of a lot at a booth than came there")
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            check.expect(
                lot.sold <= lot.stocked,
                f"{lot.facility} is credited with {lot.sold} pieces of lot {lot.lot} at {booth.id}, "
                f"where {lot.stocked} came",
            )
    return check


def reported_sales(evidence: Evidence) -> Check:
    """Each sale that a till reported is there once, as it was reported; none waits at a settled booth."""
    check = Check(
        "reported sales",
        "each reported sale is recorded, disputed, rejected or voided once, or waits at an open booth",
    )
    sales, booths = evidence.of(Sale), evidence.of(Booth)
    told: dict[str, list[Told]] = defaultdict(list)
    for one in evidence.heard.told:
        # The same rule as the service's: it reads nothing of an event but its source and id.
        told[entity_id(one.booth, sale_id(cast("Event", one)))].append(one)
    for id, reports in told.items():
        sale = sales.get(id)
        if sale is None:
            check.expect(False, f"sale {id} was reported by {reports[0].till}, but is not there")
            continue
        as_told = {(one.till, one.qty, one.amount_rupiah) for one in reports}
        check.expect(
            (sale.till, sale.qty, sale.amount_rupiah) in as_told,
            f"sale {id} is kept as {sale.qty} pieces for {sale.amount_rupiah} rupiah, which no till reported",
        )
    waiting, disputed = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for sale in sales.values():
        booth = booths.get(sale.booth)
        if sale.id not in told:
            check.wrong(f"sale {sale.id} is there, but no till reported it")
        if sale.status is SaleStatus.WAITING:
            waiting[sale.booth].add(sale.sale)
            if booth is not None and booth.status is BoothStatus.SETTLED:
                check.wrong(f"sale {sale.id} still waits, though its booth is settled")
        elif sale.status is SaleStatus.DISPUTED:
            disputed[sale.booth].add(sale.sale)
        pair = (sale.booth, sale.sale)
        if pair in evidence.heard.voided and sale.status is not SaleStatus.VOIDED:
            check.wrong(f"sale {sale.id} was voided, but is {sale.status.value}")
    for booth in booths.values():
        check.same(
            f"booth {booth.id}",
            (set(booth.waiting), set(booth.disputed)),
            (waiting[booth.id], disputed[booth.id]),
            "waiting and disputed, by its sales",
        )
    return check


def sales_answered(evidence: Evidence) -> Check:
    """What tills and readers heard of each sale fits what became of it."""
    check = Check("answers to tills", "each sale was said recorded, disputed or voided as it is, each once")
    recorded, disputed, voided = (
        evidence.heard.said[name] for name in ("SaleRecorded", "SaleDisputed", "SaleVoidRecorded")
    )
    pairs = set()
    for sale in evidence.of(Sale).values():
        pair = (sale.booth, sale.sale)
        pairs.add(pair)
        said = (recorded[pair], disputed[pair], voided[pair])
        check.expect(
            said in _SAID[sale.status],
            f"sale {sale.id} is {sale.status.value}, but was said recorded {said[0]}, disputed {said[1]}, "
            f"voided {said[2]} times",
        )
    for booth, id in sorted((recorded.keys() | disputed.keys() | voided.keys()) - pairs):
        check.wrong(f"sale {booth} {id} was answered, but is not there")
    return check


def withdrawn(evidence: Evidence) -> Check:
    """Tills refuse a recalled lot; what was sold of it is listed with its sales."""
    check = Check("recalls at booths", "a recalled lot is withdrawn at every booth that was stocked with it")
    recalled = {lot.id for lot in evidence.of(Lot).values() if lot.recalled}
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            if lot.lot in recalled and lot.stocked:
                check.expect(
                    lot.withdrawn is not None, f"lot {lot.lot} is recalled, but can still be sold at {booth.id}"
                )
    return check


def _recorded(evidence: Evidence) -> dict[tuple[str, str], Sum]:
    """Recorded sales by booth and lot."""
    sums: dict[tuple[str, str], Sum] = defaultdict(Sum)
    for sale in evidence.of(Sale).values():
        if sale.status is SaleStatus.RECORDED:
            sums[sale.booth, sale.lot or ""].add(sale.qty, sale.amount_rupiah)
    return sums
