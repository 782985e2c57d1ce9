"""The command for strays: sales for booths that do not exist, since a till was set up with a wrong name."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Annotated

import typer

from cli.console import show_json, show_table
from cli.festival.client import Row, ServiceClient
from cli.festival.session import Json, festival_time, sales_service, service
from shared import shown
from shared.translation import tr

# The least similarity of two ids, from 0 to 1, at which one may be a typing error of the other.
ALIKE = 0.6


def strays(
    context: typer.Context,
    festival: Annotated[
        str | None, typer.Argument(help="Only strays that were probably meant for this festival; all if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List sales for booths that do not exist, with the booth that was probably meant."""
    with service(context) as api, sales_service(context) as sales:
        booths = list(_booths(api))
        rows = [_with_nearest(stray, booths) for stray in sales.all("strays", by="booth")]
        selected = [row for row in rows if festival in (None, row["festival"])]
        if as_json:
            show_json(selected)
            return
        zones = {booth["festival"]: booth["zone"] for booth in booths}
        columns = ["booth", "nearest", "tills", "receipts", "takings", "first_at", "last_at", "moved_to", "unmoved"]
        table = [_row(row, zones.get(row["festival"], "UTC")) for row in selected]
        show_table(columns, table, tr("No sale strayed: every booth that tills named exists."))


def nearest(id: str, booths: Iterable[str]) -> str | None:
    """The booth with the most similar id, ignoring case; None if none is similar. Of equals the first by id."""
    similarity = {booth: SequenceMatcher(None, id.casefold(), booth.casefold()).ratio() for booth in sorted(booths)}
    best = max(similarity, key=lambda booth: similarity[booth], default=None)
    return best if best is not None and similarity[best] >= ALIKE else None


def _booths(api: ServiceClient) -> Iterable[Row]:
    """Every booth of a festival that was not cancelled, with the festival's zone."""
    for festival in api.all("festivals", by="festival"):
        if festival["status"] != "cancelled":
            for booth in api.all("festivals", festival["festival"], "booths", by="booth"):
                yield {"booth": booth["booth"], "festival": festival["festival"], "zone": festival["zone"]}


def _with_nearest(stray: Row, booths: Sequence[Row]) -> Row:
    festivals = {booth["booth"]: booth["festival"] for booth in booths}
    booth = nearest(stray["booth"], festivals)
    return {**stray, "nearest": booth, "festival": festivals[booth] if booth else None}


def _row(row: Row, zone: str) -> Row:
    return {
        **row,
        "tills": ", ".join(row["tills"]),
        "takings": shown.rupiah(row["rupiah"]),
        "first_at": festival_time(row["first_at"], zone),
        "last_at": festival_time(row["last_at"], zone),
    }
