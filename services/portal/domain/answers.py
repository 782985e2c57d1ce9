"""What the other services answer, as far as pages read it. Fields that no page shows are left out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

# Of a plan, and of its revision: what waits to be accepted.
PROPOSED, WAITING = "proposed", "waiting"


@dataclass(frozen=True, slots=True)
class SumsRow:
    """The final sums of a festival, in pieces."""

    received: int
    sold: int
    returned: int
    lost: int
    surplus: int
    lost_on_the_way: int
    found: int


@dataclass(frozen=True, slots=True)
class FestivalRow:
    """A festival. `sums`: once every piece is accounted for."""

    festival: str
    name: str
    place: str
    zone: str
    first_day: date
    last_day: date
    status: str
    sums: SumsRow | None = None


@dataclass(frozen=True, slots=True)
class PriceRow:
    product: str
    price_rupiah: int
    category: str | None = None


@dataclass(frozen=True, slots=True)
class BoothLotRow:
    """A lot at a booth, in pieces."""

    lot: str
    facility: str | None
    product: str | None
    in_transit: int
    received: int
    sold: int
    lost: int
    returned: int
    left: int
    withdrawn: str | None = None

    def with_sold(self, qty: int) -> "BoothLotRow":
        """The lot after `qty` pieces were sold in all."""
        later = max(0, qty - self.sold)
        return replace(self, sold=self.sold + later, left=self.left - later)


@dataclass(frozen=True, slots=True)
class LimitRow:
    """The most pieces of a category at a booth."""

    category: str
    qty: int


@dataclass(frozen=True, slots=True)
class BoothRow:
    """A booth with what it holds. `capacity`: the most pieces at once; None: no limit."""

    booth: str
    festival: str
    name: str
    status: str
    deadline: datetime | None
    prices: tuple[PriceRow, ...]
    tills: tuple[str, ...]
    disputed: tuple[str, ...]
    merged_into: str | None
    lots: tuple[BoothLotRow, ...]
    capacity: int | None = None
    limits: tuple[LimitRow, ...] = ()

    @property
    def short(self) -> str:
        """The booth's name within its festival, e.g. `B1`."""
        return self.booth.partition(".")[2]

    @property
    def shown_name(self) -> str:
        """What people find at the festival, e.g. `B1 · Stan Timur`."""
        return f"{self.short} · {self.name}" if self.name else self.short

    @property
    def left(self) -> int:
        return sum(lot.left for lot in self.lots)

    @property
    def sold(self) -> int:
        return sum(lot.sold for lot in self.lots)

    def with_sold(self, sold: Mapping[str, int]) -> "BoothRow":
        """The booth less what was sold so far, by lot. Festival counts sales only once the booth is settled."""
        return replace(self, lots=tuple(lot.with_sold(sold.get(lot.lot, 0)) for lot in self.lots))


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request for stock without its lines. `short`: pieces that the plan does not cover."""

    request: str
    status: str
    asked: int
    held: int
    short: int
    day: date | None
    hold_until: datetime | None
    lapsed: bool


@dataclass(frozen=True, slots=True)
class SentLotRow:
    lot: str
    sent: int
    counted: int | None
    lost: int | None = None
    surplus: int | None = None


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """A shipment from a facility to a booth."""

    shipment: str
    request: str
    facility: str
    booth: str
    status: str
    due: datetime | None
    overdue: bool
    lots: tuple[SentLotRow, ...]

    @property
    def pieces(self) -> int:
        return sum(lot.sent for lot in self.lots)


@dataclass(frozen=True, slots=True)
class OpenStepRow:
    """A step until a festival is closed, as a sentence with its template. `blocks`: it must be done before."""

    what: str
    message: str
    template: str
    values: dict[str, str | int]
    blocks: bool
    booth: str | None = None
    lot: str | None = None
    shipment: str | None = None
    transfer: str | None = None
    sale: str | None = None


@dataclass(frozen=True, slots=True)
class OpenStepsPage:
    missing: tuple[OpenStepRow, ...]


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product of the catalogue."""

    code: str
    name: str
    category: str
    usual_price_rupiah: int | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptOutRow:
    """Pieces that all of `rules` together keep out of plans."""

    rules: tuple[str, ...]
    qty: int


