"""Outcomes of organisers' commands (festival -> anyone)."""

from datetime import date
from enum import StrEnum

from shared.events.catalogue import CatalogueRevision
from shared.events.festival.organiser import CountedLot, LeadTime
from shared.events.language import Body, CommandId, Count, Day, Id, Qty, Text, Topic, Utc, Values


class FestivalAnnounced(Body):
    """The festival is announced by the account `announced_by`. `catalogue`: the revisions that its `lead_days` are
    from."""

    festival: Id
    name: Text
    place: Text
    zone: Id
    first_day: Day
    last_day: Day
    catalogue: tuple[CatalogueRevision, ...] = ()
    lead_days: tuple[LeadTime, ...] = ()
    announced_by: Id | None = None


class FestivalChanged(Body):
    """The festival is announced anew under its id; this replaces what was announced before.

    It is also announced anew when a plan takes in facilities that were added later. `catalogue`: the revisions that
    the lead times which changed are from.
    """

    festival: Id
    name: Text
    place: Text
    zone: Id
    first_day: Day
    last_day: Day
    catalogue: tuple[CatalogueRevision, ...] = ()
    lead_days: tuple[LeadTime, ...] = ()


class FestivalCancelled(Body):
    """The festival is cancelled."""

    festival: Id
    reason: Text


class CommandRefusal(StrEnum):
    """The reason of a refused command."""

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
    NOT_CONFIRMED = "not_confirmed"
    WRONG_STATE = "wrong_state"
    NOTHING_TO_SEND = "nothing_to_send"
    NOTHING_TO_PLAN = "nothing_to_plan"
    TOO_MANY = "too_many"
    STOCK_SAYS_NO = "stock_says_no"
    MISSING = "missing"
    SETTLED = "settled"
    NOT_CREDITABLE = "not_creditable"
    NAMED_TWICE = "named_twice"
    OUT_OF_RANGE = "out_of_range"
    ID_TAKEN = "id_taken"


class PlanRule(StrEnum):
    """A rule that can keep a piece from a booth. `LEFT_OUT`: the latest revision goes without the facility."""

    STOCK = "stock"
    BEST_BEFORE = "best_before"
    LEAD_TIME = "lead_time"
    CAPACITY = "capacity"
    CATEGORY = "category"
    LEFT_OUT = "left_out"


class PlanConflict(Body):
    """The rules that leave a booth `short` of a product, and a sentence about it (`reason_id`: in Indonesian).

    If the stock is a reason, every rule that keeps some of it out is named too.
    """

    booth: Id
    product: Id
    short: Qty
    rules: tuple[PlanRule, ...]
    reason: Text
    reason_id: Text = ""


class CommandRefused(Body):
    """An organiser's command was not carried out: the field, the reason, and a sentence for a person.

    - `message`: the sentence in English. Readers of another language translate `template` and put in the `values` of
      its fields.
    - `conflicts`: if nothing could be planned, the rules that prevented it, for the first demands.
    """

    festival: Id
    command: CommandId
    field: Id
    reason: CommandRefusal
    message: Text
    template: Text
    values: Values
    conflicts: tuple[PlanConflict, ...] = ()


class LineReason(StrEnum):
    """The reason why this facility serves the booth. `ONLY`: no other facility offers the product. `TOGETHER`: it
    sends other goods there anyway. `SHARE`: the pieces belong to its fair share."""

    ONLY = "only"
    TOGETHER = "together"
    SHARE = "share"


class LotReason(StrEnum):
    """The reason for this lot of the facility. `ONLY`: it is the only one. `SPOILS_FIRST`, `OLDEST`: it goes before
    the others. `NEXT`: the lots before it are used up."""

    ONLY = "only"
    SPOILS_FIRST = "spoils_first"
    OLDEST = "oldest"
    NEXT = "next"


class PlanLine(Body):
    """`qty` pieces of `lot` for `booth`. `revision`: the lot's balance that the plan used."""

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
    """Pieces that one facility offered of the requested products, pieces allocated from it, and the reason why not
    more (`reason_id`: in Indonesian)."""

    facility: Id
    offered: Count
    allocated: Count
    reason: Text
    reason_id: Text = ""


