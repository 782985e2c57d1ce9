"""Conversion of a cashier's input to receipt lines: items, prices, discounts, reasons, warnings. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge.till.booth import BoothView, KnownPrices
from shared import typed
from shared.errors import WrongEntry
from shared.events import lot_number
from shared.events.lot_number import PRODUCT_CODE
from shared.events.sales import MAX_LINES, ReceiptLine
from shared.nearest import nearest
from shared.wording import Message, any_of

_HAS_LETTER = re.compile(r"[A-Za-z]")
_NOTHING: Mapping[str, str] = {}
_EXAMPLE = Message("Write e.g.: KRJ 2, KRJ=2, or KRJ=2@25.000 for another price.")


@dataclass(frozen=True, slots=True)
class BasketEntry:
    """`qty` pieces of `item`: a lot number or a product's code. `price_rupiah` None: the price of the list."""

    item: str
    qty: int = 1
    price_rupiah: int | None = None
    discount_rupiah: int = 0


def parse_basket(words: Sequence[str]) -> list[BasketEntry]:
    """The basket of words like `ITEM`, `ITEM=PIECES`, `ITEM@PRICE` and `ITEM=PIECES@PRICE`. A number after an item
    without pieces is its number of pieces.

    A word without a letter is a number, since each item has a letter. Raises WrongEntry for ambiguous input.
    """
    basket: list[BasketEntry] = []
    has_qty = True
    for word in words:
        if _HAS_LETTER.search(word):
            entry, has_qty = _entry(word)
            basket.append(entry)
        elif not basket:
            raise WrongEntry(Message("{word!r} comes before any item. {example}", word=word, example=_EXAMPLE))
        elif has_qty:
            raise WrongEntry(
                Message(
                    "{word!r} is one number too many: {item} has its pieces already. {example}",
                    word=word,
                    item=basket[-1].item,
                    example=_EXAMPLE,
                )
            )
        else:
            basket[-1] = replace(basket[-1], qty=typed.whole(word))
            has_qty = True
    return basket


def with_discounts(basket: Sequence[BasketEntry], discounts: Sequence[str]) -> list[BasketEntry]:
    """The basket with discounts on lines, each `ITEM=RUPIAH`.

    Raises WrongEntry if an item is not in the basket exactly once, or has two discounts.
    """
    lines = list(basket)
    items = [parse_item(entry.item) for entry in basket]
    for word in discounts:
        item, sign, amount = word.rpartition("=")
        if not sign:
            raise WrongEntry(Message("{word!r} lacks an item or an amount. Write e.g. --off KRJ=5.000.", word=word))
        named_item = parse_item(item)
        if items.count(named_item) != 1:
            raise WrongEntry(
                Message(
                    "{item} is in this basket {count} times; --off needs an item that is in it once.",
                    item=item,
                    count=items.count(named_item),
                )
            )
        index = items.index(named_item)
        if lines[index].discount_rupiah:
            raise WrongEntry(Message("{item} has two discounts. Please add them up.", item=item))
        lines[index] = replace(lines[index], discount_rupiah=typed.rupiah(amount))
    return lines


def parse_item(item: str) -> tuple[str | None, str]:
    """The lot (None without a label) and product of a typed item. Raises WrongEntry if it is neither."""
    code = item.strip().upper()
    if PRODUCT_CODE.fullmatch(code):
        return None, code
    number = lot_number.parse(item)
    if number is None:
        raise WrongEntry(
            Message(
                "{item!r} is neither a lot number nor a product's code (three letters): a character "
                "is missing or wrong.",
                item=item,
            )
        )
    return str(number), number.product


def receipt_lines(
    basket: Sequence[BasketEntry], prices: KnownPrices, why: str, known: Mapping[str, str] | None = _NOTHING
) -> tuple[ReceiptLine, ...]:
    """The receipt lines of a basket at these prices. `why`: the cashier's reason for prices that depart from the
    list. `known`: the names of the products in the catalogue, empty before it has come.

    Raises WrongEntry for an invalid basket, and for a reason that is missing or not needed. A product must be on the
    list of prices, or in the catalogue before that list has come. With `known` None it need not be.
    """
    if not basket:
        raise WrongEntry(Message("Nothing is in the basket. {example}", example=_EXAMPLE))
    if len(basket) > MAX_LINES:
        raise WrongEntry(Message("A receipt has at most {most} lines. Please make two of it.", most=MAX_LINES))
    lines = tuple(_line(number, entry, prices, why.strip(), known) for number, entry in enumerate(basket, 1))
    if why.strip() and not any(line.price_reason for line in lines):
        raise WrongEntry(
            Message("--why is for a price other than the list's, and here is none. Please leave it out.")
        )
    return lines


def refuse_withdrawn(booth: BoothView, lines: Sequence[ReceiptLine]) -> None:
    """Raise WrongEntry if a line's lot is withdrawn, or all lots of a product without a label."""
    for line in lines:
        lots = booth.lots_of(line.product)
        if line.lot in booth.withdrawn:
            raise WrongEntry(
                Message(
                    "The lot {lot} was withdrawn: please set it aside and do not sell it. If it is "
                    "already sold, enter it with --happened.",
                    lot=line.lot,
                )
            )
        if line.lot is None and lots and all(lot.withdrawn for lot in lots):
            raise WrongEntry(
                Message(
                    "All lots of {product} here were withdrawn: please set them aside. If it is already "
                    "sold, enter it with --happened.",
                    product=line.product,
                )
            )


