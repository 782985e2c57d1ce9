"""`karya till sell` and `void`: receipts."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.console import say, show_json, warn
from cli.till.session import Json, Why, the_till
from edge.till.basket import discounted, entries
from edge.till.till import SoldReceipt, Till
from shared import shown, typed
from shared.errors import WrongEntry
from shared.events.sales import PaymentKind
from shared.shown import pluralize


def sell(
    context: typer.Context,
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="ITEM[=PIECES][@PRICE]",
            help="Lot numbers on labels, or products' codes: KTI, KTI=3, KTI 3, KTI=3@25.000.",
        ),
    ],
    price: Annotated[
        str | None, typer.Option(help="Rupiah per piece of the one item, if it differs from the booth's price.")
    ] = None,
    why: Why = "",
    off: Annotated[
        list[str] | None, typer.Option(metavar="ITEM=RUPIAH", help="A discount on one line; may come again.")
    ] = None,
    discount: Annotated[str, typer.Option(help="Rupiah off the whole receipt.")] = "0",
    pay: Annotated[PaymentKind, typer.Option(help="How it was paid.")] = PaymentKind.CASH,
    reference: Annotated[str, typer.Option(help="What the payment is known by elsewhere.")] = "",
    given: Annotated[str | None, typer.Option(help="Cash that was handed over; the change is told.")] = None,
    happened: Annotated[
        bool, typer.Option("--happened", help="It is already sold: take it in spite of a withdrawal or closing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sell a basket on one receipt."""
    with the_till(context) as till:
        basket = entries(items)
        if price is not None:
            if len(basket) != 1 or basket[0].price_rupiah is not None:
                raise WrongEntry("--price is for one item without a price of its own; else write KTI=3@25.000.")
            basket = entries([f"{basket[0].item}={basket[0].qty}@{price}"])
        sold = till.sell(
            discounted(basket, off or []),
            at=datetime.now(UTC),
            why=why,
            discount_rupiah=typed.rupiah(discount),
            payment=pay,
            reference=reference,
            given_rupiah=None if given is None else typed.rupiah(given),
            happened=happened,
        )
        _show(till, sold, as_json)


def void(
    context: typer.Context,
    receipt: Annotated[str, typer.Argument(help="The receipt's number at this till, or its id.")],
    line: Annotated[str | None, typer.Argument(help="Only this line of it.")] = None,
    pieces: Annotated[str | None, typer.Argument(help="Only so many pieces of the line.")] = None,
    refund: Annotated[
        PaymentKind | None,
        typer.Option(help="How the money goes back; as it was paid if left out, in cash if another device was paid."),
    ] = None,
    returned: Annotated[
        str | None, typer.Option(help="Rupiah paid back, for a receipt that this till does not know.")
    ] = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Take back a receipt of the booth, one of its lines, or some pieces of a line."""
    with the_till(context) as till:
        done = till.void(
            receipt,
            None if line is None else typed.whole(line),
            None if pieces is None else typed.whole(pieces),
            at=datetime.now(UTC),
            refund=refund,
            refund_rupiah=None if returned is None else typed.rupiah(returned),
            reason=why,
        )
        waiting = till.spool.counts().pending
        if as_json:
            show_json(
                {
                    "record": done.said.number,
                    "id": done.said.id,
                    "receipt": done.void.receipt,
                    "lines": [{"line": one.line, "qty": one.qty} for one in done.void.lines],
                    "refund": done.void.refund.value,
                    "refund_rupiah": done.void.refund_rupiah,
                    "to_send": waiting,
                }
            )
            return
        many = sum(one.qty for one in done.void.lines)
        say(
            f"Void {done.said.number}: {pluralize(many, 'piece')}. Pay back {shown.rupiah(done.void.refund_rupiah)} "
            f"({done.void.refund.value}). {waiting} to send."
        )
        if done.assumed:
            warn("This till does not know how that receipt was paid, and books cash; --refund says otherwise.")
        _hint(done.void.refund, done.void.drawer)


def _show(till: Till, sold: SoldReceipt, as_json: bool) -> None:
    waiting = till.spool.counts().pending
    receipt = sold.receipt
    change = receipt.payment.change_rupiah if receipt.payment.given_rupiah is not None else None
    if as_json:
        show_json(
            {
                "record": sold.said.number,
                "id": sold.said.id,
                "amount_rupiah": sold.amount_rupiah,
                "lines": [
                    {"line": line.line, "product": line.product, "lot": line.lot, "qty": line.qty, "net_rupiah": net}
                    for line, net in zip(receipt.lines, receipt.net_rupiah, strict=True)
                ],
                "payment": receipt.payment.kind.value,
                "change_rupiah": change,
                "drawer": receipt.drawer,
                "price_list": receipt.price_list,
                "warnings": sold.warnings,
                "to_send": waiting,
            }
        )
        return
    if len(receipt.lines) > 1 or sold.amount_rupiah != receipt.lines[0].gross_rupiah:
        for line, net in zip(receipt.lines, receipt.net_rupiah, strict=True):
            each = shown.rupiah(line.unit_price_rupiah)
            say(f"{line.line}. {line.qty} × {line.lot or line.product} at {each}: {shown.rupiah(net)}")
    say(
        f"Receipt {sold.said.number}: {shown.rupiah(sold.amount_rupiah)} ({receipt.payment.kind.value}). "
        f"{waiting} to send."
    )
    if change is not None:
        say(f"Change: {shown.rupiah(change)}")
    _hint(receipt.payment.kind, receipt.drawer)
    for warning in sold.warnings:
        warn(warning)


def _hint(kind: PaymentKind, drawer: str | None) -> None:
    if kind is PaymentKind.CASH and drawer is None:
        warn("No drawer is open, so this cash is counted for nobody: drawer open --cashier P1 --float 200.000")
