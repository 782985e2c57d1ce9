"""Checks of money: recorded sales, shares, settlements and the public stream, to the rupiah."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ops.verify.evidence import Evidence
from ops.verify.parts import parts, sold
from ops.verify.report import SHOWN, Check
from ops.verify.topic_evidence import Pair, Sum, Triple
from ops.verify.topic_evidence.sales import LatestAmounts
from services.sales.domain import Booth, FacilityFeed, Settlement
from services.sales.domain.booth import BoothStatus
from services.sales.domain.public import public_adjustment, public_sale
from shared.wording import Message


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about rupiah."""
    yield shares(evidence)
    yield settlements(evidence)
    yield published_settlements(evidence)
    yield public_stream(evidence)


def shares(evidence: Evidence) -> Check:
    """The latest published shares and adjustments of facilities are those that sales keeps."""
    check = Check(
        "shares", "per facility, the latest published amounts of each sale and adjustment are the kept ones"
    )
    sales = evidence.published.sales
    for latest, kept_amounts in ((sales.shares, _shared(evidence)), (sales.adjustments, _adjusted(evidence))):
        for key in latest.keys() | kept_amounts.keys():
            booth, of, facility = key
            last = latest.get(key)
            published = {lot: (qty, rupiah) for lot, qty, rupiah in last.lots} if last is not None else None
            check.expect_equal(
                published,
                kept_amounts.get(key, {}),
                "{facility} in {of} at {booth}: {first} by lot as published, kept is {second}",
                facility=facility,
                of=of,
                booth=booth,
            )
            if last is not None:
                totals = (sum(qty for _, qty, _ in last.lots), sum(rupiah for _, _, rupiah in last.lots))
                check.expect_equal(
                    (last.qty, last.rupiah),
                    totals,
                    "{facility} in {of} at {booth}: {first} published, its lots sum to {second}",
                    facility=facility,
                    of=of,
                    booth=booth,
                )
    return check


def settlements(evidence: Evidence) -> Check:
    """A facility's settlement for a festival is the sum of its recorded sales there."""
    check = Check(
        "settlements",
        "per facility and festival: settlement = published changes = latest amounts = recorded sales, to the rupiah",
    )
    sales, changes, last = _sold(evidence), evidence.published.sales.changes, _latest_amounts(evidence)
    settlements_kept = {
        (settlement.facility, settlement.festival): settlement for settlement in evidence.of(Settlement).values()
    }
    for pair in sorted(sales.keys() | changes.keys() | settlements_kept.keys()):
        subject = Message("{facility} at {festival}", facility=pair[0], festival=pair[1])
        earned = sales.get(pair, Sum()).pair
        check.expect_equal(
            changes.get(pair, Sum()).pair,
            earned,
            "{subject}: {first} by all published changes, by recorded sales {second}",
            subject=subject,
        )
        check.expect_equal(
            last.get(pair, Sum()).pair,
            earned,
            "{subject}: {first} by the latest amounts, by recorded sales {second}",
            subject=subject,
        )
        settlement = settlements_kept.get(pair)
        if settlement is None:
            check.fail(
                "{subject}: sold for {amount:rupiah}, but there is no settlement", subject=subject, amount=earned[1]
            )
            continue
        check.expect_equal(
            (settlement.qty, settlement.sold_rupiah),
            earned,
            "{subject}: {first} pieces and rupiah settled, by recorded sales {second}",
            subject=subject,
        )
        _compare_parts(check, subject, settlement)
    _compare_booths(check, evidence, settlements_kept)
    return check