@dataclass(frozen=True, slots=True)
class StockRow:
    """What of a product can be planned now."""

    product: str
    on_hand: int
    plannable: int
    facilities: int = 0
    kept_out: tuple[KeptOutRow, ...] = ()


@dataclass(frozen=True, slots=True)
class StockLotRow:
    """A lot in stock at its facility. `kept_out`: the rules that keep it out of plans."""

    lot: str
    facility: str
    on_hand: int
    made_on: date
    best_before: date | None
    kept_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a plan, with its reason in both languages."""

    booth: str
    product: str
    facility: str
    lot: str
    qty: int
    status: str
    reason: str = ""
    reason_id: str = ""


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A facility's part in a plan, with the reason for not more."""

    facility: str
    offered: int
    allocated: int
    held: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class ShortfallRow:
    """A demand that a plan leaves short."""

    booth: str
    product: str
    asked: int
    short: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class DemandRow:
    booth: str
    product: str
    qty: int


@dataclass(frozen=True, slots=True)
class DemandSums:
    """The pieces of a product for a booth: asked for, short and planned."""

    booth: str
    product: str
    asked: int
    short: int
    planned: int


@dataclass(frozen=True, slots=True)
class RevisedRow:
    """A line that a revision adds or gives back."""

    booth: str
    product: str
    facility: str
    lot: str
    qty: int
    reason: str = ""
    reason_id: str = ""


@dataclass(frozen=True, slots=True)
class ShareMoveRow:
    """What a plan gives a facility before and after a revision."""

    facility: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class ShortMoveRow:
    """What a booth lacks before and after a revision."""

    booth: str
    product: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class PlanRevision:
    """The latest revision of a plan: waiting to be accepted, or carried out."""

    status: str
    without: tuple[str, ...]
    kept: int
    added: tuple[RevisedRow, ...]
    back: tuple[RevisedRow, ...]
    shares: tuple[ShareMoveRow, ...]
    short: tuple[ShortMoveRow, ...]
    reason: str = ""
    reason_id: str = ""


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A request with its plan."""

    request: str
    festival: str
    status: str
    asked: int
    held: int
    short: int
    day: date | None
    hold_until: datetime | None
    lapsed: bool
    demands: tuple[DemandRow, ...]
    lines: tuple[LineRow, ...]
    shares: tuple[ShareRow, ...]
    shortfalls: tuple[ShortfallRow, ...]
    revision: PlanRevision | None = None

    @property
    def planned(self) -> int:
        """The pieces of the plan, whatever became of them."""
        return sum(share.allocated for share in self.shares)

    @property
    def proposal(self) -> str:
        """A text that tells what waits to be accepted from every other proposal; empty if nothing waits."""
        waits = self.revision is not None and self.revision.status == WAITING
        if not waits and (self.status != PROPOSED or self.lapsed):
            return ""
        lines = sorted((line.booth, line.product, line.facility, line.lot, line.qty) for line in self.lines)
        return sha256(repr((lines, self.revision if waits else None)).encode()).hexdigest()[:16]

    @property
    def by_demand(self) -> list[DemandSums]:
        """What each booth asked for of a product, beside what the plan gives it."""
        short = {(row.booth, row.product): row.short for row in self.shortfalls}
        return [
            DemandSums(
                row.booth, row.product, row.qty, lacking := short.get((row.booth, row.product), 0), row.qty - lacking
            )
            for row in self.demands
        ]


@dataclass(frozen=True, slots=True)
class DoubtRow:
    """A sale that no stock covers."""

    sale: str
    receipt: str
    till: str
    lot: str | None
    product: str
    qty: int
    waiting: int
    disputed: int
    rupiah: int
    sold_at: datetime
    why: str = ""

    @property
    def state(self) -> str:
        return "disputed" if self.disputed else "waiting"


@dataclass(frozen=True, slots=True)
class BoothSalesRow:
    """What a booth sold, by the sales service."""

    booth: str
    name: str | None
    zone: str | None
    status: str
    takings_rupiah: int
    sold: int
    receipts: int
    sales: tuple[DoubtRow, ...]

    @property
    def short(self) -> str:
        return self.booth.partition(".")[2]


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """What a facility gets of a festival. `issued`: it was published before; `final`: with these figures."""

    facility: str
    festival: str
    issued: bool
    final: bool
    qty: int
    sold_rupiah: int
    facility_rupiah: int
    maker_premium_rupiah: int
    programme_rupiah: int
    provisional_qty: int
    revision: int = 0


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """An enrolled device."""

    device: str
    role: str
    scope: str
    name: str
    enrolled_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code to pass on, which is shown once."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class GapRow:
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class BoothDemandRow:
    """A product at a booth, with the times without stock."""

    booth: str
    sold_out: tuple[GapRow, ...]


@dataclass(frozen=True, slots=True)
class ProductDemandRow:
    """A product at a festival. `lost_sales`: an estimate of what could have been sold too."""

    product: str
    stocked: int
    sold: int
    unsold: int
    sold_rupiah: int
    lost_sales: int
    booths: tuple[BoothDemandRow, ...]

    @property
    def ran_out(self) -> int:
        """At so many booths it ran out."""
        return sum(bool(booth.sold_out) for booth in self.booths)


@dataclass(frozen=True, slots=True)
class DemandPage:
    """The demand for a facility's products at a festival, the most wanted first."""

    facility: str
    festival: str
    complete: bool
    products: tuple[ProductDemandRow, ...]


