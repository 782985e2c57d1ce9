"""Organisers' commands (organiser -> festival). Their ce_id is the command's id; best a UUID."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.events.language import Body, Count, Day, Id, PriceRupiah, Qty, Text, Topic, TypedNumber, Utc

# The ce_id of an organiser's command, whatever visible characters it was made of.
CommandId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]


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
