"""Organisers' commands (organiser -> festival). The ce_id is the command's id, preferably a UUID."""

from enum import StrEnum

from shared.events.catalogue import CatalogueRevision
from shared.events.language import Body, Count, Day, Id, PriceRupiah, Qty, Text, Topic, Typed, TypedNumber, Utc


class LeadTime(Body):
    """Days of a parcel from the facility to the festival."""

    facility: Id
    days: Count


class AddedFacilities(Body):
    """Lead times to `island` of facilities that were added to the catalogue after the festival was announced.

    The HTTP API adds them to commands that plan. `catalogue`: the revisions that they are from. A festival with
    another island leaves them out of account.
    """

    island: Id
    lead_days: tuple[LeadTime, ...]
    catalogue: tuple[CatalogueRevision, ...]


class ProgrammeWeight(Body):
    """The facility is due `weight` times the share of a facility with weight 1."""

    facility: Id
    weight: Qty


class AnnounceFestival(Body):
    """A festival from `first_day` to `last_day`, in days of its `zone`, e.g. `Asia/Makassar`.

    Parcels must arrive before the opening. Once the festival is open, they must arrive before the last day. Without
    an `island`, parcels of a facility without `lead_days` always arrive in time. With one, the HTTP API adds the lead
    times of the catalogue, and names the revisions that it used. Nothing is planned then of a facility without lead
    time. A facility without a weight in `weights` has weight 1. Days in the past, or more than 60 days, are refused
    unless `confirmed`.
    """

    festival: Id
    name: Text
    place: Text
    zone: Id
    first_day: Day
    last_day: Day
    lead_days: tuple[LeadTime, ...] = ()
    weights: tuple[ProgrammeWeight, ...] = ()
    island: Typed | None = None
    catalogue: tuple[CatalogueRevision, ...] = ()
    confirmed: bool = False


class ChangeFestival(Body):
    """Change what was announced. A field that is null stays as it is. The id never changes.

    Days, place and zone can change until something was sent. After that only the last day can become later. The name
    can change always. `lead_days` replace all earlier ones and the island. They come from the catalogue with an
    `island`.
    `confirmed`: as in AnnounceFestival.
    """

    festival: Id
    name: Text | None = None
    place: Text | None = None
    zone: Id | None = None
    first_day: Day | None = None
    last_day: Day | None = None
    lead_days: tuple[LeadTime, ...] | None = None
    island: Typed | None = None
    catalogue: tuple[CatalogueRevision, ...] = ()
    confirmed: bool = False


class CancelFestival(Body):
    """Cancel the festival before anything was sent. All reservations are released."""

    festival: Id
    reason: Text = ""


class Price(Body):
    """A product's price. `category`: the kind of product, by which a booth may be limited. `name`: for people."""

    product: Id
    price_rupiah: PriceRupiah
    category: Id | None = None
    name: Text = ""


class CategoryLimit(Body):
    """The most pieces of one category's products that a booth can hold at once."""

    category: Id
    qty: Count


class OpenBooth(Body):
    """A booth with its prices and tills. Its id begins with the festival's id and a dot (`ODOP.B07`), so that no two
    festivals share a booth.

    `capacity`: the most pieces that the booth can hold at once; null: no limit. The HTTP API adds categories and
    names of the catalogue where they are left out, and names the revisions that it used.
    """

    festival: Id
    booth: Id
    name: Text
    prices: tuple[Price, ...]
    tills: tuple[Id, ...]
    capacity: Count | None = None
    limits: tuple[CategoryLimit, ...] = ()
    catalogue: tuple[CatalogueRevision, ...] = ()


class RenameBooth(Body):
    """Give a booth another name for people. Its id never changes."""

    festival: Id
    booth: Id
    name: Text


class Demand(Body):
    """The pieces of one product that one booth asks for."""

    booth: Id
    product: Id
    qty: Qty