class Shortfall(Body):
    """Pieces that a booth asked for and does not get."""

    booth: Id
    product: Id
    asked: Qty
    short: Qty


class AllocationPlanned(Body):
    """A proposed plan. With `replan`, a new plan for a refused part or for pieces that a revision found missing.

    With `made_on` of its lines and with `offers`, the event holds everything that a rebuild needs to restore the
    plan. `shipments` counts the pairs of facility and booth. `shipments_at_least` is a lower limit for every plan in
    which each facility gives the same pieces. If booths share evenly, each booth also gets the same pieces.

    `short` names what the demands of this plan lack. A long plan comes in several events: part number `part` of
    `parts`, each with some of the rows. `plan` counts the plans and revisions of the request. `digest` is of the
    whole plan, and a reader takes a plan only whole.
    """

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
    plan: Count = 0
    part: Count = 1
    parts: Count = 1
    digest: Text = ""


class RevisedLine(Body):
    """`qty` pieces of `lot` for `booth`."""

    reservation: Id
    booth: Id
    product: Id
    facility: Id
    lot: Id
    qty: Qty


class BackReason(StrEnum):
    """The reason why a line leaves a plan: its facility can't send it, or its booth takes no more."""

    FACILITY = "facility"
    BOOTH = "booth"


class GivenBack(RevisedLine):
    """A line that a revision takes out of the plan, and the reason."""

    why: BackReason


class ShareMoved(Body):
    """Pieces that one facility offers under the request, and its pieces in the plan before and after."""

    facility: Id
    offered: Count
    before: Count
    after: Count


class ShortMoved(Body):
    """Pieces that a booth asked for, and the missing pieces before and after."""

    booth: Id
    product: Id
    asked: Qty
    before: Count
    after: Count


class AllocationRevised(Body):
    """A change of a plan: lines added and lines given back; `kept` pieces are unchanged.

    `shares` and `short` leave out entries that are zero before and after. Unless `carried_out`, the change is a
    proposal for AcceptPlan. `reason` is a sentence (`reason_id`: in Indonesian).

    A long change comes in parts, as a plan does.
    """

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
    plan: Count = 0
    part: Count = 1
    parts: Count = 1
    digest: Text = ""


class AllocationConfirmed(Body):
    """Every planned line is reserved, and no requested piece is missing."""

    festival: Id
    request: Id
    reserved: Count


class AllocationFellShort(Body):
    """Every available line is reserved; `short` pieces stay missing. The plans name their booths and products."""

    festival: Id
    request: Id
    reserved: Count
    short: Count


class Withdrawal(StrEnum):
    """`NOT_ACCEPTED`: the plan was not accepted in time. `FESTIVAL_ENDED`: the festival was cancelled or closed."""

    NOT_ACCEPTED = "not_accepted"
    FESTIVAL_ENDED = "festival_ended"


class AllocationWithdrawn(Body):
    """The proposed plan was never accepted. It takes no capacity of booths any more."""

    festival: Id
    request: Id
    why: Withdrawal


class BoothForecast(Body):
    """The forecast of a product at a booth until closing.

    `left`: pieces there and on their way. `expected`: sales with enough stock, within `give_or_take`. `missing`: the
    shortage. `runs_out`: the time of the last piece, if that is before closing. Unless `known`, no booth has had the
    product in stock for an hour: that is too little to expect anything of it.
    """

    booth: Id
    product: Id
    left: Count
    expected: Count
    give_or_take: Count
    missing: Count
    runs_out: Utc | None
    known: bool = True


class ProposedTransfer(Body):
    """`qty` pieces of a lot that should go from `booth` to booth `to`, and the reason (`reason_id`: in
    Indonesian)."""

    booth: Id
    to: Id
    lot: Id
    facility: Id
    product: Id
    qty: Qty
    reason: Text
    reason_id: Text


class ProposedRefill(Body):
    """Pieces that facilities should send to a booth, and the reason (`reason_id`: in Indonesian)."""

    booth: Id
    product: Id
    qty: Qty
    reason: Text
    reason_id: Text