@dataclass(frozen=True, slots=True)
class HealthRow:
    """Whether a service works, and why not in its own words."""

    service: str
    health: str
    cause: str | None


@dataclass(frozen=True, slots=True)
class RoleRow:
    role: str
    scope: str | None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account. Only administrators see login and name."""

    subject: str
    roles: tuple[RoleRow, ...]
    opened_at: datetime
    closed_at: datetime | None
    waits_for_reset: bool
    login: str | None = None
    name: str | None = None

    @property
    def status(self) -> str:
        if self.closed_at is not None:
            return "closed"
        return "waits for a reset" if self.waits_for_reset else "open"


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot, by inventory. `written_off`: pieces lost at the facility; `found`: at booths, beyond those sent."""

    lot: str
    facility: str
    product: str
    made_on: date
    best_before: date | None
    recalled: bool
    withdrawn: bool
    recorded: int
    on_hand: int
    reserved: int
    dispatched: int
    returned: int
    written_off: int
    corrected: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class ShareIfRow:
    """The pieces of a facility in the plan that waits and by other terms."""

    facility: str
    offered: int
    before: int
    after: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class BoothIfRow:
    """The pieces that a booth gets in the plan that waits and by other terms."""

    booth: str
    product: str
    asked: int
    before: int
    after: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class PlanIf:
    """What other terms would change in a plan that waits."""

    planned_before: int
    planned_after: int
    shipments_before: int
    shipments_after: int
    shares: tuple[ShareIfRow, ...]
    booths: tuple[BoothIfRow, ...]


@dataclass(frozen=True, slots=True)
class FacilityShareRow:
    """The pieces of a facility in a plan, and why not more."""

    facility: str
    festival: str
    request: str
    status: str
    day: date | None
    offered: int
    allocated: int
    reason: str
    reason_id: str


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """A facility of the catalogue with the time zone of its place."""

    code: str
    zone: str


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A record that a revoked device has signed. `number`: in the order in which its device's records came."""

    place: str
    device: str
    record: str
    type: str
    number: int
    seq: int | None
    recorded_at: str
    held_at: datetime
    status: str
    decided_at: datetime | None
    reason: str | None

    @property
    def kind(self) -> str:
        """`ReceiptIssued`, without the version."""
        return self.type.partition(".")[0]


@dataclass(frozen=True, slots=True)
class UndecidedDevice:
    """The records of a device that wait for a decision."""

    place: str
    device: str
    records: tuple[HeldRow, ...]

    @property
    def newest(self) -> int:
        """The number of the record that came last."""
        return max(row.number for row in self.records)


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """Records of a topic that wait to be worked. `records` None: not known now."""

    group: str
    topic: str
    records: int | None


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A key whose events wait for a dead letter."""

    group: str
    key: str
    events: int


@dataclass(frozen=True, slots=True)
class BacklogRow:
    """What a service has still to do. `outbox_pages`: of events that are not published yet."""

    service: str
    waiting: tuple[WaitingRow, ...]
    outbox_pages: int
    parked_keys: int
    parked: tuple[ParkedRow, ...]
