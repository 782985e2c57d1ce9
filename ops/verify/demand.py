"""Check of demand signals: they contain the recorded sales, piece by piece."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.parts import sold
from ops.verify.report import Check
from ops.verify.topic_evidence import Sum
from services.sales.domain import Booth, FacilityDemand
from services.sales.domain.booth import BoothStatus


def checks(evidence: Evidence) -> Iterator[Check]:
    yield demand(evidence)


def demand(evidence: Evidence) -> Check:
    """The kept demand equals the recorded sales, and once all booths are settled the last published signal."""
    check = Check(
        "demand", "per facility, festival, booth and product: sold in demand = recorded sales, and published so"
    )
    sales = dict(sold(evidence))
    settled = {id for id, booth in evidence.of(Booth).items() if booth.status is BoothStatus.SETTLED}
    demands = {(entity.facility, entity.festival): entity for entity in evidence.of(FacilityDemand).values()}
    for pair, demand_entity in demands.items():
        subject = f"{pair[0]} at {pair[1]}"
        for booth in demand_entity.booths:
            check.expect_equal(
                f"{subject}: {booth.booth} has counted",
                booth.lines is not None,
                booth.booth in settled,
                "but settled is",
            )
            for line in booth.lines or ():
                earned = sales.pop((*pair, booth.booth, line.product), Sum())
                check.expect_equal(
                    f"{subject}: {line.product} at {booth.booth}",
                    (line.sold, line.sold_rupiah),
                    earned.pair,
                    "sold, by recorded sales",
                )
        _compare_published(check, subject, demand_entity, evidence)
    for (facility, festival, booth_id, product), earned in sales.items():
        if booth_id in settled:
            check.fail(f"{facility} at {festival}: {earned.qty} of {product} sold at {booth_id}, none in its demand")
    for facility, festival in sorted(evidence.published.demand.keys() - demands.keys()):
        check.fail(f"{facility} at {festival} received a demand signal that sales does not keep")
    return check


def _compare_published(check: Check, subject: str, demand: FacilityDemand, evidence: Evidence) -> None:
    published = evidence.published.demand.get((demand.facility, demand.festival))
    if published is None:
        check.expect(not demand.complete, f"{subject}: every booth has counted, but no demand was signalled")
        return
    check.expect_equal(f"{subject}: revision", published["revision"], demand.revision, "published, kept is")
    if demand.complete:
        check.expect_equal(
            subject,
            {product["product"]: (product["sold"], product["sold_rupiah"]) for product in published["products"]},
            {product.product: (product.sold, product.sold_rupiah) for product in demand.products},
            "published, kept is",
        )
