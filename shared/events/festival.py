"""Organisers' commands, what became of them, and what booths and tills need to know."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.events.language import (
    Body,
    Count,
    Day,
    DeadlineReached,
    Id,
    PriceRupiah,
    Qty,
    Text,
    Topic,
    TypedNumber,
    Utc,
)

# The ce_id of an organiser's command, whatever visible characters it was made of.
CommandId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]

# --- commands (organiser -> festival). Their ce_id is the command's id; best a UUID.


class LeadTime(Body):
    """How many days a parcel from the facility is on its way to the festival."""

    facility: Id
    days: Count


class ProgrammeWeight(Body):
    """The facility is due so many times the share of one with weight 1."""

    facility: Id
    weight: Qty


class AnnounceFestival(Body):
    """A festival from `first_day` to `last_day`, which are days of its `zone`, e.g. `Asia/Makassar`. Parcels must
    come before the opening, once it is open before the last day; those of a facility that `lead_days` does not name
    always do. What `weights` does not name has weight 1."""

    festival: Id
    name: Text
    place: Text
    zone: Id
    first_day: Day
    last_day: Day
    lead_days: tuple[LeadTime, ...] = ()
    weights: tuple[ProgrammeWeight, ...] = ()


class CancelFestival(Body):
    """Before anything was sent: all reservations are released."""

    festival: Id
    reason: Text = ""


class Price(Body):
    """`category`: the kind of product, by which a booth may be limited."""

    product: Id
    price_rupiah: PriceRupiah
    category: Id | None = None


class CategoryLimit(Body):
    """So many pieces of the products of one category at once."""

    category: Id
    qty: Count


class OpenBooth(Body):
    """A booth with the prices of what it will sell and the tills it will sell from. Its id begins with the
    festival's and a dot (`ODOP.B07`), so that no two festivals share a booth. It has room for `capacity` pieces at
    once; null: for all that is asked."""

    festival: Id
    booth: Id
    name: Text
    prices: tuple[Price, ...]
    tills: tuple[Id, ...]
    capacity: Count | None = None
    limits: tuple[CategoryLimit, ...] = ()


class Demand(Body):
    """How much of one product one booth would like."""

    booth: Id
    product: Id
    qty: Qty


class RequestAllocation(Body):
    """Ask for stock. With `consent` the plan is accepted as it comes; else it is withdrawn unless it is accepted
    within `hold_hours`. Reservations that were not sent within `hold_hours` of being asked for are released. `even`:
    booths share evenly what is short of a product; else fewer of them may be served, with fewer shipments. Once so
    many percent of the pieces asked for were lost on the way, recalled before they left or freed by a booth that
    closed as `revise_at_percent` says, what is missing is planned again and reserved without being asked for; null:
    never."""

    festival: Id
    request: Id
    demands: tuple[Demand, ...]
    consent: bool = False
    hold_hours: TypedNumber = 72
    even: bool = True
    revise_at_percent: TypedNumber | None = None


class ReviseAllocation(Body):
    """Reality differs from the plan: plan again what is missing under `request`, with as little change as can be.
    What facilities in `without` have not sent is given back, and nothing is taken from them (their boat did not sail,
    their stock is spoilt). What was sent stays. With `consent` it is carried out at once, else AcceptPlan does it;
    a revision that waits for that is replaced. What is reserved then has the request's hold hours anew."""

    festival: Id
    request: Id
    without: tuple[Id, ...] = ()
    reason: Text = ""
    consent: bool = False


class Replenish(Body):
    """Ask for a refill while the booths sell, until they close at `until` today: from what they sold so far, what
    they will lack, what other booths can spare, and what facilities should send of `products`. That part is a
    request like any other, `request`: with `consent` its plan is accepted as it comes. Between booths people carry it
    out with SendTransfer. Asked after closing for the next day, `opens` says when booths open again: only the hours
    from then on count, and facilities can send what comes by that day."""

    festival: Id
    request: Id
    until: Utc
    products: tuple[Id, ...] = ()
    consent: bool = False
    hold_hours: TypedNumber = 24
    opens: Utc | None = None


class AcceptPlan(Body):
    """The proposed plan, or the revision that waits, is wanted."""

    festival: Id
    request: Id


class SendShipment(Body):
    """Everything reserved of `facility` for `booth` under `request` goes on its way as `shipment`."""

    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id


class CountedLot(Body):
    lot: Id
    qty: Count


class ReceiveShipment(Body):
    """The booth counted what came. What is missing counts as lost on the way."""

    festival: Id
    shipment: Id
    booth: Id
    counted: tuple[CountedLot, ...]


class SendTransfer(Body):
    """Pieces leave `booth` for booth `to` of the same festival, `lots` as counted by people there: that many fewer
    can be sold at `booth` from now on."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    lots: tuple[CountedLot, ...]


class ReceiveTransfer(Body):
    """Booth `booth` counted what came of a transfer to it. What is missing counts as lost on the way."""

    festival: Id
    transfer: Id
    booth: Id
    counted: tuple[CountedLot, ...]


class ReceiveReturn(Body):
    """The facility counted what came home of one lot from one booth, after the booth was settled.
    `final` says that nothing more will come: the rest is a recorded loss."""

    festival: Id
    booth: Id
    lot: Id
    qty: Count
    final: bool = True


class LossPlace(StrEnum):
    FACILITY = "facility"
    BOOTH = "booth"


class RecordLoss(Body):
    """`qty` pieces of a lot are spoilt or gone, at the facility or at `booth`."""

    festival: Id
    lot: Id
    place: LossPlace
    booth: Id | None = None
    qty: Qty
    reason: Text = ""


class DisputeOutcome(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ResolveDispute(Body):
    """The organiser's word on the disputed pieces of a sale. Accepted without `lot`, no facility is credited with
    more than it sent to the booth; pieces beyond that stay in dispute until a `lot` is named or they are rejected."""

    festival: Id
    booth: Id
    sale: Id
    outcome: DisputeOutcome
    lot: Id | None = None


class VoidSale(Body):
    """`qty` pieces of line `line` of a receipt did not stand, by the organiser's word: for a till that was lost.
    Nobody's drawer pays for it."""

    festival: Id
    booth: Id
    receipt: Id
    line: Qty
    qty: Qty
    reason: Text = ""


