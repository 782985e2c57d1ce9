"""Booths: what festival counted in and what sales can sell, what sales sold and what festival heard of it."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.heard import BoothTold
from ops.verify.report import Check
from services.festival.domain import Booth as FestivalBooth
from services.festival.domain import BoothSales
from services.inventory.domain import Lot
from services.sales.domain.booth import Booth, BoothStatus


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about what festival and sales must know alike of a booth."""
    yield booth_stock(evidence)
    yield sell_through(evidence)
    yield sold_so_far(evidence)
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
            (booth.status.value, booth.tills),
            (there.status.value, there.tills),
            "by festival, by sales",
        )
        prices = tuple((tag.product, tag.price_rupiah) for tag in booth.prices)
        check.expect(
            prices in [one.prices for one in there.price_lists],
            f"booth {booth.id}: festival's prices {prices} are on no list of sales",
        )
        _as_told(check, there, evidence.heard.booths[booth.id])
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
    paces = dict(evidence.of(BoothSales))
    for booth in evidence.of(Booth).values():
        said, pace = evidence.heard.so_far.get(booth.id), paces.pop(booth.id, None)
        check.same(
            f"booth {booth.id}", booth.interim.revision, said["revision"] if said else 0, "times told, but said was"
        )
        lots = {lot["lot"]: lot["sold"] for lot in said["lots"]} if said else {}
        check.same(f"booth {booth.id}", dict(pace.sold) if pace else {}, lots, "by festival, but said was")
    for id in sorted(paces):
        check.wrong(f"festival knows what booth {id} sold, but sales does not know the booth")
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


def _as_told(check: Check, booth: Booth, told: BoothTold) -> None:
    """The tills and the price lists that festival told of are those that sales goes by."""
    lists = {one.revision: (one.valid_from, one.prices) for one in booth.price_lists}
    check.same(
        f"booth {booth.id}",
        (lists, booth.tills),
        ({revision: tuple(one) for revision, one in told.lists.items()}, told.tills),
        "price lists and tills kept, but told were",
    )
