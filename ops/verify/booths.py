"""Checks of booths: stock in festival and in sales, and sell-through in sales and in festival."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from ops.verify.topic_evidence import AnnouncedBooth
from services.festival.domain import Booth as FestivalBooth
from services.festival.domain import BoothSales
from services.inventory.domain import Lot
from services.sales.domain.booth import Booth, BoothStatus


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check of data about booths that festival and sales share."""
    yield booth_stock(evidence)
    yield sell_through(evidence)
    yield interim_sales(evidence)
    yield withdrawn(evidence)


def booth_stock(evidence: Evidence) -> Check:
    """The pieces received, lost and moved at a booth are the same in festival and in sales."""
    check = Check(
        "booth stock",
        "received, lost and moved away at each booth: the same in festival and in sales; prices, tills, openings too",
    )
    selling_booths = evidence.of(Booth)
    for booth in evidence.of(FestivalBooth).values():
        selling_booth = selling_booths.get(booth.id)
        if selling_booth is None:
            check.expect(False, "booth {booth} is open, but sales does not know it", booth=booth.id)
            continue
        check.expect_equal(
            (booth.status.value, booth.opening, booth.tills, booth.name),
            (selling_booth.status.value, selling_booth.opening, selling_booth.tills, selling_booth.name),
            "booth {booth}: {first} by festival, by sales {second}",
            booth=booth.id,
        )
        check.expect(
            booth.reopening is None and selling_booth.reopening is None,
            "booth {booth} is to be reopened, and nobody has answered",
            booth=booth.id,
        )
        prices = tuple((tag.product, tag.price_rupiah) for tag in booth.prices)
        check.expect(
            prices in [price_list.prices for price_list in selling_booth.price_lists],
            "booth {booth}: festival's prices {prices} are on no list of sales",
            booth=booth.id,
            prices=prices,
        )
        _compare_announcements(check, selling_booth, evidence.published.booths[booth.id])
        festival_lots = {
            lot.lot: (
                lot.received,
                lot.recorded_lost,
                lot.moved_out + lot.returned_before,
                lot.recounts,
                lot.withdrawn,
            )
            for lot in booth.lots
            if lot.received or lot.recounts
        }
        sales_lots = {
            lot.lot: (lot.stocked, lot.lost, lot.moved, lot.recount, lot.withdrawn)
            for lot in selling_booth.lots
            if lot.stocked or lot.lost or lot.moved or lot.recount
        }
        for lot in sorted(festival_lots.keys() | sales_lots.keys()):
            check.expect_equal(
                festival_lots.get(lot),
                sales_lots.get(lot),
                "lot {lot} at {booth}: {first} received, lost, moved or home before a reopening, recounts, "
                "withdrawn by festival, by sales {second}",
                lot=lot,
                booth=booth.id,
            )
    opened = {id for id, booth in selling_booths.items() if booth.status is not BoothStatus.UNKNOWN}
    for id in sorted(opened - evidence.of(FestivalBooth).keys()):
        check.expect(False, "booth {booth} is open for sales, but festival has none", booth=id)
    return check


def sell_through(evidence: Evidence) -> Check:
    """The sell-through of settled booths is the same in sales, in its last publication, and in festival."""
    check = Check(
        "sell-through", "sold and disputed at settled booths: the same in sales, as published, and in festival"
    )
    festival = evidence.of(FestivalBooth)
    for booth in evidence.of(Booth).values():
        published = evidence.published.sell_through.get(booth.id)
        if booth.status is not BoothStatus.SETTLED:
            check.expect(
                published is None, "booth {booth} is not settled, but its sell-through was published", booth=booth.id
            )
            continue
        if published is None or booth.id not in festival:
            check.expect(
                False, "booth {booth} is settled, but festival did not receive its sell-through", booth=booth.id
            )
            continue
        sold = {lot.lot: lot.sold for lot in booth.lots if lot.sold}
        sales_state = (booth.revision, sold, booth.disputed[: len(published["disputed"])])
        lots = {lot["lot"]: lot["sold"] for lot in published["lots"] if lot["sold"]}
        check.expect_equal(
            sales_state,
            (published["revision"], lots, tuple(published["disputed"])),
            "booth {booth}: {first} kept, but published was {second}",
            booth=booth.id,
        )
        festival_booth = festival[booth.id]
        check.expect_equal(
            (festival_booth.revision, dict(festival_booth.sold), festival_booth.disputed),
            (published["revision"], lots, tuple(published["disputed"])),
            "booth {booth}: {first} by festival, but published was {second}",
            booth=booth.id,
        )
    return check


def interim_sales(evidence: Evidence) -> Check:
    """Festival's sold pieces of an open booth are those that sales published last."""
    check = Check(
        "sold so far", "interim reports of open booths: as many as sales counts, and as festival keeps them"
    )
    sales_by_booth = dict(evidence.of(BoothSales))
    for booth in evidence.of(Booth).values():
        published, sales = evidence.published.interim_sales.get(booth.id), sales_by_booth.pop(booth.id, None)
        check.expect_equal(
            booth.interim.revision,
            published["revision"] if published else 0,
            "booth {booth}: {first} interim reports counted, but published were {second}",
            booth=booth.id,
        )
        lots = {lot["lot"]: lot["sold"] for lot in published["lots"]} if published else {}
        check.expect_equal(
            dict(sales.sold) if sales else {},
            lots,
            "booth {booth}: {first} by festival, but published was {second}",
            booth=booth.id,
        )
    for id in sorted(sales_by_booth):
        check.fail("festival knows what booth {booth} sold, but sales does not know the booth", booth=id)
    return check


def withdrawn(evidence: Evidence) -> Check:
    """A recalled lot is withdrawn at every booth that was stocked with it, and no other lot is."""
    check = Check(
        "recalls at booths", "a recalled lot is withdrawn at every booth that was stocked with it; no other is"
    )
    recalled = {lot.id for lot in evidence.of(Lot).values() if lot.recalled}
    for booth in evidence.of(Booth).values():
        for lot in booth.lots:
            if lot.lot in recalled and lot.stocked:
                check.expect(
                    lot.withdrawn is not None,
                    "lot {lot} is recalled, but can still be sold at {booth}",
                    lot=lot.lot,
                    booth=booth.id,
                )
            elif lot.lot not in recalled:
                check.expect(
                    lot.withdrawn is None,
                    "lot {lot} is not recalled, but can't be sold at {booth}",
                    lot=lot.lot,
                    booth=booth.id,
                )
    return check


def _compare_announcements(check: Check, booth: Booth, announced: AnnouncedBooth) -> None:
    """Compare the tills and price lists that festival published with those of sales."""
    lists = {prices.revision: (prices.valid_from, prices.prices) for prices in booth.price_lists}
    check.expect_equal(
        (lists, booth.tills),
        ({revision: tuple(prices) for revision, prices in announced.lists.items()}, announced.tills),
        "booth {booth}: {first} price lists and tills kept, but published were {second}",
        booth=booth.id,
    )
