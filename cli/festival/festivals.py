"""Commands for festivals and their booths: announce, show, close, and what keeps one from closing."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from cli.console import say, show_json, show_table, warn
from cli.festival.client import AnswerStatus, Row
from cli.festival.devices import waited_for
from cli.festival.disputes import doubtful, doubts, show_doubts
from cli.festival.session import (
    Booth,
    Festival,
    Json,
    Reason,
    Yes,
    booth_id,
    confirmed_command,
    festival_time,
    sales_service,
    service,
    show_answer,
)
from cli.parameters import DAY, LOT, WHOLE, parsed
from shared import shown, typed
from shared.access.rights import Grant
from shared.errors import NotAnswered
from shared.events.identity import Role
from shared.translation import heading, received, tr, translated, word

Day = Annotated[date, typer.Option(parser=DAY, help="A day there, e.g. 2026-04-18.")]


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


def announce(
    context: typer.Context,
    festival: Festival,
    name: Annotated[str, typer.Argument(help="Its name for people.")],
    place: Annotated[str, typer.Option(help="Where it is held.")],
    first_day: Day,
    last_day: Day,
    zone: Annotated[str, typer.Option(help="Its time zone.")] = "Asia/Jakarta",
    island: Annotated[str | None, typer.Option(help="Destination of parcels: plans count their travel time.")] = None,
    weight: Annotated[list[str] | None, typer.Option(help="FACILITY=N: it gets N times the share.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Announce a festival. One that is over, or longer than 60 days, needs a yes."""
    weights = parsed(lambda: typed.pairs(weight or [], "--weight PR-KPG=2", typed.facility))
    body = {
        "festival": festival,
        "name": name,
        "place": place,
        "zone": zone,
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "island": island,
        "weights": [{"facility": facility, "weight": times} for facility, times in weights.items()],
    }
    message = tr("{name} is announced as {festival}, {days}.", name=name, festival=festival, days=_days(body))
    with service(context) as api:
        answer = confirmed_command(api, "festivals", body=body, yes=yes)
        show_answer(answer, message, as_json=as_json)
        # The next command needs the role that identity grants by this announcement.
        if answer.status is AnswerStatus.DONE and not api.wait_for_role(str(Grant(Role.ORGANISER, festival))):
            warn(
                tr(
                    "Your role as organiser of {festival} has not come yet. Commands about it are refused until "
                    "then: try again in a moment.",
                    festival=festival,
                )
            )


def booth(
    context: typer.Context,
    festival: Festival,
    booth: Booth,
    price: Annotated[
        list[str], typer.Option(help="PRODUCT=RUPIAH: a product and its price there, e.g. KTI=150.000.")
    ],
    name: Annotated[str, typer.Option(help="Its name for people; its id if left out.")] = "",
    till: Annotated[list[str] | None, typer.Option(help="Name of a till there; T1 if left out.")] = None,
    capacity: Annotated[
        int | None, typer.Option(parser=WHOLE, help="How many pieces it has room for at once.")
    ] = None,
    limit: Annotated[list[str] | None, typer.Option(help="CATEGORY=PIECES, e.g. tenun=40.")] = None,
    as_json: Json = False,
) -> None:
    """Open a booth."""
    id = booth_id(festival, booth)
    limits = parsed(lambda: typed.pairs(limit or [], "--limit tenun=40", str.strip))
    prices = parsed(lambda: typed.pairs(price, "--price KTI=150.000", typed.product, typed.rupiah))
    body = {
        "booth": id,
        "name": name or id,
        "prices": [{"product": product, "price_rupiah": rupiah} for product, rupiah in prices.items()],
        "tills": till or ["T1"],
        "capacity": capacity,
        "limits": [{"category": category, "qty": qty} for category, qty in limits.items()],
    }
    with service(context) as api:
        show_answer(
            api.command("festivals", festival, "booths", body=body),
            tr("Booth {booth} is open.", booth=id),
            as_json=as_json,
        )


def cancel(context: typer.Context, festival: Festival, reason: Reason = "", as_json: Json = False) -> None:
    """Cancel a festival before anything was sent: every reservation is released."""
    with service(context) as api:
        answer = api.command("festivals", festival, "cancel", body={"reason": reason})
        show_answer(answer, tr("{festival} is cancelled.", festival=festival), as_json=as_json)


def close(
    context: typer.Context,
    festival: Festival,
    till_hours: Annotated[
        int, typer.Option(parser=WHOLE, help="For how many hours tills may still send their records.")
    ] = 48,
    as_json: Json = False,
) -> None:
    """Close a festival after the last sale."""
    with service(context) as api:
        answer = api.command("festivals", festival, "close", body={"till_hours": till_hours})
        message = tr(
            "{festival} is closing; `karya festival missing {festival}` shows what it waits for.", festival=festival
        )
        show_answer(answer, message, as_json=as_json)


