"""Each facility's part of each sale, and each lot, as the public stream said last: in a file that this process alone
has, so that memory does not grow with the sales."""

import json
import sqlite3
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b

from shared.events.inventory import StockChanged
from shared.events.sales import AdjustmentPublished, SalePublished

# Of the file's pages; the others are in the operating system's hands.
CACHE_KIB = 8192
KEY_BYTES = 16
# Nothing of the file is needed after a crash: the stream is read again. So there is one transaction without an end.
SCHEMA = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -{CACHE_KIB};
CREATE TABLE parts (
    key BLOB PRIMARY KEY, revision INTEGER, facility TEXT, festival TEXT, product TEXT, qty INTEGER, rupiah INTEGER,
    lots TEXT, sold_at INTEGER
) WITHOUT ROWID;
CREATE TABLE lots (
    lot TEXT PRIMARY KEY, revision INTEGER, facility TEXT, product TEXT, category TEXT, made_on INTEGER,
    best_before INTEGER, recalled INTEGER, withdrawn INTEGER
) WITHOUT ROWID;
CREATE TABLE lots_sold (lot TEXT, festival TEXT, qty INTEGER, PRIMARY KEY (lot, festival)) WITHOUT ROWID;
BEGIN;
"""


@dataclass(frozen=True, slots=True)
class PublicLot:
    """A lot by its latest balance."""

    lot: str
    revision: int
    facility: str
    product: str
    category: str
    made_on: date
    best_before: date | None
    recalled: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class PublicPart:
    """A facility's part of a sale, or of an adjustment (without a time). `lots`: pieces by lot."""

    revision: int
    facility: str
    festival: str
    product: str
    qty: int
    rupiah: int
    lots: tuple[tuple[str, int], ...]
    sold_at: datetime | None

    @classmethod
    def of(cls, body: SalePublished | AdjustmentPublished) -> "PublicPart":
        return cls(
            body.revision,
            body.facility,
            body.festival,
            body.product,
            body.qty,
            body.amount_rupiah,
            tuple((share.lot, share.qty) for share in body.lots),
            body.sold_at if isinstance(body, SalePublished) else None,
        )


class PublicParts:
    """The file: it has no name, and is gone with the process."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.executescript(SCHEMA)
        weakref.finalize(self, self._file.close)

    def keep(self, name: str, part: PublicPart) -> tuple[PublicPart | None, bool]:
        """Keep the part in place of the one that is known under the name. Returns that one, and whether the new one
        is kept: an older revision, or one that is known, is not."""
        key = blake2b(f"{name} {part.facility}".encode(), digest_size=KEY_BYTES).digest()
        row = self._file.execute(f"SELECT {_PART} FROM parts WHERE key = ?", (key,)).fetchone()
        known = _part(row) if row is not None else None
        if known is not None and known.revision >= part.revision:
            return known, False
        self._file.execute(
            "REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                part.revision,
                part.facility,
                part.festival,
                part.product,
                part.qty,
                part.rupiah,
                json.dumps(part.lots),
                round(part.sold_at.timestamp() * 1000) if part.sold_at is not None else None,
            ),
        )
        for of, sign in ((known, -1), (part, 1)):
            if of is not None:
                self._count_lots(of, sign)
        return known, True

    def sales_of(self, festival: str) -> Iterator[PublicPart]:
        """The parts of all sales of the festival, without adjustments."""
        rows = self._file.execute(
            f"SELECT {_PART} FROM parts WHERE festival = ? AND sold_at IS NOT NULL", (festival,)
        )
        return map(_part, rows)

    def sold_of(self, lot: str) -> dict[str, int]:
        """The pieces of the lot that were sold, by festival."""
        rows = self._file.execute("SELECT festival, qty FROM lots_sold WHERE lot = ? ORDER BY festival", (lot,))
        return {festival: qty for festival, qty in rows if qty}

    def keep_lot(self, body: StockChanged) -> None:
        """Keep the balance, unless a newer one is known."""
        best_before = body.best_before.toordinal() if body.best_before is not None else None
        self._file.execute(
            "INSERT INTO lots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (lot) DO UPDATE SET"
            " (revision, facility, product, category, made_on, best_before, recalled, withdrawn) ="
            " (excluded.revision, excluded.facility, excluded.product, excluded.category, excluded.made_on,"
            " excluded.best_before, excluded.recalled, excluded.withdrawn) WHERE excluded.revision >= revision",
            (
                body.lot,
                body.revision,
                body.facility,
                body.product,
                body.category,
                body.made_on.toordinal(),
                best_before,
                body.recalled,
                body.withdrawn,
            ),
        )

    def lot(self, lot: str) -> PublicLot | None:
        row = self._file.execute("SELECT * FROM lots WHERE lot = ?", (lot,)).fetchone()
        if row is None:
            return None
        return PublicLot(
            lot=row[0],
            revision=row[1],
            facility=row[2],
            product=row[3],
            category=row[4],
            made_on=date.fromordinal(row[5]),
            best_before=date.fromordinal(row[6]) if row[6] is not None else None,
            recalled=bool(row[7]),
            withdrawn=bool(row[8]),
        )

    def _count_lots(self, part: PublicPart, sign: int) -> None:
        self._file.executemany(
            "INSERT INTO lots_sold VALUES (?, ?, ?)"
            " ON CONFLICT (lot, festival) DO UPDATE SET qty = qty + excluded.qty",
            [(lot, part.festival, sign * qty) for lot, qty in part.lots],
        )


_PART = "revision, facility, festival, product, qty, rupiah, lots, sold_at"
_Row = tuple[int, str, str, str, int, int, str, int | None]


def _part(row: _Row) -> PublicPart:
    revision, facility, festival, product, qty, rupiah, lots, sold_at = row
    return PublicPart(
        revision,
        facility,
        festival,
        product,
        qty,
        rupiah,
        tuple((lot, pieces) for lot, pieces in json.loads(lots)),
        datetime.fromtimestamp(sold_at / 1000, UTC) if sold_at is not None else None,
    )