class RequestAllocation(Body):
    """Ask for stock.

    With `consent` the plan is accepted at once. Without it, the plan is withdrawn unless it is accepted within
    `hold_hours`. Reservations that are not sent within `hold_hours` of the request are released. `even`: booths share
    a shortage evenly; otherwise fewer booths may be served, with fewer shipments. `revise_at_percent`:
    the percentage of missing pieces at which they are planned and reserved again without a command; null: never.
    Missing pieces were lost on the way, recalled before sending or freed by a closed booth.

    `day`: the day of the festival that the stock is for; null: all its days. Lots must be good on that day and come
    by it. Their hold ends with it at the latest. `hold_hours` null: until that day is over, or 72 without a day.
    `added`: see AddedFacilities.
    """

    festival: Id
    request: Id
    demands: tuple[Demand, ...]
    consent: bool = False
    hold_hours: TypedNumber | None = None
    even: bool = True
    revise_at_percent: TypedNumber | None = None
    day: Day | None = None
    added: AddedFacilities | None = None


class ReviseAllocation(Body):
    """Plan missing pieces under `request` again, with as few changes as possible.

    Facilities in `without` give back the pieces that they have not sent, and no pieces are planned from them. Reasons
    may be a boat that did not sail, or spoilt stock. Sent pieces stay. With `consent` the revision is carried out at
    once, otherwise by AcceptPlan. It replaces a revision that waits for AcceptPlan. Reserved pieces then have the
    request's hold hours again. `added`: see AddedFacilities.
    """

    festival: Id
    request: Id
    without: tuple[Id, ...] = ()
    reason: Text = ""
    consent: bool = False
    added: AddedFacilities | None = None


class Replenish(Body):
    """Ask for a refill while the booths sell, until they close at `until` today.

    The answer uses the sales so far. It has the pieces that booths will lack, the pieces that other booths can spare,
    and the pieces of `products` that facilities should send. The facilities' part is a request like any other, named
    `request`; with `consent` its plan is accepted at once. People carry out the transfers between booths with
    SendTransfer. After closing, `opens` asks for the next day and is the time of the next opening. Only the hours
    from then on count, and parcels may arrive by that day. `added`: see AddedFacilities.
    """

    festival: Id
    request: Id
    until: Utc
    products: tuple[Id, ...] = ()
    consent: bool = False
    hold_hours: TypedNumber = 24
    opens: Utc | None = None
    added: AddedFacilities | None = None


class AcceptPlan(Body):
    """Accept the proposed plan, or the revision that waits."""

    festival: Id
    request: Id


class SendShipment(Body):
    """Send all pieces that `facility` has reserved for `booth` under `request`, as `shipment`."""

    festival: Id
    request: Id
    shipment: Id
    facility: Id
    booth: Id


class CountedLot(Body):
    """Counted pieces of a lot."""

    lot: Id
    qty: Count


class ReceiveShipment(Body):
    """The booth has counted a shipment. Missing pieces count as lost on the way.

    `counted` names every lot of the shipment. With `lose_unnamed`, a lot that it does not name is lost. Pieces
    counted beyond those sent are not stocked: RecountShipment stocks them.
    """

    festival: Id
    shipment: Id
    booth: Id
    counted: tuple[CountedLot, ...]
    lose_unnamed: bool = False


class RecountShipment(Body):
    """The count of a received shipment was wrong. `counted` are whole counts of some of its lots, also beyond the
    pieces sent. Other lots keep their count.

    A lot that the shipment did not have is counted in too. If the festival never had it, it is counted alone, and
    inventory must know it.
    """

    festival: Id
    shipment: Id
    booth: Id
    counted: tuple[CountedLot, ...]


class SendTransfer(Body):
    """Pieces leave `booth` for booth `to` of the same festival, `lots` as counted there. `booth` can sell that many
    fewer from now on."""

    festival: Id
    transfer: Id
    booth: Id
    to: Id
    lots: tuple[CountedLot, ...]


class ReceiveTransfer(Body):
    """Booth `booth` has counted a transfer to it. Missing pieces count as lost on the way.

    `counted` and `lose_unnamed`: as in ReceiveShipment.
    """

    festival: Id
    transfer: Id
    booth: Id
    counted: tuple[CountedLot, ...]
    lose_unnamed: bool = False


class RecountTransfer(Body):
    """The count of a received transfer at `booth` was wrong. `counted`: as in RecountShipment. The count at the other
    booth stays."""

    festival: Id
    transfer: Id
    booth: Id
    counted: tuple[CountedLot, ...]


