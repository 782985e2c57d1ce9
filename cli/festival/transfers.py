"""Commands for transfers: pieces that move between booths, counted at both ends."""

from typing import Annotated

import typer

from cli.festival import counting
from cli.festival.counting import Arrival, Yes, refuse_elsewhere
from cli.festival.session import Festival, Json, booth_id, lots_counted, service, show_answer
from shared.translation import tr

app = typer.Typer(no_args_is_help=True, help="Transfers of pieces between booths.")


@app.command()
def send(
    context: typer.Context,
    festival: Festival,
    transfer: Annotated[str, typer.Argument(help="A new name for the transfer, e.g. T1.")],
    booth: Annotated[str, typer.Argument(help="The booth that the pieces leave, e.g. B1.")],
    to: Annotated[str, typer.Argument(help="The booth that they go to, e.g. B2.")],
    lots: Annotated[list[str], typer.Argument(help="LOT=PIECES counted.")],
    as_json: Json = False,
) -> None:
    """Count the pieces that leave a booth for another one."""
    counted = lots_counted(lots)
    giver, taker = booth_id(festival, booth), booth_id(festival, to)
    pieces = sum(counted.values())
    body = {"transfer": transfer, "booth": giver, "to": taker, "lots": _rows(counted)}
    with service(context) as api:
        answer = api.command("festivals", festival, "transfers", body=body)
        message = tr(
            "Transfer {transfer} is on its way: {pieces:piece|pieces} from {giver} to {taker}.",
            transfer=transfer,
            pieces=pieces,
            giver=giver,
            taker=taker,
        )
        show_answer(answer, message, as_json=as_json, extra={"transfer": transfer, "pieces": pieces})


@app.command()
def receive(
    context: typer.Context,
    festival: Festival,
    transfer: Annotated[str, typer.Argument(help="The transfer that arrived.")],
    lots: Annotated[
        list[str] | None, typer.Argument(help="LOT=PIECES counted; with --yes, lots that are not named are lost.")
    ] = None,
    as_sent: Annotated[bool, typer.Option("--as-sent", help="Everything that was sent has arrived.")] = False,
    booth: Annotated[str | None, typer.Option(help="The booth where it was counted, if that is in doubt.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Count in the pieces of a transfer. Shows sent, counted, lost and surplus pieces of each lot that differs."""
    counted = lots_counted(lots or [])
    if as_sent == bool(counted):
        raise typer.BadParameter(tr("count the lots, or use --as-sent"))
    with service(context) as api:
        arrival = Arrival(festival, "transfers", api.get("festivals", festival, "transfers", transfer))
        if booth is not None and booth_id(festival, booth) != arrival.booth:
            refuse_elsewhere(api, arrival, booth_id(festival, booth))
        counting.receive(api, arrival, arrival.as_sent if as_sent else counted, yes=yes, as_json=as_json)


@app.command()
def recount(
    context: typer.Context,
    festival: Festival,
    transfer: Annotated[str, typer.Argument(help="The transfer that was counted wrong.")],
    lots: Annotated[list[str], typer.Argument(help="LOT=PIECES, the whole count of each lot that was wrong.")],
    as_json: Json = False,
) -> None:
    """Count lots of a received transfer again, at the booth that it went to."""
    counts = lots_counted(lots)
    with service(context) as api:
        arrival = Arrival(festival, "transfers", api.get("festivals", festival, "transfers", transfer))
        counting.recount(api, arrival, counts, as_json=as_json)


def _rows(counted: dict[str, int]) -> list[dict[str, str | int]]:
    return [{"lot": lot, "qty": qty} for lot, qty in counted.items()]
