"""The pages of festivals, booths, requests and the stock view. All counts are in pieces."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields as dataclass_fields
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from services.festival.api.entity_page import EntityPage
from services.festival.api.revisions import RevisionPage
from services.festival.domain import Booth, Festival, Request, StockView
from services.festival.domain.allocation.request import shortfalls, surpluses
from services.festival.domain.booth import LastCount
from services.festival.domain.booth_lot import Account, BoothLot
from services.festival.domain.line import HELD, AllocationLine
from services.festival.domain.missing import Missing
from services.festival.domain.planning import Rules, explanations
from services.festival.domain.planning.stock import eligible_stock
from services.festival.domain.stock import lot_of
from shared.events.festival import PlanRule

# An id, which a page names after its kind.
Named = Annotated[str, Field(validation_alias="id")]


class SumsPage(EntityPage):
    """The final sums of a festival: received + surplus = sold + returned + lost.

    `found`: received pieces beyond those that were sent.
    """

    received: int
    sold: int
    returned: int
    lost: int
    surplus: int
    lost_on_the_way: int
    found: int


class LeadTimePage(BaseModel):
    facility: str
    days: int


class WeightPage(BaseModel):
    facility: str
    weight: int


class FestivalPage(BaseModel):
    """A festival. `sums`: once every piece is accounted for. `revision`: how often they were published."""

    festival: str
    name: str
    place: str
    zone: str
    first_day: date
    last_day: date
    lead_days: list[LeadTimePage]
    weights: list[WeightPage]
    status: str
    sums: SumsPage | None
    revision: int

    @classmethod
    def of(cls, festival: Festival) -> "FestivalPage":
        return cls(
            festival=festival.id,
            name=festival.name,
            place=festival.place,
            zone=festival.zone,
            first_day=festival.first_day,
            last_day=festival.last_day,
            lead_days=[LeadTimePage(facility=entry.facility, days=entry.days) for entry in festival.lead_times],
            weights=[WeightPage(facility=facility, weight=weight) for facility, weight in festival.weights],
            status=festival.status.value,
            sums=SumsPage.model_validate(festival.sums) if festival.sums else None,
            revision=festival.revision,
        )


class PricePage(EntityPage):
    product: str
    price_rupiah: int
    category: str | None


class LimitPage(BaseModel):
    category: str
    qty: int


class BoothLotPage(BaseModel):
    """A lot at a booth: received + surplus = sold + lost + returned + returning + moved out + misbooked + left.

    - `found`: received pieces beyond those that were sent. `moved_out`: to other booths.
    - `misbooked`: its pieces booked on other lots of the product; negative: others' on it.
    - `facility`, `product`, `made_on`: null for a lot that was sold here but never sent here.
    - `withdrawn`: the reason of a recall.
    - `sold`, `counted`, `unexplained`: by sales, once the booth is settled. `counted` is the last count (null: none),
      `unexplained` the further pieces that should have been there.
    - `final`: nothing more will come home.
    """

    lot: str
    facility: str | None
    product: str | None
    made_on: date | None
    in_transit: int
    lost_on_the_way: int
    received: int
    found: int
    sold: int
    lost: int
    returned: int
    returning: int
    left: int
    surplus: int
    moved_out: int
    misbooked: int
    counted: int | None
    unexplained: int
    final: bool
    withdrawn: str | None


class BoothPage(BaseModel):
    """A booth.

    - `deadline`: the time until which tills can send after closing.
    - `opening`: how often it opened. `reopening`: sales has to answer whether it may sell again.
    - `merged_into`: the booth that has its stock and devices now.
    - `accounted`: whether every piece is sold, lost or home.
    - `capacity`: the pieces that it can hold at once. `limits`: pieces by category.
    - `prices`: the list of revision `price_list`, valid from `prices_from` (null: from the opening).
    """

    booth: str
    festival: str
    name: str
    status: str
    deadline: datetime | None
    prices: list[PricePage]
    price_list: int
    prices_from: datetime | None
    tills: list[str]
    capacity: int | None
    limits: list[LimitPage]
    disputed: list[str]
    merged_into: str | None
    accounted: bool
    opening: int
    reopening: bool
    lots: list[BoothLotPage]

    @classmethod
    def of(cls, booth: Booth) -> "BoothPage":
        return cls(
            booth=booth.id,
            festival=booth.festival,
            name=booth.name,
            status=booth.status.value,
            deadline=booth.deadline,
            prices=[PricePage.model_validate(tag) for tag in booth.prices],
            price_list=booth.price_list,
            prices_from=booth.prices_from,
            tills=list(booth.tills),
            capacity=booth.capacity,
            limits=[LimitPage(category=category, qty=qty) for category, qty in booth.limits],
            disputed=list(booth.disputed),
            merged_into=booth.merged_into,
            accounted=booth.accounted,
            opening=booth.opening,
            reopening=booth.reopening is not None,
            lots=_lots(booth),
        )


class RequestDemandPage(EntityPage):
    booth: str
    product: str
    qty: int


class LinePage(EntityPage):
    """A line of a plan.

    - `revision`: that of the lot's balance in the plan. `lost`: pieces that did not arrive.
    - `why`, `first`: the codes of the reasons for this facility and this lot; `reason` is a sentence of both
      (`reason_id`: in Indonesian). They are empty for older plans.
    """

    reservation: str
    booth: str
    product: str
    facility: str
    lot: str
    made_on: date
    qty: int
    revision: int
    status: str
    lost: int
    why: str | None = None
    first: str | None = None
    reason: str = ""
    reason_id: str = ""

    @classmethod
    def of(cls, line: AllocationLine) -> "LinePage":
        page = cls.model_validate(line)
        if line.why is None or line.first is None:
            return page
        reason = explanations.line(
            line.why, line.first, facility=line.facility, product=line.product, booth=line.booth, lot=line.lot
        )
        return page.model_copy(update={"reason": reason.en, "reason_id": reason.id})


class SharePage(BaseModel):
    """The pieces that a facility offered, those of the latest plan with the reason for not more, and those held.

    `reason_id`: the reason in Indonesian.
    """

    facility: str
    offered: int
    allocated: int
    held: int
    reason: str
    reason_id: str


class ShortPage(BaseModel):
    """A demand that the lines do not cover in full, and the rules that explain it, by the plan.

    `reason` is a sentence (`reason_id`: in Indonesian). Planned pieces that were lost since have no rules.
    """

    booth: str
    product: str
    asked: int
    short: int
    rules: list[str]
    reason: str
    reason_id: str

    @classmethod
    def all_of(cls, request: Request) -> "list[ShortPage]":
        """The page of each such demand of the request."""
        conflicts = {(conflict.booth, conflict.product): conflict for conflict in request.conflicts}
        return [
            cls(
                booth=missing.booth,
                product=missing.product,
                asked=missing.asked,
                short=missing.short,
                rules=[rule.value for rule in conflict.rules] if conflict else [],
                reason=conflict.reason if conflict else "",
                reason_id=conflict.reason_id if conflict else "",
            )
            for missing in shortfalls(request)
            for conflict in (conflicts.get((missing.booth, missing.product)),)
        ]


class SurplusPage(EntityPage):
    """Pieces that a booth gets beyond those it asked for, since replaced pieces were found after all."""

    booth: str
    product: str
    asked: int
    surplus: int


class ConflictPage(EntityPage):
    """The rules that leave a demand of the booth short, with a sentence (`reason_id`: in Indonesian)."""

    booth: str
    product: str
    short: int
    rules: list[str]
    reason: str
    reason_id: str


class RequestSummary(BaseModel):
    """A request without its lines.

    - `day`: the day of the festival that it is for; null: all days.
    - `held`: pieces reserved or sent, less those lost on the way.
    - `hold_until`: then a plan that was not accepted is withdrawn, and unsent stock goes back. `lapsed`: it has
      passed.
    """

    request: str
    festival: str
    status: str
    asked: int
    held: int
    short: int
    day: date | None
    hold_hours: int
    hold_until: datetime | None
    lapsed: bool

    @classmethod
    def of(cls, request: Request) -> "RequestSummary":
        return cls(
            request=request.name,
            festival=request.festival,
            status=request.status.value,
            asked=request.asked,
            held=request.lines.pieces(HELD),
            short=request.short,
            day=request.day,
            hold_hours=request.hold_hours,
            hold_until=request.hold_until,
            lapsed=request.lapsed,
        )


class RequestPage(RequestSummary):
    """A request with its plan: the lines, each facility's share with the reason, shortfalls and surpluses.

    `closed`: booths that take no more. `revision`: the latest one, pending or carried out.
    """

    demands: list[RequestDemandPage]
    lines: list[LinePage]
    shares: list[SharePage]
    shortfalls: list[ShortPage]
    surpluses: list[SurplusPage]
    revise_at_percent: int | None
    closed: list[str]
    revision: RevisionPage | None

    @classmethod
    def of(cls, request: Request) -> "RequestPage":
        held = Counter[str]()
        for line in request.lines:
            if line.status in HELD:
                held[line.facility] += line.qty - line.lost
        return cls(
            **RequestSummary.of(request).model_dump(),
            demands=[RequestDemandPage.model_validate(demand) for demand in request.demands],
            lines=[LinePage.of(line) for line in request.lines],
            shares=[
                SharePage(
                    facility=share.facility,
                    offered=share.offered,
                    allocated=share.allocated,
                    held=held[share.facility],
                    reason=share.reason,
                    reason_id=share.reason_id,
                )
                for share in request.shares
            ],
            shortfalls=ShortPage.all_of(request),
            surpluses=[SurplusPage.model_validate(surplus) for surplus in surpluses(request)],
            revise_at_percent=request.revise_at_percent,
            closed=list(request.closed),
            revision=RevisionPage.of(request),
        )


class MissingPage(EntityPage):
    """One step to take or to wait for.

    - `blocks`: false if the step is still possible after the festival is closed.
    - `counted`, `unexplained`: the last count of the lot, and the further pieces that should have been there.
    """

    what: str
    message: str
    template: str
    values: dict[str, str | int]
    blocks: bool
    booth: str | None
    lot: str | None
    shipment: str | None
    transfer: str | None
    sale: str | None
    qty: int | None
    counted: int | None
    unexplained: int | None

    @classmethod
    def of(cls, step: Missing) -> "MissingPage":
        message = step.message
        fields = {field.name: getattr(step, field.name) for field in dataclass_fields(step)}
        fields |= {"message": message.english, "template": message.template, "values": message.plain_values}
        return cls.model_validate(fields)


class MissingPages(BaseModel):
    """The open steps until the festival is closed."""

    festival: str
    status: str
    missing: list[MissingPage]

    @classmethod
    def of(cls, festival: Festival, steps: list[Missing]) -> "MissingPages":
        return cls(
            festival=festival.id,
            status=festival.status.value,
            missing=[MissingPage.of(step) for step in steps],
        )


class KeptOut(BaseModel):
    """Pieces that all of `rules` together keep out of plans."""

    rules: list[PlanRule]
    qty: int


class ProductStock(BaseModel):
    """The stock of a product by the stock view: `plannable` of the pieces `on_hand`, in `lots` of `facilities`.

    Without a festival the only rule is that a lot is still good today.
    """

    product: str
    on_hand: int
    plannable: int
    lots: int
    facilities: int
    kept_out: list[KeptOut]

    @classmethod
    def of(cls, product: str, stock: Sequence[StockView], rules: Rules) -> "ProductStock":
        """`stock`: all lots of the product with pieces that are not recalled."""
        eligible, excluded = eligible_stock(map(lot_of, stock), [product], rules)
        qty_by_rules = Counter[tuple[PlanRule, ...]]()
        for group in excluded:
            qty_by_rules[group.rules] += group.qty
        return cls(
            product=product,
            on_hand=sum(lot.on_hand for lot in stock),
            plannable=sum(lot.qty for row in eligible.values() for lots in row.values() for lot in lots),
            lots=len(stock),
            facilities=len({lot.facility for lot in stock}),
            kept_out=[KeptOut(rules=list(keeping), qty=qty) for keeping, qty in sorted(qty_by_rules.items())],
        )


class LotStock(EntityPage):
    """A lot by the stock view. `kept_out`: the rules that keep it out of plans, for a festival or of today."""

    lot: Named
    facility: str
    product: str
    on_hand: int
    made_on: date
    best_before: date | None
    revision: int
    kept_out: tuple[PlanRule, ...] = ()

    @classmethod
    def under(cls, rules: Rules, lot: StockView) -> "LotStock":
        _, excluded = eligible_stock([lot_of(lot)], [lot.product], rules)
        keeping_out = tuple(rule for group in excluded for rule in group.rules)
        return cls.model_validate(lot).model_copy(update={"kept_out": keeping_out})


def _lots(booth: Booth) -> list[BoothLotPage]:
    held = {lot.lot: lot for lot in booth.lots}
    last_counts = {count.lot: count for count in booth.seen}
    return [_lot(lot, account, held.get(lot), last_counts.get(lot)) for lot, account in booth.accounts().items()]


def _lot(lot: str, account: Account, held: BoothLot | None, last_count: LastCount | None) -> BoothLotPage:
    return BoothLotPage(
        lot=lot,
        facility=held.facility if held else None,
        product=held.product if held else None,
        made_on=held.made_on if held else None,
        in_transit=held.in_transit if held else 0,
        lost_on_the_way=held.lost_on_the_way if held else 0,
        received=account.received,
        found=held.found if held else 0,
        sold=account.sold,
        lost=account.lost,
        returned=account.returned,
        returning=account.returning,
        left=account.left,
        surplus=account.surplus,
        moved_out=account.moved_out,
        misbooked=account.misbooked,
        counted=last_count.counted if last_count else None,
        unexplained=last_count.unexplained if last_count else 0,
        final=held.final if held else False,
        withdrawn=held.withdrawn if held else None,
    )
