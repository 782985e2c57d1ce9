"""Demand: what facilities heard of their goods is what was recorded as sold, piece by piece."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.heard import Sum
from ops.verify.parts import sold
from ops.verify.report import Check
from services.sales.domain import Booth, FacilityDemand
from services.sales.domain.booth import BoothStatus


def checks(evidence: Evidence) -> Iterator[Check]:
    yield demand(evidence)


def demand(evidence: Evidence) -> Check:
    """Per facility, festival and product, and once all booths are settled as it was said last."""
    check = Check(
        "demand", "per facility, festival, booth and product: sold in demand = recorded sales, and was told so"
    )
    sales = dict(sold(evidence))
    settled = {id for id, booth in evidence.of(Booth).items() if booth.status is BoothStatus.SETTLED}
    kept = {(one.facility, one.festival): one for one in evidence.of(FacilityDemand).values()}
    for pair, known in kept.items():
        what = f"{pair[0]} at {pair[1]}"
        for booth in known.booths:
            check.same(
                f"{what}: {booth.booth} has counted",
                booth.lines is not None,
                booth.booth in settled,
                "but settled is",
            )
            for line in booth.lines or ():
                earned = sales.pop((*pair, booth.booth, line.product), Sum())
                check.same(
                    f"{what}: {line.product} at {booth.booth}",
                    (line.sold, line.sold_rupiah),
                    earned.both,
                    "sold, by recorded sales",
                )
        _said(check, what, known, evidence)
    for (facility, festival, place, product), earned in sales.items():
        if place in settled:
            check.wrong(f"{facility} at {festival}: {earned.qty} of {product} sold at {place}, none in its demand")
    for facility, festival in sorted(evidence.heard.demand.keys() - kept.keys()):
        check.wrong(f"{facility} at {festival} was told a demand that is not kept")
    return check


def _said(check: Check, what: str, known: FacilityDemand, evidence: Evidence) -> None:
    said = evidence.heard.demand.get((known.facility, known.festival))
    if said is None:
        check.expect(not known.complete, f"{what}: every booth has counted, but no demand was signalled")
        return
    check.same(f"{what}: revision", said["revision"], known.revision, "said, kept is")
    if known.complete:
        check.same(
            what,
            {one["product"]: (one["sold"], one["sold_rupiah"]) for one in said["products"]},
            {one.product: (one.sold, one.sold_rupiah) for one in known.products},
            "was said, kept is",
        )
