"""`karya sales` and `karya settlement`: the sales of a festival, and each facility's settlement."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from cli.console import exit_on_error, say, show_csv, show_json, show_table, warn
from cli.festival.client import Row, ServiceClient
from shared import shown
from shared.errors import NotAnswered
from shared.translation import tr

WAIT_SECONDS = 0  # nothing is commanded here

Url = Annotated[str | None, typer.Option(envvar="KARYA_SALES_URL", help="Address of the sales service.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV in UTF-8 for a spreadsheet, with amounts in whole rupiah.")]

PRODUCT_COLUMNS = ["festival", "booth", "product", "stocked", "sold", "sold_rupiah", "lost", "moved", "unsold"]
LOT_COLUMNS = ["festival", "booth", "product", "facility", "lot", *PRODUCT_COLUMNS[3:]]
SETTLEMENT_COLUMNS = [
    "festival",
    "facility",
    "status",
    "revision",
    "qty",
    "sold_rupiah",
    "facility_rupiah",
    "maker_premium_rupiah",
    "programme_rupiah",
    "provisional_qty",
    "provisional_rupiah",
]
_SUMS = ("stocked", "sold", "sold_rupiah", "lost", "moved", "unsold")


def sales(
    festival: Annotated[str, typer.Argument(help="The festival's id, e.g. ODOP.")],
    by_lot: Annotated[bool, typer.Option("--lots", help="A row for each lot instead of each product.")] = False,
    as_csv: Csv = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Show what the booths of a festival have sold so far, by product or by lot."""
    _check_form(as_csv=as_csv, as_json=as_json)
    with exit_on_error(), _service(url) as api:
        booths = api.all("booths", by="booth", festival=festival)
        if not booths:
            raise NotAnswered(tr("Sales knows of no booth of {festival}. Is the id right?", festival=festival))
    lots = [_lot_row(booth, lot) for booth in booths for lot in booth["lots"]]
    rows = lots if by_lot else _by_product(lots)
    columns = LOT_COLUMNS if by_lot else PRODUCT_COLUMNS
    _show(columns, rows, tr("No goods have come to these booths yet."), as_csv=as_csv, as_json=as_json)
    if not as_csv and not as_json and rows:
        pieces, rupiah = sum(row["sold"] for row in rows), sum(row["sold_rupiah"] for row in rows)
        say(tr("{qty:piece|pieces} sold for {rupiah:rupiah}.", qty=pieces, rupiah=rupiah))
    for booth in booths:
        if booth["waiting"] or booth["disputed"]:
            warn(
                tr(
                    "Booth {booth}: {waiting} sales wait and {disputed} are disputed; they are not in these sums.",
                    booth=booth["booth"],
                    waiting=booth["waiting"],
                    disputed=booth["disputed"],
                )
            )


def settlement(
    festival_or_facility: Annotated[str, typer.Argument(help="A festival's id or a facility's code.")],
    as_csv: Csv = False,
    as_json: Json = False,
    url: Url = None,
) -> None:
    """Show each facility's settlement of a festival, or a facility's settlement of each festival.

    It can change until it is issued.
    """
    _check_form(as_csv=as_csv, as_json=as_json)
    with exit_on_error(), _service(url) as api:
        pages = _settlements(api, festival_or_facility)
        if not pages:
            raise NotAnswered(
                tr(
                    "Sales knows of no settlement of {name}: no goods of a facility have come to a booth there. "
                    "Is the id right?",
                    name=festival_or_facility,
                )
            )
    rows = [{**page, "status": "issued" if page["final"] else "so far"} for page in pages]
    if as_json:
        show_json(rows)
        return
    _show(SETTLEMENT_COLUMNS, rows, "", as_csv=as_csv, as_json=False)
    if not as_csv:
        total = sum(row["sold_rupiah"] for row in rows)
        say(tr("{rupiah:rupiah} in all.", rupiah=total))


def _settlements(api: ServiceClient, name: str) -> list[Row]:
    """The settlements of the festival, else those of the facility, with this name. An organiser may read the first
    alone, and a facility's staff the second. Raises NotAnswered if both are refused."""
    refusals: list[NotAnswered] = []
    for by, filters in (("facility", {"festival": name}), ("festival", {"facility": name.upper()})):
        try:
            if pages := api.all("settlements", by=by, **filters):
                return pages
        except NotAnswered as refusal:
            if refusal.status != 403:
                raise
            refusals.append(refusal)
    if len(refusals) == 2:
        raise refusals[0]
    return []


def _check_form(*, as_csv: bool, as_json: bool) -> None:
    if as_csv and as_json:
        raise typer.BadParameter(tr("choose --csv or --json: one of them"))


def _service(url: str | None) -> ServiceClient:
    if not url:
        raise NotAnswered(tr("No sales service is known here: run `make up`, or set KARYA_SALES_URL to its address."))
    return ServiceClient(url, WAIT_SECONDS, "sales")


def _lot_row(booth: Row, lot: Row) -> Row:
    names = ("product", "facility", "lot", *_SUMS)
    return {"festival": booth["festival"], "booth": booth["booth"], **{name: lot[name] for name in names}}


def _by_product(lots: Iterable[Row]) -> list[Row]:
    """The sums of each product at each booth."""
    rows: dict[tuple[str, str], Row] = {}
    for lot in lots:
        key = lot["booth"], lot["product"]
        row = rows.setdefault(key, {**{name: lot[name] for name in PRODUCT_COLUMNS[:3]}, **dict.fromkeys(_SUMS, 0)})
        for name in _SUMS:
            row[name] += lot[name]
    return [rows[key] for key in sorted(rows)]


def _show(columns: Sequence[str], rows: Sequence[Row], empty: str, *, as_csv: bool, as_json: bool) -> None:
    if as_json:
        show_json(rows)
    elif as_csv:
        show_csv(columns, rows)
    else:
        amounts = [name for name in columns if name.endswith("_rupiah")]
        table = [{**row, **{name: shown.rupiah(row[name]) for name in amounts}} for row in rows]
        show_table(columns, table, empty, words=("status",))
