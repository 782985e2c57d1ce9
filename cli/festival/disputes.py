"""The command that lists sales in doubt, while a festival runs and after it."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from cli.console import exit_on_error, say, show_json, show_table
from cli.festival.client import Row, ServiceClient
from cli.festival.session import Festival, Json, booth_id, festival_time, sales_service
from shared import shown

COLUMNS = ["booth", "sale", "since", "till", "item", "pieces", "rupiah", "state", "why"]
_WHY = {
    "booth_not_opened": "no festival has opened the booth",
    "not_stocked": "never counted in there",
    "other_product": "the lot is of another product there",
    "beyond_stock": "more than was counted in",
}
_ENDS = {
    "waiting": "stock that is counted in there, a void, or your decision; undecided, it is in dispute after closing",
    "disputed": "your decision, or a void",
}


def disputes(
    context: typer.Context,
    festival: Festival,
    booth: Annotated[str | None, typer.Option(help="Only this booth, e.g. B1.")] = None,
    as_json: Json = False,
) -> None:
    """List sales that wait for stock or are in dispute: what, where, since when, why, and what ends it."""
    with exit_on_error(), sales_service(context) as sales:
        wanted = booth_id(festival, booth) if booth else None
        booths = [page for page in doubts(sales, festival) if wanted in (None, page["booth"])]
        rows = list(doubtful(booths))
        if as_json:
            show_json(rows)
            return
        show_table(COLUMNS, [doubt_row(row) for row in rows], f"No sale of {wanted or festival} is in doubt.")
        if rows:
            say(told(festival, booths))


def doubts(sales: ServiceClient, festival: str) -> list[Row]:
    """The pages of all booths of the festival, with their sales in doubt and takings. Raises NotAnswered."""
    return sales.all("disputes", by="booth", festival=festival)


def doubtful(booths: Iterable[Row]) -> Iterator[Row]:
    """A row for each sale in doubt, with its booth, its state and what ends it."""
    for booth in booths:
        for sale in booth["sales"]:
            state = "disputed" if sale["disputed"] else "waiting"
            yield {
                **sale,
                "booth": booth["booth"],
                "zone": booth["zone"],
                "state": state,
                "pieces": sale["waiting"] + sale["disputed"],
                "ends": _ENDS[state],
            }


def doubt_row(row: Row) -> Row:
    """The row as a table shows it."""
    return {
        **row,
        "since": festival_time(row["sold_at"], row["zone"] or "UTC"),
        "item": row["lot"] or row["product"],
        "rupiah": shown.rupiah(row["rupiah"]),
        "why": _WHY.get(row["why"], row["why"]),
    }


def told(festival: str, booths: Iterable[Row]) -> str:
    """What ends the doubt, and how many receipts are not shown."""
    booths = list(booths)
    text = (
        f"Decide with `karya festival dispute {festival} SALE accepted --booth BOOTH [--lot LOT]`, or `rejected`. "
        "Waiting sales also end when their stock is counted in, or by a void."
    )
    hidden = sum(booth["receipts"] - len({sale["receipt"] for sale in booth["sales"]}) for booth in booths)
    return f"{text} {hidden} more receipts follow when these are decided." if hidden else text