class ReplenishmentProposed(Body):
    """A forecast of the booths' sales from `at` (or from the next opening, `opens`) `until` they close, with
    proposals.

    The most urgent proposals come first, with no more transfers than people can carry out. The facilities' part is
    planned as `request`, which AllocationPlanned shows. If none of it can be planned, `conflicts` give the reasons
    and there is no such request.

    A long proposal comes in parts, as a plan does. `request` names it.
    """

    festival: Id
    request: Id
    at: Utc
    until: Utc
    forecasts: tuple[BoothForecast, ...]
    transfers: tuple[ProposedTransfer, ...]
    refills: tuple[ProposedRefill, ...]
    conflicts: tuple[PlanConflict, ...] = ()
    opens: Utc | None = None
    part: Count = 1
    parts: Count = 1
    digest: Text = ""


class ShipmentSent(Body):
    """The shipment left the facility with these pieces."""

    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id
    lots: tuple[CountedLot, ...]


class ShipmentDropped(Body):
    """Nothing of the shipment left: inventory carried out none of its dispatches."""

    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id


class ShipmentOverdue(Body):
    """The shipment was not counted in by `due`. It is still on its way, or will be received late."""

    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id
    due: Utc


class Discrepancy(Body):
    """`sent` and `counted` pieces of a lot. Pieces counted beyond the pieces sent are stocked by a recount alone."""

    lot: Id
    sent: Count
    counted: Count


class ShipmentReceived(Body):
    """The booth counted the shipment in. `discrepancies`: differences from the pieces sent."""

    festival: Id
    shipment: Id
    booth: Id
    lots: tuple[CountedLot, ...]
    discrepancies: tuple[Discrepancy, ...]


class Surplus(Body):
    """Pieces that a booth gets beyond those it asked for."""

    booth: Id
    product: Id
    asked: Qty
    surplus: Qty


class ShipmentRecounted(Body):
    """The booth counted lots of a received shipment again. The highest `revision` is valid.

    `lots`: the stocked pieces of the whole shipment now. `discrepancies`: the differences from the pieces sent that
    are left. `surplus`: what the request now has beyond its demands, since a revision has replaced pieces that were
    found after all. Reserved pieces stay reserved.
    """

    festival: Id
    shipment: Id
    booth: Id
    revision: Qty
    lots: tuple[CountedLot, ...]
    discrepancies: tuple[Discrepancy, ...]
    surplus: tuple[Surplus, ...] = ()


class TransferSent(Body):
    """These pieces left `booth` for booth `to`."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    lots: tuple[CountedLot, ...]


class TransferOverdue(Body):
    """The transfer was not counted in by `due`. It is still on its way, or will be received late."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    due: Utc


class TransferReceived(Body):
    """Booth `to` counted the transfer in. `discrepancies`: differences from the pieces that left `booth`."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    lots: tuple[CountedLot, ...]
    discrepancies: tuple[Discrepancy, ...]


class TransferRecounted(Body):
    """Booth `to` counted lots of a received transfer again. `revision`, `lots` and `discrepancies`: as in
    ShipmentRecounted."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    revision: Qty
    lots: tuple[CountedLot, ...]
    discrepancies: tuple[Discrepancy, ...]


class FestivalClosed(Body):
    """Every booth is settled, and every unsold piece is home or recorded as lost.

    Pieces: received + surplus = sold + returned + lost. A piece moved between booths counts once, at its first booth.
    `surplus`: more of a product was sold and came home than came to its booth, because a sale was heard late. Pieces
    that were recorded as lost and came home count there too. `found`: received pieces beyond those that were sent, by
    recounts. A late sale, return or recount publishes the event again with a higher revision.
    """

    festival: Id
    received: Count
    sold: Count
    returned: Count
    lost: Count
    surplus: Count = 0
    lost_on_the_way: Count = 0
    revision: Count = 1
    found: Count = 0


class FestivalReopened(Body):
    """Booth `booth` of a festival that was closing or closed is open again, and so is the festival."""

    festival: Id
    booth: Id


FESTIVAL = Topic(
    "karya.festival.v1",
    "festival",
    (
        FestivalAnnounced,
        FestivalChanged,
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
        ShipmentRecounted,
        TransferSent,
        TransferOverdue,
        TransferReceived,
        TransferRecounted,
        FestivalClosed,
        FestivalReopened,
    ),
)
