"""Money: recorded sales, shares, settlements and the public stream, to the rupiah."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ops.verify.evidence import Evidence
from ops.verify.heard import Pair, Sum, Triple
from ops.verify.heard.sales import LastWord
from ops.verify.parts import parts, sold
from ops.verify.report import SHOWN, Check
from services.sales.domain import Booth, FacilityFeed, Settlement
from services.sales.domain.booth import BoothStatus
from services.sales.domain.public import public_adjustment, public_sale


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about rupiah."""
    yield shares(evidence)
    yield settlements(evidence)
    yield settlements_said(evidence)
    yield public_stream(evidence)


def shares(evidence: Evidence) -> Check:
    """What facilities heard last of each sale, and of each booth's unlabelled sales, is what is kept."""
    check = Check("shares", "per facility, the last word on each sale and adjustment is what sales keeps of it")
    heard = evidence.heard.sales
    for words, kept in ((heard.shares, _shared(evidence)), (heard.adjustments, _adjusted(evidence))):
        for key in words.keys() | kept.keys():
            booth, of, facility = key
            last = words.get(key)
            told = {lot: (qty, rupiah) for lot, qty, rupiah in last.lots} if last is not None else None
            check.same(f"{facility} in {of} at {booth}", told, kept.get(key, {}), "by lot as told, kept is")
            if last is not None:
                whole = (sum(qty for _, qty, _ in last.lots), sum(rupiah for _, _, rupiah in last.lots))
                check.same(f"{facility} in {of} at {booth}", (last.qty, last.rupiah), whole, "told, its lots sum to")
    return check


def settlements(evidence: Evidence) -> Check:
    """What a facility is owed for a festival is the sum of its recorded sales there."""
    check = Check(
        "settlements",
        "per facility and festival: settlement = all changes told = the last words = recorded sales, to the rupiah",
    )
    sales, changes, last = _sold(evidence), evidence.heard.sales.changes, _last_words(evidence)
    kept = {(one.facility, one.festival): one for one in evidence.of(Settlement).values()}
    for pair in sorted(sales.keys() | changes.keys() | kept.keys()):
        what = f"{pair[0]} at {pair[1]}"
        earned = sales.get(pair, Sum()).both
        check.same(what, changes.get(pair, Sum()).both, earned, "by all changes told, by recorded sales")
        check.same(what, last.get(pair, Sum()).both, earned, "by the last words, by recorded sales")
        settlement = kept.get(pair)
        if settlement is None:
            check.wrong(f"{what}: sold for {earned[1]} rupiah, but there is no settlement")
            continue
        check.same(
            what, (settlement.qty, settlement.sold_rupiah), earned, "pieces and rupiah settled, by recorded sales"
        )
        _parts_add_up(check, what, settlement)
    _booths_are_in(check, evidence, kept)
    return check


def settlements_said(evidence: Evidence) -> Check:
    """What facilities were told last is what is kept; once all booths of a facility are settled it was told."""
    check = Check("settlements said", "the last settlement that each facility heard is the one that is kept")
    kept = {(one.facility, one.festival): one for one in evidence.of(Settlement).values()}
    for pair, settlement in kept.items():
        what, said = f"{pair[0]} at {pair[1]}", evidence.heard.settlements.get(pair)
        if said is None:
            check.expect(not settlement.complete, f"{what}: every booth is settled, but no settlement was issued")
            continue
        check.same(f"{what}: revision", said["revision"], settlement.revision, "said, kept is")
        if settlement.complete:
            by = settlement.parts
            here = {
                "qty": settlement.qty,
                "sold_rupiah": settlement.sold_rupiah,
                "facility_rupiah": by.facility_rupiah,
                "maker_premium_rupiah": by.maker_premium_rupiah,
                "programme_rupiah": by.programme_rupiah,
                "provisional_qty": settlement.provisional_qty,
                "provisional_rupiah": settlement.provisional_rupiah,
            }
            check.same(what, {name: said[name] for name in here}, here, "was said, kept is")
        whole = said["facility_rupiah"] + said["maker_premium_rupiah"] + said["programme_rupiah"]
        check.same(f"{what}: the parts that were said", whole, said["sold_rupiah"], "in sum, not")
    for facility, festival in sorted(evidence.heard.settlements.keys() - kept.keys()):
        check.expect(False, f"{facility} at {festival} was told a settlement that is not kept")
    return check


