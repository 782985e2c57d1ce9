"""The tables of a facility as files for spreadsheets: with codes, and with more columns than its page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import SimpleNamespace

from services.portal.api.files import FileTable, table_of
from services.portal.api.pages import either
from services.portal.domain.answers import DemandPage, FacilityShareRow, LotRow, SettlementRow
from services.portal.store import PublicStream, Statement
from shared.http.problems import PageRefused
from shared.wording import Message

NOT_WHOLE = Message(
    "What was sold is still being read, so that the file would not be whole. Please try again in a moment."
)
LOT_COLUMNS = [
    "lot",
    "product",
    "made_on",
    "recorded",
    "corrected",
    "on_hand",
    "reserved",
    "dispatched",
    "returned",
    "written_off",
    "sold",
]
OWED_COLUMNS = [
    "festival",
    "qty",
    "sold_rupiah",
    "facility_rupiah",
    "maker_premium_rupiah",
    "programme_rupiah",
    "provisional_qty",
    "issued",
]
STATEMENT_COLUMNS = [
    "name",
    "festival",
    "kind",
    "issued_at",
    "qty",
    "sold_rupiah",
    "facility_rupiah",
    "maker_premium_rupiah",
    "programme_rupiah",
]
SHARE_COLUMNS = ["festival", "request", "day", "status", "offered", "allocated", "reason"]
DEMAND_COLUMNS = ["festival", "product", "stocked", "sold", "unsold", "sold_rupiah", "ran_out", "lost_sales"]


def facility_tables(
    facility: str,
    stream: PublicStream,
    *,
    lots: Iterable[LotRow],
    settlements: Iterable[SettlementRow],
    statements: Iterable[Statement],
    shares: Iterable[FacilityShareRow],
    demand: Sequence[DemandPage],
) -> Mapping[str, FileTable]:
    """The files of a facility's page, by the names of its tables."""
    return {
        "lots": table_of(f"{facility}-lots", LOT_COLUMNS, _lot_rows(lots, stream)),
        "owed": table_of(f"{facility}-owed", OWED_COLUMNS, settlements),
        "statements": table_of(f"{facility}-statements", STATEMENT_COLUMNS, map(_statement_row, statements)),
        "shares": table_of(f"{facility}-shares", SHARE_COLUMNS, map(_share_row, shares)),
        "demand": table_of(f"{facility}-demand", DEMAND_COLUMNS, _demand_rows(demand)),
    }


def statement_tables(statement: Statement) -> Mapping[str, FileTable]:
    """The file of a statement's page: its one row, with the amounts that it is about."""
    return {"amounts": table_of(statement.name, STATEMENT_COLUMNS, [_statement_row(statement)])}


def _lot_rows(lots: Iterable[LotRow], stream: PublicStream) -> Iterator[SimpleNamespace]:
    """Raises PageRefused while the sales are not read whole."""
    if not stream.is_whole:
        raise PageRefused(503, NOT_WHOLE)
    for row in lots:
        yield SimpleNamespace(**asdict(row), sold=stream.pieces_sold(row.lot))


def _share_row(row: FacilityShareRow) -> SimpleNamespace:
    return SimpleNamespace(**asdict(row) | {"reason": either(row.reason, row.reason_id)})


def _demand_rows(demand: Iterable[DemandPage]) -> Iterator[SimpleNamespace]:
    for page in demand:
        for row in page.products:
            yield SimpleNamespace(**asdict(row), ran_out=row.ran_out, festival=page.festival)


def _statement_row(statement: Statement) -> SimpleNamespace:
    row = {name: getattr(statement, name) for name in ("name", "festival", "kind", "issued_at")}
    return SimpleNamespace(**row, **asdict(statement.amounts))