def published_settlements(evidence: Evidence) -> Check:
    """The last published settlement is the kept one. A complete settlement was published."""
    check = Check("settlements said", "the last published settlement of each facility is the kept one")
    settlements_kept = {
        (settlement.facility, settlement.festival): settlement for settlement in evidence.of(Settlement).values()
    }
    for pair, settlement in settlements_kept.items():
        subject, published = f"{pair[0]} at {pair[1]}", evidence.published.settlements.get(pair)
        if published is None:
            check.expect(
                not settlement.complete,
                "{subject}: every booth is settled, but no settlement was issued",
                subject=subject,
            )
            continue
        check.expect_equal(
            published["revision"],
            settlement.revision,
            "{subject}: revision: {first} published, kept is {second}",
            subject=subject,
        )
        if settlement.complete:
            parts = settlement.parts
            kept_fields = {
                "qty": settlement.qty,
                "sold_rupiah": settlement.sold_rupiah,
                "facility_rupiah": parts.facility_rupiah,
                "maker_premium_rupiah": parts.maker_premium_rupiah,
                "programme_rupiah": parts.programme_rupiah,
                "provisional_qty": settlement.provisional_qty,
                "provisional_rupiah": settlement.provisional_rupiah,
            }
            check.expect_equal(
                {name: published[name] for name in kept_fields},
                kept_fields,
                "{subject}: {first} published, kept is {second}",
                subject=subject,
            )
        parts_rupiah = (
            published["facility_rupiah"] + published["maker_premium_rupiah"] + published["programme_rupiah"]
        )
        check.expect_equal(
            parts_rupiah,
            published["sold_rupiah"],
            "{subject}: the published parts: {first} in sum, not {second}",
            subject=subject,
        )
    for facility, festival in sorted(evidence.published.settlements.keys() - settlements_kept.keys()):
        check.expect(
            False,
            "{facility} at {festival} received a settlement that sales does not keep",
            facility=facility,
            festival=festival,
        )
    return check


def public_stream(evidence: Evidence) -> Check:
    """The public stream has every share and adjustment, numbered without gaps, and no private field."""
    check = Check(
        "public stream",
        "the latest public amounts of each sale and adjustment = its share; no gaps in sequences; public fields only",
    )
    sales = evidence.published.sales
    expected: dict[Pair, tuple[Message, LatestAmounts]] = {}
    for (booth, sale, facility), latest in sales.shares.items():
        expected[public_sale(booth, sale), facility] = (
            Message("sale {sale} at {booth}", sale=sale, booth=booth),
            latest,
        )
    for (booth, product, facility), latest in sales.adjustments.items():
        expected[public_adjustment(booth, product), facility] = (
            Message("adjustment of {product} at {booth}", product=product, booth=booth),
            latest,
        )
    for (id, facility), (subject, latest) in expected.items():
        public = sales.public.get((id, facility))
        check.expect(
            public == latest,
            "{facility}: {subject} is shown as {public}, its share is {latest}",
            facility=facility,
            subject=subject,
            public=public,
            latest=latest,
        )
    for id, facility in sorted(sales.public.keys() - expected.keys()):
        check.fail("{facility}: {id} is shown, but is no sale and no adjustment of it", facility=facility, id=id)
    sums, recorded = defaultdict[Pair, Sum](Sum), _sold(evidence)
    for (_, facility), latest in sales.public.items():
        sums[facility, latest.festival].add(latest.qty, latest.rupiah)
    for pair in sorted(recorded.keys() | sums.keys()):
        check.expect_equal(
            sums.get(pair, Sum()).pair,
            recorded.get(pair, Sum()).pair,
            "{facility} at {festival}: {first} shown, by recorded sales {second}",
            facility=pair[0],
            festival=pair[1],
        )
    _check_sequences(check, sales.sequences, evidence.of(FacilityFeed))
    for sentence in sales.too_public:
        check.fail_with(sentence)
    return check


def _check_sequences(check: Check, sequences: Mapping[str, Counter[int]], feeds: Mapping[str, FacilityFeed]) -> None:
    for facility in sorted(sequences.keys() | feeds.keys()):
        uses, feed = sequences.get(facility, Counter()), feeds.get(facility)
        last = feed.sequence if feed is not None else 0
        numbers = [number for number in range(1, last + 1) if uses[number] != 1]
        numbers += sorted(number for number in uses if not 0 < number <= last)
        check.expect(
            not numbers,
            "{facility} has {last} public events, but these numbers are not used once: {numbers}",
            facility=facility,
            last=last,
            numbers=numbers[:SHOWN],
        )


