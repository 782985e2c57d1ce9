"""`karya terminal edit` and `remove`: records that were not sent yet."""

from datetime import date
from typing import Annotated

import typer

from cli.console import say, show_json
from cli.parameters import CHANGE, DAY, WHOLE
from cli.terminal_session import Json, open_terminal, show_record, what
from edge.terminal.terminal import ReportChange
from shared.translation import tr

Number = Annotated[int, typer.Argument(parser=WHOLE, metavar="RECORD", help="The record's number, as in `list`.")]


def edit(
    context: typer.Context,
    number: Number,
    product: Annotated[str | None, typer.Option(help="The product's code.")] = None,
    qty: Annotated[int | None, typer.Option(parser=WHOLE, help="How many pieces were made.")] = None,
    made_on: Annotated[date | None, typer.Option(parser=DAY, help="The day when it was made.")] = None,
    best_before: Annotated[date | None, typer.Option(parser=DAY, help="The last day on which it is good.")] = None,
    maker: Annotated[str | None, typer.Option(help="The maker's private number.")] = None,
    lot: Annotated[str | None, typer.Option(help="The lot that a correction or recall is about.")] = None,
    change: Annotated[int | None, typer.Option(parser=CHANGE, help="How many more or fewer pieces.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, in a few words. No names, please.")] = None,
    unlisted: Annotated[
        bool, typer.Option("--unlisted", help="Take a product that this device's list does not have (yet).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change a record that was not sent yet. What is left out stays as it is."""
    with open_terminal(context) as terminal:
        report_change = ReportChange(product, qty, made_on, best_before, maker, lot, change, reason)
        show_record(context, terminal, terminal.edit(number, report_change, unlisted=unlisted), as_json=as_json)


def remove(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Take out a record that was not sent yet. Its number is not given again."""
    with open_terminal(context) as terminal:
        record = terminal.take_out(number)
        unsent_count = terminal.counts().pending
        if as_json:
            show_json({"record": record.number, "id": record.id, "taken_out": True, "to_send": unsent_count})
        else:
            say(
                tr(
                    "Record {number} is taken out: {what}. {unsent} to send.",
                    number=record.number,
                    what=what(record),
                    unsent=unsent_count,
                )
            )