class ChangePrice(Body):
    """From `valid_from` on (null: from now on) the booth sells the product at this price. The price list gets the
    next revision; a receipt tells which one its till knew."""

    festival: Id
    booth: Id
    product: Id
    price_rupiah: PriceRupiah
    valid_from: Utc | None = None


class AddTill(Body):
    """The booth sells from one more till."""

    festival: Id
    booth: Id
    till: Id


class StrikeTill(Body):
    """A device is lost: the booth no longer waits for it, or only not for its branch number `branch` (from 1).
    Without `device`, the booth no longer waits for any device of this till's name."""

    festival: Id
    booth: Id
    till: Id
    device: Id | None = None
    branch: Qty | None = None
    reason: Text = ""


class CloseBooth(Body):
    """One booth closes before the festival does: what is reserved for it goes back, what is there goes home. Its
    tills have until `till_hours` after this command to send what is left."""

    festival: Id
    booth: Id
    till_hours: TypedNumber = 48


class CloseFestival(Body):
    """The last sale was made. Tills have until `till_hours` after this command to send what is left."""

    festival: Id
    till_hours: TypedNumber = 48


# --- what became of it (festival -> anyone)


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


# --- what booths and tills need (festival -> sales, tills)


class BoothOpened(Body):
    """`prices` are revision 1 of the price list. `zone` is the festival's, e.g. `Asia/Makassar`."""

    booth: Id
    festival: Id
    name: Text
    prices: tuple[Price, ...]
    tills: tuple[Id, ...]
    zone: Id = "Asia/Jakarta"


class PricesChanged(Body):
    """The booth's whole price list of this `revision`, from `valid_from` on."""

    booth: Id
    revision: Qty
    valid_from: Utc
    prices: tuple[Price, ...]


class TillAdded(Body):
    booth: Id
    till: Id


class TillStruck(Body):
    """The booth no longer waits for this device, or for its branch number `branch` (from 1); without `device`, for no
    device of this till's name."""

    booth: Id
    till: Id
    device: Id | None = None
    branch: Qty | None = None


class VoidOrdered(Body):
    """The organiser voids pieces of a sale."""

    booth: Id
    receipt: Id
    line: Qty
    qty: Qty


class BoothStocked(Body):
    """`qty` pieces of the lot were counted in at the booth. `made_on` orders lots from old to new."""

    booth: Id
    festival: Id
    lot: Id
    facility: Id
    product: Id
    made_on: date
    qty: Qty


class BoothStockLost(Body):
    """`qty` pieces at the booth are spoilt or gone: they can't be sold."""

    booth: Id
    lot: Id
    qty: Qty


class BoothStockMoved(Body):
    """`qty` pieces have left the booth for booth `to`: they can't be sold here. There they are BoothStocked when
    they were counted in."""

    booth: Id
    lot: Id
    qty: Qty
    to: Id


class LotWithdrawn(Body):
    booth: Id
    lot: Id
    reason: Text


class DisputeResolved(Body):
    booth: Id
    sale: Id
    outcome: DisputeOutcome
    lot: Id | None = None


class BoothClosing(Body):
    """No more stock will come. Tills have until `deadline`."""

    booth: Id
    festival: Id
    deadline: Utc


# --- what festival says to itself


class RevisionRequested(Body):
    """What is missing under a request of festival `key` is to be planned again: comes back to festival with the
    request's `products` and the `lots` that closed booths give back, by which the stock is looked up. Without a
    `command` nobody asked for it: enough was lost on the way, recalled or freed by closed booths."""

    key: Id
    request: Id
    products: tuple[Id, ...]
    lots: tuple[Id, ...] = ()
    without: tuple[Id, ...] = ()
    reason: Text = ""
    consent: bool = True
    command: CommandId | None = None


ORGANISER = Topic(
    "karya.organiser.v1",
    "festival",
    (
        AnnounceFestival,
        CancelFestival,
        OpenBooth,
        RequestAllocation,
        ReviseAllocation,
        Replenish,
        AcceptPlan,
        SendShipment,
        ReceiveShipment,
        SendTransfer,
        ReceiveTransfer,
        ReceiveReturn,
        RecordLoss,
        ResolveDispute,
        VoidSale,
        ChangePrice,
        AddTill,
        StrikeTill,
        CloseBooth,
        CloseFestival,
    ),
)
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
BOOTH_STOCK = Topic(
    "karya.booth-stock.v1",
    "booth",
    (
        BoothOpened,
        PricesChanged,
        TillAdded,
        TillStruck,
        BoothStocked,
        BoothStockLost,
        BoothStockMoved,
        LotWithdrawn,
        DisputeResolved,
        VoidOrdered,
        BoothClosing,
    ),
)
FESTIVAL_DEADLINES = Topic("karya.festival.deadlines.v1", "key", (DeadlineReached, RevisionRequested))
