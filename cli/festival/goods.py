"""Commands for the stock of booths: request, plan, accept, ship, receive, return."""

from datetime import date
from typing import Annotated, Any

import typer

from cli.console import say, show_json, show_table, warn
from cli.festival import counting
from cli.festival.client import Answer, AnswerStatus, Row, ServiceClient
from cli.festival.counting import Arrival, Yes, refuse_elsewhere
from cli.festival.revising import show_revision
from cli.festival.session import (
    Festival,
    Json,
    Request,
    booth_id,
    festival_time,
    lots_counted,
    service,
    show_answer,
    show_answers,
)
from cli.parameters import DAY, FACILITY, LOT, PRODUCT, WHOLE, parsed
from shared import typed
from shared.errors import WrongEntry
from shared.translation import tr, word
from shared.wording import Message

Lots = list[Row]

FEW_LINES = 40
_BOOTH_SUMS = ("asked", "planned", "held", "short")
_HELD = frozenset({"reserved", "dispatching", "dispatched"})
_PLANNED = _HELD | {"planned", "asked"}


def stock(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(parser=PRODUCT, help="Only this product, lot by lot.")] = None,
    festival: Annotated[str | None, typer.Option(help="Count by the rules of this festival.")] = None,
    day: Annotated[
        date | None, typer.Option(parser=DAY, help="The day for which it is wanted, instead of all the festival's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the stock, and what of it a plan could use now."""
    filters = {name: str(value) for name, value in (("festival", festival), ("day", day)) if value is not None}
    with service(context) as api:
        if product is None:
            rows, columns = api.get("stock", **filters), ["product", "on_hand", "plannable", "kept_out", "facilities"]
        else:
            rows = list(api.all("stock", product, by="lot", **filters))
            columns = ["lot", "facility", "on_hand", "made_on", "best_before", "kept_out"]
        if as_json:
            show_json(rows)
        else:
            shown_rows = [{**row, "kept_out": _kept_out(row["kept_out"])} for row in rows]
            show_table(columns, shown_rows, tr("Nothing is on hand."))


_RULES = {"best_before": "best-before day", "lead_time": "too late"}


def _kept_out(rules: list[Any]) -> str:
    """`86: best-before day` of a product, `best-before day` of a lot."""
    if all(isinstance(rule, str) for rule in rules):
        return ", ".join(word(_RULES.get(rule, rule)) for rule in rules)
    return "; ".join(f"{group['qty']}: {_kept_out(group['rules'])}" for group in rules)


def request(
    context: typer.Context,
    festival: Festival,
    request: Request,
    demands: Annotated[list[str], typer.Argument(help="BOOTH:PRODUCT=PIECES, e.g. B1:KTI=20.")],
    consent: Annotated[bool, typer.Option(help="Accept the plan without a look at it.")] = False,
    hold_hours: Annotated[
        int | None,
        typer.Option(parser=WHOLE, help="Hours until unsent pieces are released: 72, or to the end of --day."),
    ] = None,
    day: Annotated[
        date | None,
        typer.Option(parser=DAY, help="The day of the festival that the stock is for, instead of all days."),
    ] = None,
    even: Annotated[
        bool, typer.Option(help="Spread a shortage evenly over the booths, or serve a few in full.")
    ] = True,
    revise_at: Annotated[
        int | None,
        typer.Option(parser=WHOLE, help="Percent of lost, recalled or released pieces that starts a revision."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Request stock and show the plan."""
    demand_rows = []
    quantities = parsed(lambda: typed.pairs(demands, "B1:KTI=20", lambda name: _demand(festival, name)))
    for target, qty in quantities.items():
        booth, _, product = target.rpartition(":")
        demand_rows.append({"booth": booth, "product": product, "qty": qty})
    body = {
        "request": request,
        "demands": demand_rows,
        "consent": consent,
        "hold_hours": hold_hours,
        "day": day.isoformat() if day is not None else None,
        "even": even,
        "revise_at_percent": revise_at,
    }
    with service(context) as api:
        answer = api.command("festivals", festival, "requests", body=body)
        page = _settled(api, festival, request) if answer.status is AnswerStatus.DONE else None
        message = tr("{request} is planned; `karya festival accept` reserves its lots.", request=request)
        if consent:
            message = tr("{request} is planned.", request=request)
        show_answer(answer, message, as_json=as_json, extra={"plan": page})
        if page is not None and not as_json:
            _show_plan(api, page)


def _demand(festival: str, text: str) -> str:
    """`ODOP.B1:KTI` for `B1:kti`. Raises WrongEntry."""
    booth, colon, product = text.rpartition(":")
    if not colon:
        raise WrongEntry(Message("{text!r} names no booth and product; write e.g. B1:KTI=20.", text=text))
    return f"{booth_id(festival, booth)}:{typed.product(product)}"


def plan(
    context: typer.Context,
    festival: Festival,
    request: Request,
    lots: Annotated[
        bool, typer.Option("--lots", help="Show every lot; else only those of a plan with few lines.")
    ] = False,
    why: Annotated[bool, typer.Option("--why", help="Show every lot with the reason of its line.")] = False,
    as_json: Json = False,
) -> None:
    """Show a plan by facility and by booth, what is short, and its lots, with the reasons."""
    with service(context) as api:
        page = api.get("festivals", festival, "requests", request)
        if as_json:
            show_json(page)
        else:
            _show_plan(api, page, lots=lots, why=why)


def accept(context: typer.Context, festival: Festival, request: Request, as_json: Json = False) -> None:
    """Accept a plan, or its waiting revision: the lots are reserved."""
    with service(context) as api:
        answer = api.command("festivals", festival, "requests", request, "accept", body={})
        page = _settled(api, festival, request) if answer.status is AnswerStatus.DONE else None
        message = page and tr(
            "{request} is {status:word}: {held:piece is|pieces are} held, {short} stay short.",
            request=request,
            status=page["status"],
            held=page["held"],
            short=page["short"],
        )
        show_answer(answer, message or "", as_json=as_json, extra={"plan": page})


def ship(
    context: typer.Context,
    festival: Festival,
    shipment: Annotated[str | None, typer.Argument(help="A new name for the shipment, e.g. S1.")] = None,
    request: Annotated[str | None, typer.Option(help="The request that reserved it.")] = None,
    facility: Annotated[str | None, typer.Option(parser=FACILITY, help="The facility that sends it.")] = None,
    booth: Annotated[str | None, typer.Option(help="The booth that it goes to.")] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Send everything that is reserved; only of --request, --facility, --booth if given."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Send the pieces that a facility has reserved for a booth."""
    destination = booth_id(festival, booth) if booth else None
    with service(context) as api:
        if everything and shipment is None:
            filters = {"request": request, "facility": facility, "booth": destination}
            answers = [_send(api, festival, order) for order in _reserved(api, festival, filters)]
            columns = ["shipment", "request", "facility", "booth", "pieces", "shipment_status"]
            show_answers(answers, columns, tr("Every reserved piece was sent."), as_json=as_json)
            return
        if everything or not (shipment and request and facility and destination):
            raise typer.BadParameter(
                tr("name the shipment, --request, --facility and --booth; or use --all without a name")
            )
        order = {"shipment": shipment, "request": request, "facility": facility, "booth": destination}
        row, answer = _send(api, festival, order)
        message = tr(
            "Shipment {shipment} is {status:word}: {pieces:piece|pieces} to {destination}.",
            shipment=shipment,
            status=row.get("shipment_status", ""),
            pieces=row.get("pieces", 0),
            destination=destination,
        )
        show_answer(answer, message, as_json=as_json, extra=row)


def receive(
    context: typer.Context,
    festival: Festival,
    shipment: Annotated[str | None, typer.Argument(help="The shipment that arrived.")] = None,
    lots: Annotated[
        list[str] | None, typer.Argument(help="LOT=PIECES counted; with --yes, lots that are not named are lost.")
    ] = None,
    as_sent: Annotated[bool, typer.Option("--as-sent", help="Everything that was sent has arrived.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="All shipments on their way arrived as sent.")] = False,
    booth: Annotated[str | None, typer.Option(help="The booth where it was counted, if that is in doubt.")] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Count in a shipment at a booth. Shows sent, counted, lost and surplus pieces of each lot that differs."""
    counted = lots_counted(lots or [])
    if (shipment is None) != everything or (everything and as_sent) or (not everything and as_sent == bool(counted)):
        raise typer.BadParameter(tr("name the shipment and count its lots (or use --as-sent), or use --all alone"))
    with service(context) as api:
        if everything:
            answers = [_receive(api, festival, page) for page in _on_their_way(api, festival)]
            show_answers(answers, ["shipment", "booth", "pieces"], tr("No shipment is on its way."), as_json=as_json)
            return
        arrival = Arrival(festival, "shipments", _once_sent(api, festival, str(shipment)))
        if booth is not None and booth_id(festival, booth) != arrival.booth:
            refuse_elsewhere(api, arrival, booth_id(festival, booth))
        counting.receive(api, arrival, arrival.as_sent if as_sent else counted, yes=yes, as_json=as_json)


def return_stock(
    context: typer.Context,
    festival: Festival,
    booth: Annotated[str | None, typer.Argument(help="The booth that it comes from, e.g. B1.")] = None,
    lot: Annotated[str | None, typer.Argument(parser=LOT, help="The lot number on the label.")] = None,
    qty: Annotated[int | None, typer.Argument(parser=WHOLE, help="How many pieces the facility counted.")] = None,
    more_to_come: Annotated[
        bool, typer.Option("--more-to-come", help="More pieces will follow; without it missing ones count as lost.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="All unsold pieces have returned.")] = False,
    as_json: Json = False,
) -> None:
    """Count in at the facility the pieces that returned from a booth."""
    if everything != (booth is None) or (not everything and (lot is None or qty is None)):
        raise typer.BadParameter(tr("name booth, lot and pieces, or use --all alone"))
    with service(context) as api:
        if not everything:
            whole_id = booth_id(festival, str(booth))
            row, answer = _return(api, festival, whole_id, str(lot), qty or 0, final=not more_to_come)
            show_answer(
                answer,
                tr("{qty:piece|pieces} of {lot} returned.", qty=qty or 0, lot=str(lot)),
                as_json=as_json,
                extra=row,
            )
            return
        booths = list(api.all("festivals", festival, "booths", by="booth"))
        unsettled = [page["booth"] for page in booths if page["status"] != "settled" and page["lots"]]
        answers = [
            _return(api, festival, page["booth"], stock["lot"], stock["left"], final=True)
            for page in booths
            if page["status"] == "settled"
            for stock in page["lots"]
            if stock["left"]
        ]
        if unsettled:
            warn(tr("Not settled yet, so their pieces can't return: {booths}.", booths=", ".join(unsettled)))
        show_answers(answers, ["booth", "lot", "pieces"], tr("Nothing is left at a settled booth."), as_json=as_json)
        if unsettled:
            raise typer.Exit(1)


def _settled(api: ServiceClient, festival: str, request: str) -> Row:
    """The plan, once inventory has answered for every line."""
    return api.poll(
        lambda: dict(api.get("festivals", festival, "requests", request)), lambda page: page["status"] != "reserving"
    )


def _show_plan(api: ServiceClient, page: Row, *, lots: bool = False, why: bool = False) -> None:
    zone = api.get("festivals", page["festival"])["zone"]
    until = festival_time(page["hold_until"], zone)
    say(
        tr(
            "{request}: {status:word}, {asked} asked, {held} held, {short} short",
            request=page["request"],
            status=page["status"],
            asked=page["asked"],
            held=page["held"],
            short=page["short"],
        )
    )
    if page["day"]:
        say(tr("It is for {day}.", day=page["day"]))
    if page["status"] == "proposed":
        say(tr("Accept it by {until}, or it is withdrawn.", until=until or ""))
    if until and any(line["status"] in ("asked", "reserved") for line in page["lines"]):
        say(tr("Pieces that are not sent by {until} are released.", until=until))
    say("")
    show_table(
        ["facility", "offered", "allocated", "held", "reason"], page["shares"], tr("No facility has any of it.")
    )
    say("")
    show_table(["booth", "asked", "planned", "held", "short"], plan_by_booth(page), tr("Nothing could be planned."))
    if page["shortfalls"]:
        say("")
        show_table(["booth", "product", "asked", "short", "reason"], page["shortfalls"], "")
    if page["surpluses"]:
        say("")
        show_table(["booth", "product", "asked", "surplus"], page["surpluses"], "")
    _show_lots(page, lots=lots, why=why)
    if page["revision"] and page["revision"]["status"] == "waiting":
        say("")
        say(tr("A revision waits; `karya festival accept` reserves its lots:"))
        show_revision(page["revision"])


def _show_lots(page: Row, *, lots: bool, why: bool) -> None:
    if not page["lines"]:
        return
    say("")
    if not lots and not why and len(page["lines"]) > FEW_LINES:
        say(tr("The plan has {count} lines of a lot for a booth; --lots shows them.", count=len(page["lines"])))
        return
    # Long sentences leave lot numbers little room.
    columns = ["booth", "product", "qty", "facility", "lot", "status"]
    show_table(columns + (["reason"] if why else []), page["lines"], "", words=("status",))


def plan_by_booth(page: Row) -> list[Row]:
    """The sums of each booth in pieces. `planned`: lines that are neither refused nor released."""
    rows: dict[str, Row] = {}
    for demand in page["demands"]:
        row = rows.setdefault(demand["booth"], {"booth": demand["booth"], **dict.fromkeys(_BOOTH_SUMS, 0)})
        row["asked"] += demand["qty"]
    for line in page["lines"]:
        # A revision may plan for a booth that asked for nothing.
        row = rows.setdefault(line["booth"], {"booth": line["booth"], **dict.fromkeys(_BOOTH_SUMS, 0)})
        row["planned"] += line["qty"] if line["status"] in _PLANNED else 0
        row["held"] += line["qty"] - line["lost"] if line["status"] in _HELD else 0
    for shortfall in page["shortfalls"]:
        rows[shortfall["booth"]]["short"] += shortfall["short"]
    return [rows[booth] for booth in sorted(rows)]


def _reserved(api: ServiceClient, festival: str, filters: Row) -> Lots:
    """New shipments of everything that is reserved, one for each request, facility and booth."""
    routes: dict[tuple[str, str, str], None] = {}
    for summary in api.all("festivals", festival, "requests", by="request"):
        if summary["held"]:
            page = api.get("festivals", festival, "requests", summary["request"])
            for line in page["lines"]:
                if line["status"] == "reserved":
                    routes[summary["request"], line["facility"], line["booth"]] = None
    rows = [dict(zip(("request", "facility", "booth"), route, strict=True)) for route in sorted(routes)]
    chosen = [row for row in rows if all(value in (None, row[name]) for name, value in filters.items())]
    used = {shipment["shipment"] for shipment in api.all("festivals", festival, "shipments", by="shipment")}
    free = (name for number in range(1, len(used) + len(chosen) + 1) if (name := f"S{number}") not in used)
    return [{"shipment": name, **row} for name, row in zip(free, chosen, strict=False)]


def _send(api: ServiceClient, festival: str, shipment: Row) -> tuple[Row, Answer]:
    answer = api.command("festivals", festival, "shipments", body=shipment)
    if answer.status is not AnswerStatus.DONE:
        return shipment, answer
    page = _once_sent(api, festival, shipment["shipment"])
    pieces = sum(parcel["qty"] for parcel in page["parcels"] if parcel["leg"] != "dropped")
    return {**shipment, "pieces": pieces, "shipment_status": page["status"]}, answer


def _on_their_way(api: ServiceClient, festival: str) -> Lots:
    shipments = list(api.all("festivals", festival, "shipments", by="shipment"))
    pages = [
        _once_sent(api, festival, shipment["shipment"])
        for shipment in shipments
        if shipment["status"] in ("sending", "sent")
    ]
    return [shipment for shipment in pages if shipment["status"] != "dropped"]


def _once_sent(api: ServiceClient, festival: str, shipment: str) -> Row:
    """The shipment, once inventory has answered for all of it."""
    return api.poll(
        lambda: dict(api.get("festivals", festival, "shipments", shipment)), lambda page: page["status"] != "sending"
    )


def _receive(api: ServiceClient, festival: str, shipment: Row) -> tuple[Row, Answer]:
    """Count in everything that was sent."""
    arrival = Arrival(festival, "shipments", shipment)
    row = {"shipment": arrival.name, "booth": arrival.booth, "pieces": sum(arrival.as_sent.values())}
    return row, arrival.command(api, "receive", arrival.as_sent)


def _return(api: ServiceClient, festival: str, booth: str, lot: str, qty: int, *, final: bool) -> tuple[Row, Answer]:
    body = {"booth": booth, "lot": lot, "qty": qty, "final": final}
    return {"booth": booth, "lot": lot, "pieces": qty}, api.command("festivals", festival, "returns", body=body)
