"""Why it is so: what bound each facility's share, and which rules leave a booth short. In English and Indonesian."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.festival.domain.plan import words
from services.festival.domain.plan.booths import Booth, Filled
from services.festival.domain.plan.shares import Giver
from services.festival.domain.plan.terms import Before, Conflict, Kept, Share
from shared.events.festival import PlanRule


def shares(
    givers: Sequence[Giver],
    before: Mapping[str, Before],
    gave: Filled,
    asked: Mapping[str, int],
    served: Filled,
    kept: Sequence[Kept],
) -> Iterator[Share]:
    """Every facility's share, also of those whom the rules keep out altogether. `gave` by facility and product,
    `served` by booth and product."""
    full = _full(asked, served)
    gives: dict[str, list[str]] = {}
    for facility, product in gave:
        gives.setdefault(product, []).append(facility)
    able: dict[tuple[str, ...], list[str]] = {}
    inside = {giver.id: giver for giver in givers}
    for facility in sorted(inside.keys() | {one.facility for one in kept}):
        giver = inside.get(facility)
        if giver is None:
            earlier = before.get(facility, Before())
            out = words.kept_out([one for one in kept if one.facility == facility])
            yield Share(facility, earlier.offered, earlier.allocated, out.en, out.id)
            continue
        got = sum(gave.get((facility, product), 0) for product in giver.offers)
        offered = giver.before.offered + sum(giver.offers.values())
        allocated = giver.before.allocated + got
        left = [product for product, qty in giver.offers.items() if qty > gave.get((facility, product), 0)]
        # Most have some left of the same products: then the others are the same too.
        if (some := tuple(left)) not in able:
            able[some] = sorted({other for product in left for other in gives.get(product, ())})
        said = words.share(
            offered,
            allocated,
            giver.weight,
            unasked=[product for product in left if product in full],
            no_room=[product for product in left if product not in full],
            others=[other for other in able[some] if other != facility],
        )
        yield Share(facility, offered, allocated, said.en, said.id)


def _full(asked: Mapping[str, int], served: Filled) -> frozenset[str]:
    """The products of which every booth has what it asked for."""
    got: dict[str, int] = {}
    for (_, product), qty in served.items():
        got[product] = got.get(product, 0) + qty
    return frozenset(product for product, qty in asked.items() if got.get(product, 0) == qty)


def conflicts(booths: Sequence[Booth], served: Filled, kept: Sequence[Kept]) -> Iterator[Conflict]:
    """For every demand that is not met in full, the fewest rules that together stand against it.

    A booth that is full, or full of the category, needs no other rule. Where a booth has room, all that may be
    planned of the product is planned, for else the plan would not be the largest: then it is the stock, if need be
    with the rules that keep some of it out.
    """
    stuck: list[tuple[Booth, str, int, int]] = []
    missing: dict[str, int] = {}
    there: dict[str, int] = {}
    for booth in booths:
        gets = {product: served.get((booth.id, product), 0) for product in booth.asks}
        for product, asked in booth.asks.items():
            there[product] = there.get(product, 0) + gets[product]
            short = asked - gets[product]
            if not short:
                continue
            limit = next((limit for of, limit in booth.limits if product in of and _sum(gets, of) == limit), None)
            if sum(gets.values()) == booth.capacity:
                said = words.no_room(booth.id, product, asked, short, booth.capacity, sum(booth.asks.values()))
                yield Conflict(booth.id, product, short, (PlanRule.CAPACITY,), (), said.en, said.id)
            elif limit is not None:
                said = words.no_room_of_kind(booth.id, product, asked, short, limit)
                yield Conflict(booth.id, product, short, (PlanRule.CATEGORY,), (), said.en, said.id)
            else:
                missing[product] = missing.get(product, 0) + short
                stuck.append((booth, product, asked, short))
    for booth, product, asked, short in stuck:
        of_product = [one for one in kept if one.product == product]
        rules = _fewest(of_product, missing[product])
        named = tuple(one for one in of_product if set(one.rules) & set(rules))
        said = words.no_stock(booth.id, product, asked, short, there[product], named)
        yield Conflict(booth.id, product, short, rules, named, said.en, said.id)


def _sum(pieces: Mapping[str, int], products: Iterable[str]) -> int:
    return sum(pieces[product] for product in products)


def _fewest(kept: Sequence[Kept], missing: int) -> tuple[PlanRule, ...]:
    """The fewest rules that alone still leave less than is missing: all pieces that only other rules keep out would
    come in."""
    for also in ((), (PlanRule.BEST_BEFORE,), (PlanRule.LEAD_TIME,)):
        if sum(one.qty for one in kept if not set(one.rules) & set(also)) < missing:
            return (PlanRule.STOCK, *also)
    return PlanRule.STOCK, PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME
