"""What the public stream of the portal weighs: `python -m lab.bench.strangers 200000` tells its bytes in memory and
in its file, and its time for each event. All sales are made up."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import psutil

from services.portal.store import PublicStream
from shared.events.festival import FestivalAnnounced
from shared.events.inventory import StockChanged
from shared.events.language import Body
from shared.events.sales import LotShare, SalePublished

USUAL = (200_000, 1_000_000)
SALES_OF_A_FESTIVAL = 7_000
SALES_OF_A_LOT = 20
FACILITIES = 30
PRODUCTS_OF_A_FACILITY = 4
# Of the sales: how many are taken back, in part or whole.
TAKEN_BACK = 0.03


def main() -> None:
    """Measure streams of these numbers of sales."""
    for sales in [int(word) for word in sys.argv[1:]] or USUAL:
        child = os.fork()
        if not child:
            _measure(sales)
            os._exit(0)
        os.waitpid(child, 0)


def _measure(sales: int) -> None:
    process = psutil.Process()
    stream, before, seconds, events = PublicStream(), process.memory_info().rss, 0.0, 0
    for body in _events(sales):
        began = time.process_time()
        stream.take(body)
        seconds += time.process_time() - began
        events += 1
    memory = process.memory_info().rss - before
    began = time.process_time()
    rows = len(list(stream.sums(datetime(2026, 11, 30, tzinfo=UTC), 2026)))
    summed = time.process_time() - began
    sys.stdout.write(
        f"{sales:,} sales: {memory / 1e6:.1f} MB in memory ({memory / sales:.0f} bytes a sale), "
        f"{_file_bytes() / 1e6:.1f} MB in the file ({_file_bytes() / sales:.0f}), {seconds / events * 1e6:.0f} µs an "
        f"event, {rows} sums of a season in {summed * 1e3:.1f} ms\n"
    )
    sys.stdout.flush()


def _file_bytes() -> int:
    """The bytes of files without a name that this process has open."""
    sizes = []
    for name in os.listdir("/proc/self/fd"):
        # The listing itself is among them, and closed by now.
        with suppress(FileNotFoundError):
            file = os.stat(f"/proc/self/fd/{name}")
            sizes.append(0 if file.st_nlink else file.st_size)
    return sum(sizes)


def _events(sales: int) -> Iterator[Body]:
    random = Random(sales)
    first_day = date(2026, 1, 3)
    for number in range(sales):
        festival = number // SALES_OF_A_FESTIVAL
        opens_on = first_day + timedelta(days=festival * 2 % 360)
        if number % SALES_OF_A_FESTIVAL == 0:
            yield FestivalAnnounced(
                festival=f"F{festival}",
                name=f"Festival {festival}",
                place="Kupang",
                zone="Asia/Makassar",
                first_day=opens_on,
                last_day=opens_on + timedelta(days=2),
            )
        maker = random.randrange(FACILITIES)
        product = f"P{maker * PRODUCTS_OF_A_FACILITY + random.randrange(PRODUCTS_OF_A_FACILITY)}"
        lot = f"PR-F{maker:02}-{product}-260101-{number // SALES_OF_A_LOT:06}-W"
        if number % SALES_OF_A_LOT == 0:
            yield _balance(lot, f"PR-F{maker:02}", product)
        opening = datetime(opens_on.year, opens_on.month, opens_on.day, tzinfo=UTC)
        sale = SalePublished(
            sale=str(UUID(int=random.getrandbits(128))),
            facility=f"PR-F{maker:02}",
            festival=f"F{festival}",
            product=product,
            revision=1,
            sequence=1,
            lots=(LotShare(lot=lot, qty=2, amount_rupiah=50_000),),
            qty=2,
            amount_rupiah=50_000,
            sold_at=opening + timedelta(seconds=random.randrange(3 * 86_400)),
        )
        yield sale
        if random.random() < TAKEN_BACK:
            yield sale.model_copy(update={"revision": 2, "lots": (), "qty": 0, "amount_rupiah": 0})


def _balance(lot: str, facility: str, product: str) -> StockChanged:
    return StockChanged(
        lot=lot,
        revision=1,
        facility=facility,
        product=product,
        category="tenun",
        made_on=date(2026, 1, 1),
        best_before=None,
        recorded=40,
        corrected=0,
        on_hand=40,
        reserved=0,
        dispatched=0,
        returned=0,
        written_off=0,
        recalled=False,
    )


if __name__ == "__main__":
    main()