def loss(
    context: typer.Context,
    festival: Festival,
    lot: Annotated[str, typer.Argument(parser=LOT, help="The lot number on the label.")],
    qty: Annotated[int, typer.Argument(parser=WHOLE, help="How many pieces are spoilt or missing.")],
    booth: Annotated[str | None, typer.Option(help="At which booth; at the facility if left out.")] = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Record pieces that are spoilt or missing."""
    place: Row = {"place": "booth", "booth": booth_id(festival, booth)} if booth else {"place": "facility"}
    with service(context) as api:
        answer = api.command(
            "festivals", festival, "losses", body={"lot": lot, "qty": qty, "reason": reason, **place}
        )
        show_answer(answer, tr("Recorded as lost: {qty:piece|pieces} of {lot}.", qty=qty, lot=lot), as_json=as_json)


def dispute(
    context: typer.Context,
    festival: Festival,
    sale: Annotated[str, typer.Argument(help="The sale's id, as `karya festival disputes` shows it.")],
    verdict: Annotated[Verdict, typer.Argument(help="Whether the sale is valid.")],
    booth: Annotated[str, typer.Option(help="The booth that sold, e.g. B1.")],
    lot: Annotated[str | None, typer.Option(parser=LOT, help="The lot number on the label, if you know it.")] = None,
    as_json: Json = False,
) -> None:
    """Decide a sale in dispute, or one that waits: pieces beyond the known stock. Without a lot no facility gets more
    than it sent."""
    body = {"booth": booth_id(festival, booth), "outcome": verdict.value, "lot": lot}
    with service(context) as api:
        answer = api.command("festivals", festival, "disputes", sale, "resolve", body=body)
        message = tr("Sale {sale} is {verdict:word}.", sale=sale, verdict=verdict.value)
        if verdict is Verdict.ACCEPTED and lot:
            message = tr(
                "Sale {sale} is {verdict:word}. A lot of another product is not accepted: `karya festival disputes "
                "{festival}` shows what is left to decide.",
                sale=sale,
                verdict=verdict.value,
                festival=festival,
            )
        elif verdict is Verdict.ACCEPTED:
            message = tr(
                "Sale {sale} is {verdict:word}. Pieces beyond what facilities sent stay in dispute: `karya festival "
                "disputes {festival}` shows what is left to decide.",
                sale=sale,
                verdict=verdict.value,
                festival=festival,
            )
        show_answer(answer, message, as_json=as_json)


def missing(context: typer.Context, festival: Festival, as_json: Json = False) -> None:
    """Show what keeps the festival from closing, the devices that it waits for, and sales in doubt."""
    with service(context) as api:
        page = api.get("festivals", festival, "missing")
        booths = [row for row in api.all("festivals", festival, "booths", by="booth") if row["status"] != "settled"]
        devices = _devices(context, booths) if booths and page["status"] in ("open", "closing") else []
        selling = _doubts(context, festival)
        sales = None if selling is None else list(doubtful(selling))
        if as_json:
            show_json({**page, "devices": devices, "disputes": sales})
            return
        empty = tr("Nothing is missing: {festival} is {status:word}.", festival=festival, status=page["status"])
        # Sales tells of the same sales with more to decide by.
        steps = [_told(row) for row in page["missing"] if not sales or row["what"] != "disputed"]
        show_table(["what", "booth", "lot", "qty", "message"], steps, empty, words=("what",))
        if devices:
            say("")
            show_table(["booth", "till", "device", "what_is_missing", "to_do"], devices, "")
        if selling and sales:
            say("")
            show_doubts(festival, selling, "")


def _doubts(context: typer.Context, festival: str) -> list[Row] | None:
    """The booths as sales knows them, with takings and sales in doubt; None if it does not answer."""
    try:
        with sales_service(context) as sales:
            return doubts(sales, festival)
    except NotAnswered as fault:
        warn(tr("Takings and sales in doubt are not known. {fault}", fault=translated(fault.message)))
        return None


def _devices(context: typer.Context, booths: list[Row]) -> list[Row] | None:
    """The devices that booths wait for; None if sales does not answer, so that the rest is still shown."""
    try:
        with sales_service(context) as sales:
            return waited_for(sales, booths)
    except NotAnswered as fault:
        warn(tr("The devices that booths wait for are not known. {fault}", fault=translated(fault.message)))
        return None


def list_festivals(
    context: typer.Context,
    status: Annotated[str | None, typer.Option(help="Only open, cancelled, closing or closed ones.")] = None,
    as_json: Json = False,
) -> None:
    """List all festivals."""
    with service(context) as api:
        rows = list(api.all("festivals", by="festival", status=status))
        if as_json:
            show_json(rows)
            return
        columns = ["festival", "name", "place", "first_day", "last_day", "zone", "status"]
        show_table(
            columns,
            [{**row, "zone": _zone(row)} for row in rows],
            tr("No festival is announced; `karya festival announce` announces one."),
            words=("status",),
        )


def show(context: typer.Context, festival: Festival, as_json: Json = False) -> None:
    """Show a festival with its booths, requests, shipments and transfers."""
    with service(context) as api:
        page = api.get("festivals", festival)
        booths = list(api.all("festivals", festival, "booths", by="booth"))
        requests = list(api.all("festivals", festival, "requests", by="request"))
        shipments = list(api.all("festivals", festival, "shipments", by="shipment"))
        transfers = list(api.all("festivals", festival, "transfers", by="transfer"))
        selling = {row["booth"]: row for row in _doubts(context, festival) or ()}
    booths = [{**row, "sales": _sold(selling.get(row["booth"]))} for row in booths]
    if as_json:
        lists = {"booths": booths, "requests": requests, "shipments": shipments, "transfers": transfers}
        show_json({**page, **lists})
        return
    say(f"{page['name']}, {page['place']}, {_days(page)}: {word(page['status'])}")
    columns = ["received", "sold", "returned", "lost", "surplus", "lost_on_the_way", "found"]
    if page["sums"]:
        say(
            ", ".join(
                f"{heading(name).replace('_', ' ')} {qty}"
                for name in columns
                if (qty := page["sums"].get(name)) is not None
            )
        )
    zone = page["zone"]
    say("")
    columns = [
        "booth",
        "name",
        "status",
        "in_transit",
        "received",
        "sold",
        "left",
        "takings",
        "in_doubt",
        "tills_until",
    ]
    show_table(columns, [_summed(row, zone) for row in booths], tr("No booth is open."), words=("status",))
    say("")
    held = [{**row, "hold_until": festival_time(row["hold_until"], zone)} for row in requests]
    show_table(
        ["request", "status", "asked", "held", "short", "hold_until"],
        held,
        tr("No stock was asked for."),
        words=("status",),
    )
    say("")
    columns = ["shipment", "request", "facility", "booth", "status", "pieces", "expected_by"]
    show_table(columns, [_expected(row, zone) for row in shipments], tr("Nothing was sent."), words=("status",))
    if transfers:
        say("")
        moved = [{**row, "pieces": sum(lot["sent"] for lot in row["lots"])} for row in transfers]
        show_table(["transfer", "booth", "to", "status", "pieces"], moved, "", words=("status",))


def _days(festival: Row) -> str:
    return tr(
        "{first} to {last} {zone}", first=festival["first_day"], last=festival["last_day"], zone=_zone(festival)
    )


def _zone(festival: Row) -> str:
    """The short name of the festival's time zone, e.g. `WITA`; its id if it has none."""
    try:
        noon = datetime.combine(date.fromisoformat(festival["first_day"]), time(12), ZoneInfo(festival["zone"]))
    except (ValueError, ZoneInfoNotFoundError):
        return str(festival["zone"])
    return shown.zone(noon)


def _expected(shipment: Row, zone: str) -> Row:
    pieces = sum(parcel["qty"] for parcel in shipment["parcels"])
    late = shipment["overdue"] and shipment["status"] == "sent"
    status = "overdue" if late else shipment["status"]
    return {**shipment, "pieces": pieces, "status": status, "expected_by": festival_time(shipment["due"], zone)}


def _told(row: Row) -> Row:
    message = received(row["message"], row["template"], row["values"])
    return {**row, "what": row["what"].replace("_", " "), "message": message}


def _summed(booth: Row, zone: str) -> Row:
    sums = {name: sum(lot[name] for lot in booth["lots"]) for name in ("in_transit", "received", "sold", "left")}
    until, sales = festival_time(booth["deadline"], zone), booth["sales"]
    if sales is None:
        return {**booth, **sums, "tills_until": until}
    if booth["status"] != "settled":
        # Festival books what was sold with the settlement; until then sales knows it.
        sums |= {"sold": sales["sold"], "left": sums["left"] + sums["sold"] - sales["sold"]}
    takings, in_doubt = shown.rupiah(sales["takings_rupiah"]), shown.rupiah(sales["in_doubt_rupiah"])
    return {**booth, **sums, "tills_until": until, "takings": takings, "in_doubt": in_doubt}


def _sold(booth: Row | None) -> Row | None:
    """A booth's takings, its pieces sold so far, and the pieces and rupiah in doubt, if sales has told."""
    if booth is None:
        return None
    rows = list(doubtful([booth]))
    return {
        "takings_rupiah": booth["takings_rupiah"],
        "sold": booth["sold"],
        "in_doubt_rupiah": sum(row["rupiah"] for row in rows),
        "waiting": sum(row["waiting"] for row in rows),
        "disputed": sum(row["disputed"] for row in rows),
    }