def _shared(evidence: Evidence) -> dict[Triple, dict[str, tuple[int, int]]]:
    """The pieces and rupiah of each facility's lots in each sale, by booth, sale and facility."""
    shared: dict[Triple, dict[str, tuple[int, int]]] = defaultdict(dict)
    for receipt, sale, part, rupiah in parts(evidence):
        lots = shared[receipt.booth, receipt.sale_id(sale), part.facility]
        qty, worth = lots.get(part.lot, (0, 0))
        lots[part.lot] = (qty + part.qty, worth + rupiah)
    return shared


def _adjusted(evidence: Evidence) -> dict[Triple, dict[str, tuple[int, int]]]:
    """The adjustments of each facility's lots, by booth, product and facility."""
    adjusted: dict[Triple, dict[str, tuple[int, int]]] = defaultdict(dict)
    for booth in evidence.of(Booth).values():
        facilities = {lot.lot: lot.facility for lot in booth.lots}
        for pool in booth.pools:
            for adjustment in pool.adjusted:
                facility = facilities.get(adjustment.lot, "")
                adjusted[booth.id, pool.product, facility][adjustment.lot] = (adjustment.qty, adjustment.rupiah)
    return adjusted


def _sold(evidence: Evidence) -> dict[Pair, Sum]:
    sums: dict[Pair, Sum] = defaultdict(Sum)
    for (facility, festival, _, _), earned in sold(evidence).items():
        sums[facility, festival].add(*earned.pair)
    return sums


def _latest_amounts(evidence: Evidence) -> dict[Pair, Sum]:
    sums: dict[Pair, Sum] = defaultdict(Sum)
    sales = evidence.published.sales
    for (_, _, facility), last in [*sales.shares.items(), *sales.adjustments.items()]:
        sums[facility, last.festival].add(last.qty, last.rupiah)
    return sums


def _compare_parts(check: Check, subject: Message, settlement: Settlement) -> None:
    parts = settlement.parts
    total = parts.facility_rupiah + parts.maker_premium_rupiah + parts.programme_rupiah
    check.expect_equal(
        total,
        settlement.sold_rupiah,
        "{subject}: facility, maker premium and programme: {first} in sum, not {second}",
        subject=subject,
    )
    if settlement.halfway:
        check.fail("{subject}: the change of a booth is known in part", subject=subject)
    by_booth = [(share.booth, share.qty, share.sold_rupiah) for share in settlement.booths]
    if any(qty < 0 or rupiah < 0 for _, qty, rupiah in by_booth):
        check.fail("{subject}: a booth's share is below zero: {by_booth}", subject=subject, by_booth=by_booth)


def _compare_booths(check: Check, evidence: Evidence, settlements: Mapping[Pair, Settlement]) -> None:
    """Compare each booth with its entries in the settlements of its facilities: status, pieces and rupiah."""
    for booth in evidence.of(Booth).values():
        counted_products = {pool.product: pool.counted for pool in booth.pools}
        for facility in booth.facilities:
            settlement = settlements.get((facility, booth.festival or ""))
            share = (
                next((entry for entry in settlement.booths if entry.booth == booth.id), None) if settlement else None
            )
            check.expect(
                booth.status is BoothStatus.SETTLED or not (share and share.issued),
                "booth {booth} sells, though the settlement of {facility} with it was issued",
                booth=booth.id,
                facility=facility,
            )
            lots = [lot for lot in booth.lots if lot.facility == facility]
            provisional = [lot for lot in lots if not counted_products.get(lot.product)]
            check.expect_equal(
                share
                and (share.settled, share.qty, share.sold_rupiah, share.provisional_qty, share.provisional_rupiah),
                (
                    booth.status is BoothStatus.SETTLED,
                    sum(lot.sold for lot in lots),
                    sum(lot.sold_rupiah for lot in lots),
                    sum(lot.pool_qty for lot in provisional),
                    sum(lot.pool_rupiah for lot in provisional),
                ),
                "booth {booth} in the settlement of {facility}: {first} settled, pieces, rupiah and provisional "
                "ones, by the booth itself {second}",
                booth=booth.id,
                facility=facility,
            )
