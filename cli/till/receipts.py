"""`karya till sell` and `void`: receipts."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.console import say, show_json, warn
from cli.till.session import Json, Why, open_till
from edge.till.basket import parse_basket, with_discounts
from edge.till.till import SoldReceipt, Till
from shared import typed
from shared.errors import WrongEntry
from shared.events.sales import PaymentKind
from shared.translation import tr, translated
from shared.wording import Message


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
        list[str] | None, typer.Option(metavar="ITEM=RUPIAH", help="A discount on one line; may be repeated.")
    ] = None,
    discount: Annotated[str, typer.Option(help="Rupiah off the whole receipt.")] = "0",
    pay: Annotated[PaymentKind, typer.Option(help="How it was paid.")] = PaymentKind.CASH,
    reference: Annotated[str, typer.Option(help="The payment's reference in another system.")] = "",
    given: Annotated[str | None, typer.Option(help="Cash that was handed over; the change is shown.")] = None,
    happened: Annotated[
        bool, typer.Option("--happened", help="It is already sold: record it in spite of a withdrawal or closing.")
    ] = False,
    unlisted: Annotated[
        bool, typer.Option("--unlisted", help="Record a product that this till's list does not have (yet).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Sell a basket on one receipt."""
    with open_till(context) as till:
        basket = parse_basket(items)
        if price is not None:
            if len(basket) != 1 or basket[0].price_rupiah is not None:
                raise WrongEntry(
                    Message("--price is for one item without a price of its own; else write KTI=3@25.000.")
                )
            basket = parse_basket([f"{basket[0].item}={basket[0].qty}@{price}"])
        sold = till.sell(
            with_discounts(basket, off or []),
            at=datetime.now(UTC),
            why=why,
            discount_rupiah=typed.rupiah(discount),
            payment=pay,
            reference=reference,
            given_rupiah=None if given is None else typed.rupiah(given),
            happened=happened,
            unlisted=unlisted,
        )
        show_receipt(till, sold, as_json=as_json)


def void(
    context: typer.Context,
    receipt: Annotated[str, typer.Argument(help="The receipt's number at this till, or its id.")],
    line: Annotated[str | None, typer.Argument(help="Only this line of it.")] = None,
    pieces: Annotated[str | None, typer.Argument(help="Only so many pieces of the line.")] = None,
    refund: Annotated[
        PaymentKind | None,
        typer.Option(help="How it is paid back; as it was paid if left out, in cash if another device was paid."),
    ] = None,
    returned: Annotated[
        str | None, typer.Option(help="Rupiah paid back, for a receipt that this till does not know.")
    ] = None,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Void a receipt of the booth, one of its lines, or some pieces of a line."""
    with open_till(context) as till:
        voided = till.void(
            receipt,
            None if line is None else typed.whole(line),
            None if pieces is None else typed.whole(pieces),
            at=datetime.now(UTC),
            refund=refund,
            refund_rupiah=None if returned is None else typed.rupiah(returned),
            reason=why,
        )
        unsent = till.spool.counts().pending
        if as_json:
            show_json(
                {
                    "record": voided.record.number,
                    "id": voided.record.id,
                    "receipt": voided.void.receipt,
                    "lines": [{"line": part.line, "qty": part.qty} for part in voided.void.lines],
                    "refund": voided.void.refund.value,
                    "refund_rupiah": voided.void.refund_rupiah,
                    "to_send": unsent,
                }
            )
            return
        count = sum(part.qty for part in voided.void.lines)
        say(
            tr(
                "Void {number}: {count:piece|pieces}. Pay back {refund_rupiah:rupiah} "
                "({refund:word}). {unsent} to send.",
                number=voided.record.number,
                count=count,
                refund_rupiah=voided.void.refund_rupiah,
                refund=voided.void.refund.value,
                unsent=unsent,
            )
        )
        if voided.assumed:
            warn(tr("This till does not know how that receipt was paid, and assumes cash; --refund changes that."))
        _hint(voided.void.refund, voided.void.drawer)


def show_receipt(till: Till, sold: SoldReceipt, *, as_json: bool) -> None:
    unsent = till.spool.counts().pending
    receipt = sold.receipt
    change = receipt.payment.change_rupiah if receipt.payment.given_rupiah is not None else None
    if as_json:
        show_json(
            {
                "record": sold.record.number,
                "id": sold.record.id,
                "amount_rupiah": sold.amount_rupiah,
                "lines": [
                    {"line": line.line, "product": line.product, "lot": line.lot, "qty": line.qty, "net_rupiah": net}
                    for line, net in zip(receipt.lines, receipt.net_rupiah, strict=True)
                ],
                "payment": receipt.payment.kind.value,
                "change_rupiah": change,
                "drawer": receipt.drawer,
                "price_list": receipt.price_list,
                "warnings": list(map(translated, sold.warnings)),
                "to_send": unsent,
            }
        )
        return
    if len(receipt.lines) > 1 or sold.amount_rupiah != receipt.lines[0].gross_rupiah:
        for line, net in zip(receipt.lines, receipt.net_rupiah, strict=True):
            say(
                tr(
                    "{line}. {qty} × {item} at {each:rupiah}: {net:rupiah}",
                    line=line.line,
                    qty=line.qty,
                    item=line.lot or line.product,
                    each=line.unit_price_rupiah,
                    net=net,
                )
            )
    say(
        tr(
            "Receipt {number}: {amount_rupiah:rupiah} ({kind:word}). {unsent} to send.",
            number=sold.record.number,
            amount_rupiah=sold.amount_rupiah,
            kind=receipt.payment.kind.value,
            unsent=unsent,
        )
    )
    if change is not None:
        say(tr("Change: {change:rupiah}", change=change))
    _hint(receipt.payment.kind, receipt.drawer)
    for warning in sold.warnings:
        warn(translated(warning))


def _hint(kind: PaymentKind, drawer: str | None) -> None:
    if kind is PaymentKind.CASH and drawer is None:
        warn(tr("No drawer is open, so this cash belongs to no cashier: drawer open --cashier P1 --float 200.000"))
