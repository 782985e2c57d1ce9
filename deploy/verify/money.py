"""Money: recorded sales, shares, settlements and the public stream, to the rupiah."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from deploy.verify.evidence import Evidence
from deploy.verify.heard import Pair, Sum
from deploy.verify.report import Check
from services.sales.domain.booth import Booth, BoothStatus
from services.sales.domain.sale import Sale, SaleStatus
from services.sales.domain.settlement import Settlement


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about rupiah."""
    yield settlements(evidence)
    yield settlements_said(evidence)
    yield public_stream(evidence)


def settlements(evidence: Evidence) -> Check:
    """What a facility is owed for a festival is the sum of its recorded sales there."""
    check = Check("settlements", "per facility and festival: settlement = shares = recorded sales, to the rupiah")
    sales, shares = _recorded(evidence), evidence.heard.shares
    kept = {(one.facility, one.festival): one for one in evidence.of(Settlement).values()}
    for pair in sorted(sales.keys() | shares.keys() | kept.keys()):
        what = f"{pair[0]} at {pair[1]}"
        sold, share = sales.get(pair, Sum()), shares.get(pair, Sum())
        check.same(what, (share.qty, share.rupiah), (sold.qty, sold.rupiah), "by shares, by recorded sales")
        settlement = kept.get(pair)
        if settlement is None:
            check.wrong(f"{what}: sold for {sold.rupiah} rupiah, but there is no settlement")
            continue
        check.same(
            what,
            (settlement.qty, settlement.sold_rupiah),
            (sold.qty, sold.rupiah),
            "pieces and rupiah settled, by recorded sales",
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
            parts = settlement.parts
            check.same(
                what,
                (
                    said["qty"],
                    said["sold_rupiah"],
                    said["facility_rupiah"],
                    said["maker_premium_rupiah"],
                    said["programme_rupiah"],
                ),
                (
                    settlement.qty,
                    settlement.sold_rupiah,
                    parts.facility_rupiah,
                    parts.maker_premium_rupiah,
                    parts.programme_rupiah,
                ),
                "was said, kept is",
            )
        whole = said["facility_rupiah"] + said["maker_premium_rupiah"] + said["programme_rupiah"]
        check.same(f"{what}: the parts that were said", whole, said["sold_rupiah"], "in sum, not")
    for facility, festival in sorted(evidence.heard.settlements.keys() - kept.keys()):
        check.expect(False, f"{facility} at {festival} was told a settlement that is not kept")
    return check


def public_stream(evidence: Evidence) -> Check:
    """Who reads the public stream from its beginning has the recorded sales, and nothing about any person."""
    check = Check("public stream", "published − withdrawn = recorded sales, with no field but those anyone may see")
    sales, public = _recorded(evidence), evidence.heard.public
    for pair in sorted(sales.keys() | public.keys()):
        shown, sold = public.get(pair, Sum()), sales.get(pair, Sum())
        check.same(
            f"{pair[0]} at {pair[1]}", (shown.qty, shown.rupiah), (sold.qty, sold.rupiah), "shown, by recorded sales"
        )
    recorded = Counter(sale.sale for sale in evidence.of(Sale).values() if sale.status is SaleStatus.RECORDED)
    for id in recorded.keys() | evidence.heard.public_sales.keys():
        shown_times = evidence.heard.public_sales[id]
        check.expect(
            shown_times == recorded[id], f"sale {id} is shown {shown_times} times, recorded {recorded[id]} times"
        )
    for sentence in evidence.heard.too_public:
        check.wrong(sentence)
    return check


def _parts_add_up(check: Check, what: str, settlement: Settlement) -> None:
    parts = settlement.parts
    whole = parts.facility_rupiah + parts.maker_premium_rupiah + parts.programme_rupiah
    check.same(f"{what}: facility, maker premium and programme", whole, settlement.sold_rupiah, "in sum, not")
    by_booth = [(share.booth, share.qty, share.sold_rupiah) for share in settlement.booths]
    if any(qty < 0 or rupiah < 0 for _, qty, rupiah in by_booth):
        check.wrong(f"{what}: a booth's share is below zero: {by_booth}")


def _booths_are_in(check: Check, evidence: Evidence, kept: dict[Pair, Settlement]) -> None:
    """Each booth that held goods of a facility is in its settlement, and settled there when it is."""
    for booth in evidence.of(Booth).values():
        for facility in booth.facilities:
            settlement = kept.get((facility, booth.festival or ""))
            shares = {share.booth: share.settled for share in settlement.booths} if settlement else {}
            check.same(
                f"booth {booth.id} in the settlement of {facility}",
                shares.get(booth.id),
                booth.status is BoothStatus.SETTLED,
                "settled, but the booth itself",
            )


def _recorded(evidence: Evidence) -> dict[Pair, Sum]:
    sums: dict[Pair, Sum] = defaultdict(Sum)
    for sale in evidence.of(Sale).values():
        if sale.status is SaleStatus.RECORDED:
            sums[sale.facility or "", sale.festival or ""].add(sale.qty, sale.amount_rupiah)
    return sums