class ReceiveReturn(Body):
    """The facility has counted the pieces of one lot that came home from one booth, after the booth was settled.
    `final`: no more pieces will come, and the rest is recorded as lost."""

    festival: Id
    booth: Id
    lot: Id
    qty: Count
    final: bool = True


class RecountReturn(Body):
    """The count of what came home of a lot from one booth was wrong. `qty` is the whole number that ever came home
    from there."""

    festival: Id
    booth: Id
    lot: Id
    qty: Count


class LossPlace(StrEnum):
    FACILITY = "facility"
    BOOTH = "booth"


class RecordLoss(Body):
    """`qty` pieces of a lot are spoilt or missing, at the facility or at `booth`."""

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
    """Decide on the disputed or waiting pieces of a sale, at an open booth too.

    Accepted without `lot`, a facility is credited with at most the pieces that it sent to the booth. Pieces beyond
    that stay in doubt until a `lot` is named or they are rejected.
    """

    festival: Id
    booth: Id
    sale: Id
    outcome: DisputeOutcome
    lot: Id | None = None


class VoidSale(Body):
    """Void `qty` pieces of line `line` of a receipt, for a till that was lost. No drawer pays for it."""

    festival: Id
    booth: Id
    receipt: Id
    line: Qty
    qty: Qty
    reason: Text = ""


class ChangePrice(Body):
    """The booth sells the product at this price from `valid_from` on; null: from now on.

    The price list gets the next revision. A receipt contains the revision that its till knew.
    """

    festival: Id
    booth: Id
    product: Id
    price_rupiah: PriceRupiah
    valid_from: Utc | None = None


class AddProduct(Body):
    """The open booth sells one more product, at this price from `valid_from` on; null: from now on.

    The price list gets the next revision. `category`: as in Price.
    """

    festival: Id
    booth: Id
    product: Id
    price_rupiah: PriceRupiah
    category: Id | None = None
    name: Text | None = None
    catalogue: tuple[CatalogueRevision, ...] = ()
    valid_from: Utc | None = None


class AddTill(Body):
    """The booth sells from one more till."""

    festival: Id
    booth: Id
    till: Id


class StrikeTill(Body):
    """A device is lost: the booth no longer waits for it, or for its branch number `branch` (from 1). Without
    `device`, the booth waits for no device of this till's name."""

    festival: Id
    booth: Id
    till: Id
    device: Id | None = None
    branch: Qty | None = None
    reason: Text = ""


class MergeBooths(Body):
    """Merge `booth`, which was opened by mistake, into booth `to`.

    Unsold stock and devices go to booth `to`, and `booth` closes. Its sales stay its own. Its reservations are
    released. Records that its tills send from now on count at booth `to`.
    """

    festival: Id
    booth: Id
    to: Id


class MoveStray(Body):
    """Let the records of tills for `stray`, a booth that no festival has opened, count at `booth`."""

    festival: Id
    booth: Id
    stray: Id


class CloseBooth(Body):
    """Close one booth before the festival. Its reservations are released, and its stock goes home. Its tills have
    `till_hours` after this command to send their records."""

    festival: Id
    booth: Id
    till_hours: TypedNumber = 48


class ReopenBooth(Body):
    """Sell again at a booth that was closed, also when its festival is closing.

    Sales decides. It refuses once a settlement that includes the booth was issued. Reservations that the closing
    released stay released.
    """

    festival: Id
    booth: Id
    reason: Text = ""


class CloseFestival(Body):
    """Close the festival after the last sale. Tills have `till_hours` after this command to send their records."""

    festival: Id
    till_hours: TypedNumber = 48


ORGANISER = Topic(
    "karya.organiser.v1",
    "festival",
    (
        AnnounceFestival,
        ChangeFestival,
        CancelFestival,
        OpenBooth,
        RenameBooth,
        RequestAllocation,
        ReviseAllocation,
        Replenish,
        AcceptPlan,
        SendShipment,
        ReceiveShipment,
        RecountShipment,
        SendTransfer,
        ReceiveTransfer,
        RecountTransfer,
        ReceiveReturn,
        RecountReturn,
        RecordLoss,
        ResolveDispute,
        VoidSale,
        ChangePrice,
        AddProduct,
        AddTill,
        StrikeTill,
        MoveStray,
        MergeBooths,
        CloseBooth,
        ReopenBooth,
        CloseFestival,
    ),
)
