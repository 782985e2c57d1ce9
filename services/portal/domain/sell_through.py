"""What booths sold by product, and by hour or day, as a table and as a picture."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

# Of the picture: names on the left, bars, shares on the right.
WIDTH = 440
LEFT, RIGHT = 64, 372
ROW_HEIGHT, BAR_HEIGHT = 46, 36
AXIS_HEIGHT = 22
GAP = 2
LABELS = 5
THINNEST = 1.5
K = TypeVar("K", int, date)


@dataclass(frozen=True, slots=True)
class SoldHourRow:
    """Pieces sold in the hour that begins at `at`."""

    at: datetime
    qty: int


@dataclass(frozen=True, slots=True)
class SoldProductRow:
    """A product at a booth, in pieces. `moved`: sent to other booths."""

    product: str
    stocked: int
    sold: int
    lost: int
    moved: int
    unsold: int
    sold_rupiah: int
    hours: tuple[SoldHourRow, ...]


@dataclass(frozen=True, slots=True)
class SellThroughRow:
    """A booth's products with what sold of them by hour."""

    booth: str
    name: str | None
    products: tuple[SoldProductRow, ...]

    @property
    def short(self) -> str:
        return self.booth.partition(".")[2]


@dataclass(frozen=True, slots=True)
class ProductSums:
    """A product over all booths, in pieces. Pieces that moved between booths count once."""

    product: str
    stocked: int
    sold: int
    lost: int
    unsold: int
    sold_rupiah: int

    @property
    def percent(self) -> int:
        return _percent(self.sold, self.stocked)


@dataclass(frozen=True, slots=True)
class SoldAtBooth:
    """A booth's pieces in each column of the table. `percent`: sold of what it ever had to sell."""

    booth: str
    short: str
    name: str
    pieces: tuple[int, ...]
    percent: int

    @property
    def sum(self) -> int:
        return sum(self.pieces)


@dataclass(frozen=True, slots=True)
class SoldTable:
    """Booths as rows, and hours (or days) as columns."""

    columns: tuple[str, ...]
    rows: tuple[SoldAtBooth, ...]

    @property
    def sums(self) -> list[int]:
        return [sum(row.pieces[column] for row in self.rows) for column in range(len(self.columns))]


@dataclass(frozen=True, slots=True)
class SoldBar:
    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class AxisLabel:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class ChartRow:
    """A booth in the picture. `base`: where its bars stand."""

    short: str
    base: float
    percent: int
    bars: Sequence[SoldBar]


@dataclass(frozen=True, slots=True)
class SoldChart:
    """The picture: a row of bars for each booth, all by the same scale."""

    rows: Sequence[ChartRow]
    labels: Sequence[AxisLabel]
    height: float
    width: int = WIDTH
    left: int = LEFT
    right: int = RIGHT


def product_sums(booths: Iterable[SellThroughRow]) -> list[ProductSums]:
    """The products of these booths, the most sold first."""
    rows: dict[str, list[SoldProductRow]] = defaultdict(list)
    for booth in booths:
        for product in booth.products:
            rows[product.product].append(product)
    sums = [
        ProductSums(
            product,
            stocked=sum(row.stocked - row.moved for row in found),
            sold=sum(row.sold for row in found),
            lost=sum(row.lost for row in found),
            unsold=sum(row.unsold for row in found),
            sold_rupiah=sum(row.sold_rupiah for row in found),
        )
        for product, found in rows.items()
    ]
    return sorted(sums, key=lambda row: (-row.sold, row.product))


def sold_by_hour(booths: Iterable[SellThroughRow], zone: ZoneInfo, product: str = "") -> SoldTable:
    """The pieces by clock hour, from the first with sales to the last. `product`: only of this one."""
    booths = list(booths)
    hours = [hour.at.astimezone(zone).hour for hour in _hours(booths, product)]
    columns = list(range(min(hours), max(hours) + 1)) if hours else []
    return _table(booths, product, columns, lambda at: at.astimezone(zone).hour, lambda hour: f"{hour:02}:00")


def sold_by_day(
    booths: Iterable[SellThroughRow], zone: ZoneInfo, written: Callable[[date], str], product: str = ""
) -> SoldTable:
    """The pieces by day, each day with sales as `written`."""
    booths = list(booths)
    columns = sorted({hour.at.astimezone(zone).date() for hour in _hours(booths, product)})
    return _table(booths, product, columns, lambda at: at.astimezone(zone).date(), written)


def chart_of(table: SoldTable) -> SoldChart | None:
    """The picture of the table, or None without a piece."""
    most = max((qty for row in table.rows for qty in row.pieces), default=0)
    if most <= 0:
        return None
    step = (RIGHT - LEFT) / len(table.columns)
    rows: list[ChartRow] = []
    for number, row in enumerate(table.rows):
        base = (number + 1) * ROW_HEIGHT
        bars = [
            SoldBar(
                x=round(LEFT + column * step + GAP / 2, 1),
                y=round(base - height, 1),
                width=round(max(THINNEST, step - GAP), 1),
                height=round(height, 1),
                text=f"{row.short}, {table.columns[column]}: {qty}",
            )
            for column, qty in enumerate(row.pieces)
            if qty > 0 and (height := max(THINNEST, BAR_HEIGHT * qty / most))
        ]
        rows.append(ChartRow(row.short, base, row.percent, bars))
    every = -(-len(table.columns) // LABELS)
    labels = [
        AxisLabel(round(LEFT + (column + 0.5) * step, 1), text)
        for column, text in enumerate(table.columns)
        if column % every == 0
    ]
    return SoldChart(rows, labels, len(rows) * ROW_HEIGHT + AXIS_HEIGHT)


def _hours(booths: Sequence[SellThroughRow], product: str) -> list[SoldHourRow]:
    return [hour for booth in booths for row in _chosen(booth, product) for hour in row.hours]


def _chosen(booth: SellThroughRow, product: str) -> list[SoldProductRow]:
    return [row for row in booth.products if product in ("", row.product)]


def _table(
    booths: Sequence[SellThroughRow],
    product: str,
    columns: Sequence[K],
    column_of: Callable[[datetime], K],
    written: Callable[[K], str],
) -> SoldTable:
    rows: list[SoldAtBooth] = []
    for booth in booths:
        products = _chosen(booth, product)
        pieces: Counter[K] = Counter()
        for row in products:
            for hour in row.hours:
                pieces[column_of(hour.at)] += hour.qty
        offered = sum(row.stocked - row.moved for row in products)
        percent = _percent(sum(row.sold for row in products), offered)
        if products:
            counts = tuple(pieces[column] for column in columns)
            rows.append(SoldAtBooth(booth.booth, booth.short, booth.name or "", counts, percent))
    return SoldTable(tuple(written(column) for column in columns), tuple(rows))


def _percent(sold: int, offered: int) -> int:
    return round(100 * sold / offered) if offered > 0 else 0