def public_stream(evidence: Evidence) -> Check:
    """Who reads the public stream has every share and adjustment, sees a gap, and learns nothing about a person."""
    check = Check(
        "public stream",
        "the last public word on each sale and adjustment = its share; sequences without gaps; only public fields",
    )
    heard = evidence.heard.sales
    wanted: dict[Pair, tuple[str, LastWord]] = {}
    for (booth, sale, facility), last in heard.shares.items():
        wanted[public_sale(booth, sale), facility] = (f"sale {sale} at {booth}", last)
    for (booth, product, facility), last in heard.adjustments.items():
        wanted[public_adjustment(booth, product), facility] = (f"adjustment of {product} at {booth}", last)
    for (id, facility), (what, last) in wanted.items():
        shown = heard.public.get((id, facility))
        check.expect(shown == last, f"{facility}: {what} is shown as {shown}, its share is {last}")
    for id, facility in sorted(heard.public.keys() - wanted.keys()):
        check.wrong(f"{facility}: {id} is shown, but is no sale and no adjustment of it")
    sums, sales = defaultdict[Pair, Sum](Sum), _sold(evidence)
    for (_, facility), last in heard.public.items():
        sums[facility, last.festival].add(last.qty, last.rupiah)
    for pair in sorted(sales.keys() | sums.keys()):
        check.same(
            f"{pair[0]} at {pair[1]}",
            sums.get(pair, Sum()).both,
            sales.get(pair, Sum()).both,
            "shown, by recorded sales",
        )
    _without_gaps(check, heard.sequences, evidence.of(FacilityFeed))
    for sentence in heard.too_public:
        check.wrong(sentence)
    return check


def _without_gaps(check: Check, sequences: Mapping[str, Counter[int]], feeds: Mapping[str, FacilityFeed]) -> None:
    for facility in sorted(sequences.keys() | feeds.keys()):
        used, feed = sequences.get(facility, Counter()), feeds.get(facility)
        last = feed.sequence if feed is not None else 0
        wrong = [number for number in range(1, last + 1) if used[number] != 1]
        wrong += sorted(number for number in used if not 0 < number <= last)
        check.expect(
            not wrong, f"{facility} has {last} public events, but these numbers are not used once: {wrong[:SHOWN]}"
        )


def _shared(evidence: Evidence) -> dict[Triple, dict[str, tuple[int, int]]]:
    """What each facility's lots have in each sale, by booth, sale and facility."""
    shared: dict[Triple, dict[str, tuple[int, int]]] = defaultdict(dict)
    for receipt, sale, part, rupiah in parts(evidence):
        lots = shared[receipt.booth, receipt.sale_id(sale), part.facility]
        qty, worth = lots.get(part.lot, (0, 0))
        lots[part.lot] = (qty + part.qty, worth + rupiah)
    return shared


def _adjusted(evidence: Evidence) -> dict[Triple, dict[str, tuple[int, int]]]:
    """What each facility's lots have beyond the parts of sales, by booth, product and facility."""
    adjusted: dict[Triple, dict[str, tuple[int, int]]] = defaultdict(dict)
    for booth in evidence.of(Booth).values():
        facilities = {lot.lot: lot.facility for lot in booth.lots}
        for pool in booth.pools:
            for held in pool.adjusted:
                facility = facilities.get(held.lot, "")
                adjusted[booth.id, pool.product, facility][held.lot] = (held.qty, held.rupiah)
    return adjusted


def _sold(evidence: Evidence) -> dict[Pair, Sum]:
    sums: dict[Pair, Sum] = defaultdict(Sum)
    for (facility, festival, _, _), earned in sold(evidence).items():
        sums[facility, festival].add(*earned.both)
    return sums


def _last_words(evidence: Evidence) -> dict[Pair, Sum]:
    sums: dict[Pair, Sum] = defaultdict(Sum)
    heard = evidence.heard.sales
    for (_, _, facility), last in [*heard.shares.items(), *heard.adjustments.items()]:
        sums[facility, last.festival].add(last.qty, last.rupiah)
    return sums


def _parts_add_up(check: Check, what: str, settlement: Settlement) -> None:
    by = settlement.parts
    whole = by.facility_rupiah + by.maker_premium_rupiah + by.programme_rupiah
    check.same(f"{what}: facility, maker premium and programme", whole, settlement.sold_rupiah, "in sum, not")
    if settlement.halfway:
        check.wrong(f"{what}: the change of a booth is known in part")
    by_booth = [(share.booth, share.qty, share.sold_rupiah) for share in settlement.booths]
    if any(qty < 0 or rupiah < 0 for _, qty, rupiah in by_booth):
        check.wrong(f"{what}: a booth's share is below zero: {by_booth}")


def _booths_are_in(check: Check, evidence: Evidence, kept: Mapping[Pair, Settlement]) -> None:
    """Each booth that held goods of a facility is in its settlement with what its lots sold, and settled there when
    it is."""
    for booth in evidence.of(Booth).values():
        counted = {pool.product: pool.counted for pool in booth.pools}
        for facility in booth.facilities:
            settlement = kept.get((facility, booth.festival or ""))
            share = next((one for one in settlement.booths if one.booth == booth.id), None) if settlement else None
            mine = [lot for lot in booth.lots if lot.facility == facility]
            provisional = [lot for lot in mine if not counted.get(lot.product)]
            check.same(
                f"booth {booth.id} in the settlement of {facility}",
                share
                and (share.settled, share.qty, share.sold_rupiah, share.provisional_qty, share.provisional_rupiah),
                (
                    booth.status is BoothStatus.SETTLED,
                    sum(lot.sold for lot in mine),
                    sum(lot.sold_rupiah for lot in mine),
                    sum(lot.pool_qty for lot in provisional),
                    sum(lot.pool_rupiah for lot in provisional),
                ),
                "settled, pieces, rupiah and provisional ones, by the booth itself",
            )
