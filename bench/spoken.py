"""What terminals and tills say in the benches, without end, and what sales must have heard of their booths before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from services.production import reference
from shared.events.festival import BoothOpened, BoothStocked, Price
from shared.events.language import MAX_QTY, Body
from shared.events.production import ProductionReported
from shared.events.sales import SaleReported

BOOTHS = 12


def reports() -> Iterator[Body]:
    """Good reports of all facilities in turn."""
    known = reference.load().catalogue
    makers = [(code, sorted(facility.products)[0]) for code, facility in sorted(known.facilities.items())]
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for number in count():
        code, product = makers[number % len(makers)]
        yield ProductionReported(facility=code, terminal=f"{code}-1", product=product, qty=1, made_on=yesterday)


def sales() -> Iterator[SaleReported]:
    """Sales of one piece each at all booths in turn."""
    now = datetime.now(UTC)
    for number in count():
        booth = f"H1-B{number % BOOTHS:02}"
        yield SaleReported(
            booth=booth,
            till=f"{booth}-T1",
            seq=number // BOOTHS + 1,
            lot="L-1",
            product="SVR",
            qty=1,
            unit_price_rupiah=25_000,
            sold_at=now,
        )


def openings() -> Iterator[Body]:
    """Each booth opens and has more than it can sell."""
    for number in range(BOOTHS):
        booth = f"H1-B{number:02}"
        price = Price(product="SVR", price_rupiah=25_000)
        yield BoothOpened(booth=booth, festival="H1", name=booth, prices=(price,), tills=(f"{booth}-T1",))
        yield BoothStocked(
            booth=booth,
            festival="H1",
            lot="L-1",
            facility="F-1",
            product="SVR",
            made_on=datetime.now(UTC).date(),
            qty=MAX_QTY,
        )
