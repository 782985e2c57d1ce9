"""The reasons of a plan: the bound of each facility's share, and the rules that leave a booth short."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.festival.domain.bilingual import Bilingual
from services.festival.domain.planning import explanations
from services.festival.domain.planning.booths import BoothIntake, BoothPieces
from services.festival.domain.planning.shares import Supplier
from services.festival.domain.planning.terms import Conflict, EarlierShare, ExcludedStock, RequestDemand, Share
from shared.events.festival import PlanRule


def explain_shares(
    suppliers: Sequence[Supplier],
    earlier: Mapping[str, EarlierShare],
    supplied: BoothPieces,
    requested: Mapping[str, int],
    served: BoothPieces,
    excluded: Sequence[ExcludedStock],
) -> Iterator[Share]:
    """Every facility's share with its reason, also of facilities whose whole stock the rules exclude.

    `supplied` is by facility and product, `served` by booth and product.
    """
    fully_served = _fully_served(requested, served)
    giving: dict[str, list[str]] = {}
    for facility, product in supplied:
        giving.setdefault(product, []).append(facility)
    others_giving: dict[tuple[str, ...], list[str]] = {}
    supplier_of = {supplier.id: supplier for supplier in suppliers}
    for facility in sorted(supplier_of.keys() | {stock.facility for stock in excluded}):
        supplier = supplier_of.get(facility)
        if supplier is None:
            share = earlier.get(facility, EarlierShare())
            reason = explanations.kept_out([stock for stock in excluded if stock.facility == facility])
            yield Share(facility, share.offered, share.allocated, reason.en, reason.id)
            continue
        pieces = sum(supplied.get((facility, product), 0) for product in supplier.offers)
        offered = supplier.earlier.offered + sum(supplier.offers.values())
        allocated = supplier.earlier.allocated + pieces
        leftover = [product for product, qty in supplier.offers.items() if qty > supplied.get((facility, product), 0)]
        # Most facilities have the same products left, so the other facilities that give them are computed once.
        if (key := tuple(leftover)) not in others_giving:
            others_giving[key] = sorted({other for product in leftover for other in giving.get(product, ())})
        reason = explanations.share(
            offered,
            allocated,
            supplier.weight,
            unasked=[product for product in leftover if product in fully_served],
            no_room=[product for product in leftover if product not in fully_served],
            givers=[other for other in others_giving[key] if other != facility],
        )
        yield Share(facility, offered, allocated, reason.en, reason.id)


def _fully_served(demand: Mapping[str, int], served: BoothPieces) -> frozenset[str]:
    """The products of which every booth gets its whole demand."""
    pieces: dict[str, int] = {}
    for (_, product), qty in served.items():
        pieces[product] = pieces.get(product, 0) + qty
    return frozenset(product for product, qty in demand.items() if pieces.get(product, 0) == qty)


def explain_conflicts(
    demands: Iterable[RequestDemand],
    booths: Sequence[BoothIntake],
    served: BoothPieces,
    excluded: Sequence[ExcludedStock],
) -> Iterator[Conflict]:
    """For every demand not met in full, the rules that leave it short, all other demands being met as they are.

    If the booth has room, the plan uses all allowed stock of the product, as it is the largest plan. Then the reason
    is the stock, with every rule that excludes some of it.
    """
    demand_of = {(demand.booth, demand.product): demand for demand in demands}
    missing: dict[str, int] = {}
    planned: dict[str, int] = {}
    lacking_stock: list[tuple[BoothIntake, str, dict[str, int]]] = []
    for booth in booths:
        gets = {product: served.get((booth.id, product), 0) for product in booth.asks}
        for product, demand in booth.asks.items():
            planned[product] = planned.get(product, 0) + gets[product]
            if demand == gets[product]:
                continue
            if own_rule := _booth_rule(booth, product, gets, 1):
                yield _conflict(demand_of[booth.id, product], gets, *own_rule)
            else:
                missing[product] = missing.get(product, 0) + demand - gets[product]
                lacking_stock.append((booth, product, gets))
    excluded_of: dict[str, list[ExcludedStock]] = {}
    for stock in excluded:
        excluded_of.setdefault(stock.product, []).append(stock)
    by_stock = {
        product: _stock_rules(excluded_of.get(product, ()), shortage, planned[product])
        for product, shortage in missing.items()
    }
    for booth, product, gets in lacking_stock:
        rules, causes, why = by_stock[product]
        # If other stock could do, a capacity that is too small for the whole demand would still leave it short.
        small = _booth_rule(booth, product, gets, booth.asks[product] - gets[product]) if causes else None
        if small:
            rules, why = (*rules, *small[0]), explanations.joined(small[1], why)
        yield _conflict(demand_of[booth.id, product], gets, rules, why, causes)


def _stock_rules(
    excluded: Sequence[ExcludedStock], missing: int, planned: int
) -> tuple[tuple[PlanRule, ...], tuple[ExcludedStock, ...], Bilingual]:
    """The stock and every rule that excludes some of it, all excluded stock, and the phrase.

    All are named, as lifting one rule alone may not help. `missing`: pieces of the product, over all booths.
    """
    excluding = {rule for stock in excluded for rule in stock.rules}
    absent = missing - sum(stock.qty for stock in excluded)
    return (
        (PlanRule.STOCK, *(rule for rule in PlanRule if rule in excluding)),
        tuple(excluded),
        explanations.no_stock(planned, excluded, max(0, absent)),
    )


def refused_conflict(demand: RequestDemand) -> Conflict:
    """The conflict of planned pieces that inventory no longer had and that no other stock replaces."""
    return _conflict(demand, {demand.product: 0}, (PlanRule.STOCK,), explanations.nothing_else())


def _conflict(
    demand: RequestDemand,
    intake: Mapping[str, int],
    rules: tuple[PlanRule, ...],
    why: Bilingual,
    excluded: tuple[ExcludedStock, ...] = (),
) -> Conflict:
    short = demand.missing + demand.qty - intake[demand.product]
    sentence = explanations.lacking(demand.booth, demand.product, max(demand.asked, demand.qty), short, why)
    return Conflict(demand.booth, demand.product, short, rules, excluded, sentence.en, sentence.id)


def _booth_rule(
    booth: BoothIntake, product: str, intake: Mapping[str, int], more: int
) -> tuple[tuple[PlanRule, ...], Bilingual] | None:
    """The booth's own rule that leaves no room for `more` pieces, with its phrase."""
    if sum(intake.values()) + more > booth.capacity:
        return (PlanRule.CAPACITY,), explanations.no_room(booth.capacity, sum(booth.asks.values()))
    for products, limit in booth.limits:
        if product in products and _sum(intake, products) + more > limit:
            return (PlanRule.CATEGORY,), explanations.no_room_of_kind(limit, _sum(booth.asks, products))
    return None


def _sum(pieces: Mapping[str, int], products: Iterable[str]) -> int:
    return sum(pieces[product] for product in products)
