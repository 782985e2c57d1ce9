"""The command that lists sales in doubt, while a festival runs and after it."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from cli.console import exit_on_error, say, show_json, show_table
from cli.festival.client import Row, ServiceClient
from cli.festival.session import Festival, Json, booth_id, festival_time, sales_service
from shared import shown
from shared.translation import tr

_WHY = {
    "booth_not_opened": "no festival has opened the booth",
    "not_stocked": "never counted in there",
    "other_product": "the lot is of another product there",
    "beyond_stock": "more than was counted in",
}
# What ends it, as programs read it.
_ENDS = {"waiting": ["stock", "void", "decision", "closing"], "disputed": ["void", "decision"]}


def disputes(
    context: typer.Context,
    festival: Festival,
    booth: Annotated[str | None, typer.Option(help="Only this booth, e.g. B1.")] = None,
    as_json: Json = False,
) -> None:
    """List sales that wait for stock or are in dispute: what, where, since when, why, and what ends it."""
    with exit_on_error(), sales_service(context) as sales:
        selected_booth = booth_id(festival, booth) if booth else None
        booths = [page for page in doubts(sales, festival) if selected_booth in (None, page["booth"])]
        rows = list(doubtful(booths))
        if as_json:
            show_json(rows)
            return
        show_doubts(festival, booths, tr("No sale of {place} is in doubt.", place=selected_booth or festival))


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


def show_doubts(festival: str, booths: Iterable[Row], empty: str) -> None:
    """Show the sales in doubt of these booths as a table, and what ends them; `empty` if there are none."""
    booths = list(booths)
    rows = [_row(row) for row in doubtful(booths)]
    show_table(
        ["booth", "sale", "since", "till", "item", "pieces", "rupiah", "state", "why"],
        rows,
        empty,
        words=("state", "why"),
    )
    if not rows:
        return
    say(
        tr(
            "Decide with `karya festival dispute {festival} SALE accepted --booth BOOTH [--lot LOT]`, or `rejected`. "
            "A waiting sale also ends when its stock is counted in, or by a void; closing makes it a dispute.",
            festival=festival,
        )
    )
    hidden_count = sum(booth["receipts"] - len({sale["receipt"] for sale in booth["sales"]}) for booth in booths)
    if hidden_count:
        say(tr("{hidden:more receipt follows|more receipts follow} after these decisions.", hidden=hidden_count))


def _row(row: Row) -> Row:
    """The row as a table shows it."""
    return {
        **row,
        "since": festival_time(row["sold_at"], row["zone"] or "UTC"),
        "item": row["lot"] or row["product"],
        "rupiah": shown.rupiah(row["rupiah"]),
        "why": _WHY.get(row["why"], row["why"]),
    }
