"""`karya till edit` and `remove`: records that were not sent yet."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.parameters import WHOLE
from cli.till.receipts import show_receipt
from cli.till.session import Json, Why, open_till, show_record
from edge.till.basket import parse_basket, with_discounts
from shared import typed
from shared.errors import WrongEntry
from shared.events.sales import PaymentKind
from shared.translation import tr
from shared.wording import Message

Number = Annotated[int, typer.Argument(parser=WHOLE, metavar="RECORD", help="The record's number, as in `list`.")]


def edit(
    context: typer.Context,
    number: Number,
    items: Annotated[
        list[str] | None,
        typer.Argument(metavar="ITEM[=PIECES][@PRICE]", help="The whole basket of the receipt, as for sell."),
    ] = None,
    why: Why = "",
    off: Annotated[
        list[str] | None, typer.Option(metavar="ITEM=RUPIAH", help="A discount on one line; may be repeated.")
    ] = None,
    discount: Annotated[str, typer.Option(help="Rupiah off the whole receipt.")] = "0",
    pay: Annotated[PaymentKind | None, typer.Option(help="How it was paid; as before if left out.")] = None,
    reference: Annotated[str | None, typer.Option(help="The payment's reference in another system.")] = None,
    given: Annotated[str | None, typer.Option(help="Cash that was handed over; the change is shown.")] = None,
    float_: Annotated[
        str | None, typer.Option("--float", help="For the opening of a drawer: rupiah in it at the start.")
    ] = None,
    unlisted: Annotated[
        bool, typer.Option("--unlisted", help="Record a product that this till's list does not have (yet).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Change a receipt, or the float of a drawer, that was not sent yet. Its time and prices stay those of then."""
    with open_till(context) as till:
        if float_ is not None:
            if items:
                raise WrongEntry(Message("--float is for the opening of a drawer, which has no items."))
            record = till.edit_float(number, typed.rupiah(float_))
            show_record(
                till, record, as_json=as_json, action=tr("A float of {float:rupiah} kept", float=typed.rupiah(float_))
            )
            return
        receipt = till.edit_receipt(
            number,
            with_discounts(parse_basket(items or []), off or []),
            why=why,
            discount_rupiah=typed.rupiah(discount),
            payment=pay,
            reference=reference,
            given_rupiah=None if given is None else typed.rupiah(given),
            unlisted=unlisted,
        )
        show_receipt(till, receipt, as_json=as_json)


def remove(context: typer.Context, number: Number, why: Why = "", as_json: Json = False) -> None:
    """Take out a record that was not sent yet. Goods that a buyer brings back need a void instead."""
    with open_till(context) as till:
        record = till.take_out(number, at=datetime.now(UTC), reason=why)
        show_record(till, record, as_json=as_json, action=tr("The removal is kept"))
