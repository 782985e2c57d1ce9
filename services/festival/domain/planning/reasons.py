"""Why it is so: what bound each facility's share, and which rules leave a booth short. In English and Indonesian."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.festival.domain.planning import explanations
from services.festival.domain.planning.booths import BoothIntake, BoothPieces
from services.festival.domain.planning.shares import Supplier
from services.festival.domain.planning.terms import Conflict, EarlierShare, ExcludedStock, RequestDemand, Share
from shared.events.festival import PlanRule


def explain_shares(
    givers: Sequence[Supplier],
    before: Mapping[str, EarlierShare],
    gave: BoothPieces,
    asked: Mapping[str, int],
    served: BoothPieces,
    kept: Sequence[ExcludedStock],
) -> Iterator[Share]:
    """Every facility's share, also of those whom the rules keep out altogether. `gave` by facility and product,
    `served` by booth and product."""
    full = _fully_served(asked, served)
    gives: dict[str, list[str]] = {}
    for facility, product in gave:
        gives.setdefault(product, []).append(facility)
    able: dict[tuple[str, ...], list[str]] = {}
    inside = {giver.id: giver for giver in givers}
    for facility in sorted(inside.keys() | {one.facility for one in kept}):
        giver = inside.get(facility)
        if giver is None:
            earlier = before.get(facility, EarlierShare())
            out = explanations.kept_out([one for one in kept if one.facility == facility])
            yield Share(facility, earlier.offered, earlier.allocated, out.en, out.id)
            continue
        got = sum(gave.get((facility, product), 0) for product in giver.offers)
        offered = giver.before.offered + sum(giver.offers.values())
        allocated = giver.before.allocated + got
        left = [product for product, qty in giver.offers.items() if qty > gave.get((facility, product), 0)]
        # Most have some left of the same products: then the others are the same too.
        if (some := tuple(left)) not in able:
            able[some] = sorted({other for product in left for other in gives.get(product, ())})
        said = explanations.share(
            offered,
            allocated,
            giver.weight,
            unasked=[product for product in left if product in full],
            no_room=[product for product in left if product not in full],
            others=[other for other in able[some] if other != facility],
        )
        yield Share(facility, offered, allocated, said.en, said.id)


def _fully_served(asked: Mapping[str, int], served: BoothPieces) -> frozenset[str]:
    """The products of which every booth has what it asked for."""
    got: dict[str, int] = {}
    for (_, product), qty in served.items():
        got[product] = got.get(product, 0) + qty
    return frozenset(product for product, qty in asked.items() if got.get(product, 0) == qty)


def explain_conflicts(
    wanted: Iterable[RequestDemand], booths: Sequence[BoothIntake], served: BoothPieces, kept: Sequence[ExcludedStock]
) -> Iterator[Conflict]:
    """For every demand that is not met in full, the fewest rules that together would leave it short, with all other
    demands met as they are.

    Where a booth has room, all that may be planned of the product is planned, for else the plan would not be the
    largest: then it is the stock, if need be with the rules that keep some of it out.
    """
    wants = {(want.booth, want.product): want for want in wanted}
    missing: dict[str, int] = {}
    there: dict[str, int] = {}
    stuck: list[tuple[BoothIntake, str, dict[str, int]]] = []
    for booth in booths:
        gets = {product: served.get((booth.id, product), 0) for product in booth.asks}
        for product, asked in booth.asks.items():
            there[product] = there.get(product, 0) + gets[product]
            if asked == gets[product]:
                continue
            if full := _booth_rule(booth, product, gets, 1):
                yield _conflict(wants[booth.id, product], gets, *full)
            else:
                missing[product] = missing.get(product, 0) + asked - gets[product]
                stuck.append((booth, product, gets))
    held_back: dict[str, list[ExcludedStock]] = {}
    for one in kept:
        held_back.setdefault(one.product, []).append(one)
    by_stock = {
        product: _stock_rules(held_back.get(product, ()), short, there[product]) for product, short in missing.items()
    }
    for booth, product, gets in stuck:
        rules, named, why = by_stock[product]
        # If stock alone does not explain it, a capacity that would not have been enough either does.
        small = _booth_rule(booth, product, gets, booth.asks[product] - gets[product]) if len(rules) > 1 else None
        if small:
            yield _conflict(wants[booth.id, product], gets, small[0], explanations.joined(small[1], why), named)
        else:
            yield _conflict(wants[booth.id, product], gets, rules, why, named)


def _stock_rules(
    kept: Sequence[ExcludedStock], missing: int, there: int
) -> tuple[tuple[PlanRule, ...], tuple[ExcludedStock, ...], explanations.Bilingual]:
    """The fewest rules, stock among them, that alone still leave less than is `missing` of a product: all pieces that
    only other rules keep out would come in."""
    sets = ((), (PlanRule.BEST_BEFORE,), (PlanRule.LEAD_TIME,))
    also = next(
        (some for some in sets if sum(one.qty for one in kept if not set(one.rules) & set(some)) < missing),
        (PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME),
    )
    named = tuple(one for one in kept if set(one.rules) & set(also))
    return (PlanRule.STOCK, *also), named, explanations.no_stock(there, named)


def refused_conflict(want: RequestDemand) -> Conflict:
    """Of pieces that were planned, but inventory had them no more, and nothing else was found in their place."""
    return _conflict(want, {want.product: 0}, (PlanRule.STOCK,), explanations.nothing_else())


def _conflict(
    want: RequestDemand,
    gets: Mapping[str, int],
    rules: tuple[PlanRule, ...],
    why: explanations.Bilingual,
    kept: tuple[ExcludedStock, ...] = (),
) -> Conflict:
    short = want.missing + want.qty - gets[want.product]
    said = explanations.lacking(want.booth, want.product, max(want.asked, want.qty), short, why)
    return Conflict(want.booth, want.product, short, rules, kept, said.en, said.id)


def _booth_rule(
    booth: BoothIntake, product: str, gets: Mapping[str, int], more: int
) -> tuple[tuple[PlanRule, ...], explanations.Bilingual] | None:
    """The rule of the booth's own that leaves no room for so many `more` pieces."""
    if sum(gets.values()) + more > booth.capacity:
        return (PlanRule.CAPACITY,), explanations.no_room(booth.capacity, sum(booth.asks.values()))
    for of, limit in booth.limits:
        if product in of and _sum(gets, of) + more > limit:
            return (PlanRule.CATEGORY,), explanations.no_room_of_kind(limit, _sum(booth.asks, of))
    return None


def _sum(pieces: Mapping[str, int], products: Iterable[str]) -> int:
    return sum(pieces[product] for product in products)
