"""Check of demand signals: they contain the recorded sales, piece by piece."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.parts import sold
from ops.verify.report import Check
from ops.verify.topic_evidence import Sum
from services.sales.domain import Booth, FacilityDemand
from services.sales.domain.booth import BoothStatus
from shared.wording import Message


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
        subject = Message("{facility} at {festival}", facility=pair[0], festival=pair[1])
        for booth in demand_entity.booths:
            check.expect_equal(
                booth.lines is not None,
                booth.booth in settled,
                "{subject}: {booth} has counted: {first} but settled is {second}",
                subject=subject,
                booth=booth.booth,
            )
            for line in booth.lines or ():
                earned = sales.pop((*pair, booth.booth, line.product), Sum())
                check.expect_equal(
                    (line.sold, line.sold_rupiah),
                    earned.pair,
                    "{subject}: {product} at {booth}: {first} sold, by recorded sales {second}",
                    subject=subject,
                    product=line.product,
                    booth=booth.booth,
                )
        _compare_published(check, subject, demand_entity, evidence)
    for (facility, festival, booth_id, product), earned in sales.items():
        if booth_id in settled:
            check.fail(
                "{facility} at {festival}: {qty} of {product} sold at {booth}, none in its demand",
                facility=facility,
                festival=festival,
                qty=earned.qty,
                product=product,
                booth=booth_id,
            )
    for facility, festival in sorted(evidence.published.demand.keys() - demands.keys()):
        check.fail(
            "{facility} at {festival} received a demand signal that sales does not keep",
            facility=facility,
            festival=festival,
        )
    return check


def _compare_published(check: Check, subject: Message, demand: FacilityDemand, evidence: Evidence) -> None:
    published = evidence.published.demand.get((demand.facility, demand.festival))
    if published is None:
        check.expect(
            not demand.complete, "{subject}: every booth has counted, but no demand was signalled", subject=subject
        )
        return
    check.expect_equal(
        published["revision"],
        demand.revision,
        "{subject}: revision: {first} published, kept is {second}",
        subject=subject,
    )
    if demand.complete:
        check.expect_equal(
            {product["product"]: (product["sold"], product["sold_rupiah"]) for product in published["products"]},
            {product.product: (product.sold, product.sold_rupiah) for product in demand.products},
            "{subject}: {first} published, kept is {second}",
            subject=subject,
        )
