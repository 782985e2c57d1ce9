"""Commands for transfers: pieces that move between booths, counted at both ends."""

from typing import Annotated

import typer

from cli.festival.session import Festival, Json, booth_id, lots_counted, service, show_answer

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
        message = f"Transfer {transfer} is on its way: {pieces} pieces from {giver} to {taker}."
        show_answer(answer, message, as_json=as_json, extra={"transfer": transfer, "pieces": pieces})


@app.command()
def receive(
    context: typer.Context,
    festival: Festival,
    transfer: Annotated[str, typer.Argument(help="The transfer that arrived.")],
    lots: Annotated[
        list[str] | None, typer.Argument(help="LOT=PIECES counted; lots that are not named count as lost.")
    ] = None,
    as_sent: Annotated[bool, typer.Option("--as-sent", help="Everything that was sent has arrived.")] = False,
    as_json: Json = False,
) -> None:
    """Count in the pieces of a transfer."""
    counted = lots_counted(lots or [])
    if as_sent == bool(counted):
        raise typer.BadParameter("count the lots, or use --as-sent")
    with service(context) as api:
        transfer_page = api.get("festivals", festival, "transfers", transfer)
        received = {lot["lot"]: lot["sent"] for lot in transfer_page["lots"]} if as_sent else counted
        body = {"booth": transfer_page["to"], "counted": _rows(received)}
        answer = api.command("festivals", festival, "transfers", transfer, "receive", body=body)
        pieces = sum(received.values())
        message = f"Transfer {transfer} is received: {pieces} pieces at {transfer_page['to']}."
        show_answer(answer, message, as_json=as_json, extra={"transfer": transfer, "pieces": pieces})


def _rows(counted: dict[str, int]) -> list[dict[str, str | int]]:
    return [{"lot": lot, "qty": qty} for lot, qty in counted.items()]