def warnings(booth: BoothView, lines: Sequence[ReceiptLine], prices: Mapping[str, int]) -> tuple[Message, ...]:
    """Warnings for the cashier about a receipt that is recorded all the same."""
    sentences: list[Message] = []
    if booth.struck:
        sentences.append(
            Message("The organiser has struck this till as lost; please tell the organiser that it is in use.")
        )
    elif not booth.price_lists:
        sentences.append(
            Message("This till has no list of prices yet, so nothing was compared with it; please sync when you can.")
        )
    elif not booth.listed:
        sentences.append(Message("The booth does not list this till, as far as it knows; please sync when you can."))
    else:
        sentences += _oversold(booth, lines)
    departing = [line for line in lines if prices.get(line.product, line.unit_price_rupiah) != line.unit_price_rupiah]
    sentences += [
        Message("The booth's price of {product} is {price:rupiah}.", product=line.product, price=prices[line.product])
        for line in departing
    ]
    return tuple(sentences)


def _entry(word: str) -> tuple[BasketEntry, bool]:
    """The entry of a word, and whether the word has a number of pieces."""
    goods, at, price = word.partition("@")
    item, sign, qty = goods.partition("=")
    if not item or (sign and not qty) or (at and not price):
        raise WrongEntry(Message("{word!r} was not understood. {example}", word=word, example=_EXAMPLE))
    parse_item(item)
    return BasketEntry(item, typed.whole(qty) if sign else 1, typed.rupiah(price) if at else None), bool(sign)


def _line(
    number: int, entry: BasketEntry, prices: KnownPrices, why: str, known: Mapping[str, str] | None
) -> ReceiptLine:
    lot, product = parse_item(entry.item)
    if entry.qty < 1:
        raise WrongEntry(Message("The quantity must be at least 1."))
    listed = prices.prices.get(product)
    if known is not None and listed is None:
        refuse_unlisted(product, entry.qty, prices, known)
    price = entry.price_rupiah if entry.price_rupiah is not None else listed
    if price is None:
        raise WrongEntry(_no_price(product, entry.qty, prices))
    departs = price != listed
    if departs and listed is not None and not why:
        raise WrongEntry(
            Message(
                "The booth's price of {product} is {listed:rupiah}, and this says {price:rupiah}. If "
                'that is meant, say why in a few words: --why "slightly damaged".',
                product=product,
                listed=listed,
                price=price,
            )
        )
    if entry.discount_rupiah > entry.qty * price:
        raise WrongEntry(
            Message(
                "A discount of {discount:rupiah} on {product} is more than its {amount:rupiah}.",
                discount=entry.discount_rupiah,
                product=product,
                amount=entry.qty * price,
            )
        )
    return ReceiptLine(
        line=number,
        lot=lot,
        product=product,
        qty=entry.qty,
        unit_price_rupiah=price,
        discount_rupiah=entry.discount_rupiah,
        price_reason=why if departs else "",
    )


def refuse_unlisted(product: str, qty: int, prices: KnownPrices, known: Mapping[str, str]) -> None:
    """Raise WrongEntry for a product that is not on the list of prices, or not in the catalogue where no list has
    come. Before either has come every product passes."""
    if prices.revision:
        names = {code: prices.names.get(code) or known.get(code, "") for code in prices.prices}
        first = Message("The booth's list has no price of {product}.", product=product)
    elif known and product not in known:
        names = dict(known)
        first = Message("The catalogue on this device has no product {product}.", product=product)
    else:
        return
    alike = nearest(product, {code: [name] if name else [] for code, name in names.items()})
    meant = [f"{code} ({names[code]})" if names[code] else code for code in alike]
    if meant:
        first = Message("{message} Did you mean {names}?", message=first, names=any_of(meant))
    raise WrongEntry(
        Message(
            "{first} Please sync, or record it nevertheless, with its price: --unlisted {product}={qty}@25.000.",
            first=first,
            product=product,
            qty=qty,
        )
    )


def _no_price(product: str, qty: int, prices: KnownPrices) -> Message:
    """The sentence about a product without a price, with those of the list that may be meant."""
    alike = nearest(product, {code: filter(None, [prices.names.get(code)]) for code in prices.prices})
    names = [f"{code} ({prices.names[code]})" if code in prices.names else code for code in alike]
    if names:
        return Message(
            "This till knows no price of {product}. Did you mean {names}? Please sync, or give one: "
            "{product}={qty}@25.000.",
            product=product,
            names=any_of(names),
            qty=qty,
        )
    return Message(
        "This till knows no price of {product}. Please sync, or give one: {product}={qty}@25.000.",
        product=product,
        qty=qty,
    )


def _oversold(booth: BoothView, lines: Sequence[ReceiptLine]) -> list[Message]:
    sentences: list[Message] = []
    sold: dict[str, int] = {}
    for line in lines:
        for name in filter(None, (line.lot, line.product)):
            sold[name] = sold.get(name, 0) + line.qty
        if line.lot is not None and line.lot not in booth.lots:
            sentences.append(
                Message("The lot {lot} is not known to be at this booth; the sale may be disputed.", lot=line.lot)
            )
            continue
        remaining = booth.left_of(line.product) - sold[line.product]
        if line.lot is not None:
            remaining = min(remaining, booth.left_of_lot(line.lot) - sold[line.lot])
        if remaining < 0:
            sentences.append(
                Message(
                    "This till's part of the stock allows {remaining} more of {item}; the sale is kept but "
                    "may be disputed.",
                    remaining=max(remaining + line.qty, 0),
                    item=line.lot or line.product,
                )
            )
    return sentences
