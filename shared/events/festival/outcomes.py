"""What became of organisers' commands (festival -> anyone)."""

from datetime import date
from enum import StrEnum

from shared.events.festival.organiser import CommandId, CountedLot
from shared.events.language import Body, Count, Day, Id, Qty, Text, Topic, Utc


class FestivalAnnounced(Body):
    festival: Id
    name: Text
    place: Text
    zone: Id
    first_day: Day
    last_day: Day


class FestivalCancelled(Body):
    festival: Id
    reason: Text


class CommandRefusal(StrEnum):
    BAD_NAME = "bad_name"
    UNKNOWN_FESTIVAL = "unknown_festival"
    ALREADY_EXISTS = "already_exists"
    UNKNOWN_BOOTH = "unknown_booth"
    UNKNOWN_REQUEST = "unknown_request"
    UNKNOWN_SHIPMENT = "unknown_shipment"
    UNKNOWN_TRANSFER = "unknown_transfer"
    UNKNOWN_LOT = "unknown_lot"
    UNKNOWN_SALE = "unknown_sale"
    UNKNOWN_FACILITY = "unknown_facility"
    NO_PRICE = "no_price"
    WRONG_DAYS = "wrong_days"
    WRONG_STATE = "wrong_state"
    NOTHING_TO_SEND = "nothing_to_send"
    NOTHING_TO_PLAN = "nothing_to_plan"
    TOO_MANY = "too_many"
    STOCK_SAYS_NO = "stock_says_no"
    MISSING = "missing"
    NAMED_TWICE = "named_twice"
    OUT_OF_RANGE = "out_of_range"
    ID_TAKEN = "id_taken"


class PlanRule(StrEnum):
    """What can keep a piece from a booth."""

    STOCK = "stock"
    BEST_BEFORE = "best_before"
    LEAD_TIME = "lead_time"
    CAPACITY = "capacity"
    CATEGORY = "category"


class PlanConflict(Body):
    """The fewest rules that together leave a booth `short` of a product, in a sentence (`reason_id`: in
    Indonesian)."""

    booth: Id
    product: Id
    short: Qty
    rules: tuple[PlanRule, ...]
    reason: Text
    reason_id: Text = ""


class CommandRefused(Body):
    """An organiser's command was not carried out: which field, why, and a sentence for a person. `conflicts`: if
    nothing could be planned, what stood against it, for so many demands as there is room for."""

    festival: Id
    command: CommandId
    field: Id
    reason: CommandRefusal
    message: Text
    conflicts: tuple[PlanConflict, ...] = ()


class LineReason(StrEnum):
    """Why a line's facility serves its booth, and not another. `ONLY`: no other offers the product. `TOGETHER`: it
    sends other goods there anyway. `SHARE`: these pieces belong to its fair share."""

    ONLY = "only"
    TOGETHER = "together"
    SHARE = "share"


class LotReason(StrEnum):
    """Why this lot of the facility's: it is the only one, it spoils first, it is the oldest, or (`NEXT`) those before
    it are used up."""

    ONLY = "only"
    SPOILS_FIRST = "spoils_first"
    OLDEST = "oldest"
    NEXT = "next"


class PlanLine(Body):
    """`qty` pieces of `lot` for `booth`; `revision` is the lot's balance that the plan saw."""

    reservation: Id
    booth: Id
    product: Id
    facility: Id
    lot: Id
    qty: Qty
    revision: Count
    made_on: date | None = None
    why: LineReason | None = None
    first: LotReason | None = None
    best_before: date | None = None


class PlanOffer(Body):
    """Pieces of a product that a plan could have taken from a facility."""

    facility: Id
    product: Id
    qty: Count


class FacilityShare(Body):
    """What one facility had to offer of what was asked, what it got, and why not more (`reason_id`: in
    Indonesian)."""

    facility: Id
    offered: Count
    allocated: Count
    reason: Text
    reason_id: Text = ""


class Shortfall(Body):
    booth: Id
    product: Id
    asked: Qty
    short: Qty


class AllocationPlanned(Body):
    """A proposed plan, or (with `replan`) how a refused part, or what a revision found missing, was planned
    again. With `made_on` of its lines and `offers` it holds all that a rebuild needs to take the plan from here.
    `shipments` counts the pairs of facility and booth; no plan in which each facility gives as many (and, if
    booths share evenly, each booth gets as many) has fewer than `shipments_at_least`."""

    festival: Id
    request: Id
    replan: bool
    lines: tuple[PlanLine, ...]
    shares: tuple[FacilityShare, ...]
    short: tuple[Shortfall, ...]
    offers: tuple[PlanOffer, ...] = ()
    conflicts: tuple[PlanConflict, ...] = ()
    shipments: Count = 0
    shipments_at_least: Count = 0


class RevisedLine(Body):
    """`qty` pieces of `lot` for `booth`."""

    reservation: Id
    booth: Id
    product: Id
    facility: Id
    lot: Id
    qty: Qty


class BackReason(StrEnum):
    """Why a line is taken out of a plan: its facility can't send it, or its booth takes no more."""

    FACILITY = "facility"
    BOOTH = "booth"


class GivenBack(RevisedLine):
    """A line that a revision takes out of the plan, and why."""

    why: BackReason


class ShareMoved(Body):
    """Pieces that one facility can offer under the request, and those that the plan gives it before and after."""

    facility: Id
    offered: Count
    before: Count
    after: Count


class ShortMoved(Body):
    """Pieces that a booth asked for, and those that are missing before and after."""

    booth: Id
    product: Id
    asked: Qty
    before: Count
    after: Count


class AllocationRevised(Body):
    """How a plan changes: lines that are added and given back; `kept` pieces stay as they were. `shares` and `short`
    hold only what was or is more than nothing. Unless it is `carried_out`, it is a proposal that AcceptPlan makes
    real. `reason` in a sentence (`reason_id`: in Indonesian)."""

    festival: Id
    request: Id
    carried_out: bool
    reason: Text
    reason_id: Text
    kept: Count
    added: tuple[RevisedLine, ...]
    back: tuple[GivenBack, ...]
    shares: tuple[ShareMoved, ...]
    short: tuple[ShortMoved, ...]


class AllocationConfirmed(Body):
    """Every line that is planned is reserved, and nothing that was asked for is missing."""

    festival: Id
    request: Id
    reserved: Count


class AllocationFellShort(Body):
    """Every line that could be had is reserved; `short` is what stays missing."""

    festival: Id
    request: Id
    reserved: Count
    short: tuple[Shortfall, ...]


class Withdrawal(StrEnum):
    """`NOT_ACCEPTED`: nobody accepted the plan in time. `FESTIVAL_ENDED`: the festival was cancelled or closed."""

    NOT_ACCEPTED = "not_accepted"
    FESTIVAL_ENDED = "festival_ended"


class AllocationWithdrawn(Body):
    """The proposed plan was never accepted: it keeps no room at booths any more."""

    festival: Id
    request: Id
    why: Withdrawal


class BoothForecast(Body):
    """What a booth has of a product (with what is on its way) and will sell until closing if it has enough, give or
    take as many. `missing`: how many too few there are. `runs_out`: when the last one goes, if that is before
    closing."""

    booth: Id
    product: Id
    left: Count
    expected: Count
    give_or_take: Count
    missing: Count
    runs_out: Utc | None


class ProposedTransfer(Body):
    """`qty` pieces of a lot that should go from `booth` to booth `to`, and why (`reason_id`: in Indonesian)."""

    booth: Id
    to: Id
    lot: Id
    facility: Id
    product: Id
    qty: Qty
    reason: Text
    reason_id: Text


class ProposedRefill(Body):
    """What facilities should send to a booth, and why (`reason_id`: in Indonesian)."""

    booth: Id
    product: Id
    qty: Qty
    reason: Text
    reason_id: Text


class ReplenishmentProposed(Body):
    """How the booths will sell from `at` (or from when they open again, `opens`) `until` they close, as far as can be
    known, and what is proposed: the most urgent first, and no more than people can carry out. What facilities should
    send is planned as `request`, which AllocationPlanned shows; if nothing of it can be planned, `conflicts` say why
    and there is no such request."""

    festival: Id
    request: Id
    at: Utc
    until: Utc
    forecasts: tuple[BoothForecast, ...]
    transfers: tuple[ProposedTransfer, ...]
    refills: tuple[ProposedRefill, ...]
    conflicts: tuple[PlanConflict, ...] = ()
    opens: Utc | None = None


class ShipmentSent(Body):
    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id
    lots: tuple[CountedLot, ...]


class ShipmentDropped(Body):
    """Nothing of the shipment could leave: inventory carried out none of its dispatches."""

    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id


class ShipmentOverdue(Body):
    """Nobody has counted the shipment in by `due`. Nothing else changes: it is still on its way, or received late."""

    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id
    due: Utc


class Discrepancy(Body):
    """`sent` against `counted` pieces. What was counted beyond what was sent is not stocked."""

    lot: Id
    sent: Count
    counted: Count


class ShipmentReceived(Body):
    festival: Id
    shipment: Id
    booth: Id
    lots: tuple[CountedLot, ...]
    discrepancies: tuple[Discrepancy, ...]


class TransferSent(Body):
    """These pieces left `booth` for booth `to`."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    lots: tuple[CountedLot, ...]


class TransferOverdue(Body):
    """Nobody has counted the transfer in by `due`. Nothing else changes: it is still on its way, or received late."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    due: Utc


class TransferReceived(Body):
    """What of a transfer was counted in at booth `to`, and where the count differs from what left `booth`."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    lots: tuple[CountedLot, ...]
    discrepancies: tuple[Discrepancy, ...]


class FestivalClosed(Body):
    """Every booth is settled and everything unsold is home or recorded as lost. Pieces:
    received + surplus = sold + returned + lost; one that was moved from booth to booth counts once, where it came.
    `surplus`: more of a product was sold and came home than came to its booth (a sale was heard late), or pieces that
    were recorded as lost came home after all. Comes again (higher revision) after a late sale or return."""

    festival: Id
    received: Count
    sold: Count
    returned: Count
    lost: Count
    surplus: Count = 0
    lost_on_the_way: Count = 0
    revision: Count = 1


FESTIVAL = Topic(
    "karya.festival.v1",
    "festival",
    (
        FestivalAnnounced,
        FestivalCancelled,
        CommandRefused,
        AllocationPlanned,
        AllocationRevised,
        AllocationConfirmed,
        AllocationFellShort,
        AllocationWithdrawn,
        ReplenishmentProposed,
        ShipmentSent,
        ShipmentDropped,
        ShipmentOverdue,
        ShipmentReceived,
        TransferSent,
        TransferOverdue,
        TransferReceived,
        FestivalClosed,
    ),
)
