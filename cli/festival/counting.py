"""Counts of arrived shipments and transfers, shown beside the pieces that were sent. A recount corrects a count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.console import say, show_table, warn
from cli.festival.client import Answer, AnswerStatus, Row, ServiceClient
from cli.festival.session import Festival, Json, booth_id, lots_counted, on_terminal, service, show_answer
from cli.parameters import LOT, WHOLE
from cli.questions import confirm
from shared.translation import tr

Yes = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Do not ask: lots that are not named are lost, and different counts are right."),
]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A shipment or transfer on a page of the service. `kind`: `shipments` or `transfers`."""

    festival: str
    kind: str
    page: Row

    @property
    def name(self) -> str:
        return str(self.page[self.kind.removesuffix("s")])

    @property
    def booth(self) -> str:
        """The booth that it goes to."""
        return str(self.page["booth" if self.kind == "shipments" else "to"])

    @property
    def as_sent(self) -> dict[str, int]:
        """Pieces sent, by lot."""
        return {lot["lot"]: lot["sent"] for lot in self.page["lots"] if lot["sent"]}

    def command(self, api: ServiceClient, action: str, counted: Mapping[str, int], **fields: object) -> Answer:
        """Give the command `receive` or `recount` for it."""
        body = {"booth": self.booth, "counted": [{"lot": lot, "qty": qty} for lot, qty in counted.items()], **fields}
        return api.command("festivals", self.festival, self.kind, self.name, action, body=body)

    def again(self, api: ServiceClient) -> "Arrival":
        """The arrival as it is now."""
        return Arrival(self.festival, self.kind, api.get("festivals", self.festival, self.kind, self.name))

    def recount_command(self, lots: Iterable[str]) -> str:
        """The command line of a recount of these lots."""
        words = "recount" if self.kind == "shipments" else "transfer recount"
        return f"karya festival {words} {self.festival} {self.name} {' '.join(lots)}"


def receive(api: ServiceClient, arrival: Arrival, counted: Mapping[str, int], *, yes: bool, as_json: bool) -> None:
    """Count in an arrival. Differences are shown before and after; on a terminal they need a yes."""
    rows = _compared(arrival.as_sent, counted)
    differs = any(row["lost"] or row["surplus"] for row in rows)
    if differs and not as_json:
        show_table(["lot", "sent", "counted", "lost", "surplus"], rows, "")
        if not yes and on_terminal():
            yes = confirm(tr("Is this what arrived? What is lost can be found by a recount."))
            if not yes:
                raise typer.Exit(1)
    answer = arrival.command(api, "receive", counted, lose_unnamed=yes)
    _show_after(api, arrival, answer, tr("{arrival} is received", arrival=arrival.name), as_json=as_json)


def recount(api: ServiceClient, arrival: Arrival, counted: Mapping[str, int], *, as_json: bool) -> None:
    """Count lots of a received arrival again. Shown are the counts before and after."""
    if not as_json:
        _show_lots(arrival.page["lots"])
    answer = arrival.command(api, "recount", counted)
    _show_after(api, arrival, answer, tr("{arrival} is recounted", arrival=arrival.name), as_json=as_json)


def recount_shipment(
    context: typer.Context,
    festival: Festival,
    shipment: Annotated[str, typer.Argument(help="The shipment that was counted wrong.")],
    lots: Annotated[list[str], typer.Argument(help="LOT=PIECES, the whole count of each lot that was wrong.")],
    as_json: Json = False,
) -> None:
    """Count lots of a received shipment again: lost pieces are found, and a surplus is stocked."""
    counts = lots_counted(lots)
    with service(context) as api:
        arrival = Arrival(festival, "shipments", api.get("festivals", festival, "shipments", shipment))
        recount(api, arrival, counts, as_json=as_json)


def recount_return(
    context: typer.Context,
    festival: Festival,
    booth: Annotated[str, typer.Argument(help="The booth that it came from, e.g. B1.")],
    lot: Annotated[str, typer.Argument(parser=LOT, help="The lot number on the label.")],
    qty: Annotated[int, typer.Argument(parser=WHOLE, help="All pieces of the lot that returned from the booth.")],
    as_json: Json = False,
) -> None:
    """Count again the pieces of a lot that returned from a booth."""
    whole_id = booth_id(festival, booth)
    with service(context) as api:
        body = {"booth": whole_id, "lot": lot, "qty": qty}
        answer = api.command("festivals", festival, "returns", "recount", body=body)
        message = tr("{qty:piece|pieces} of {lot} returned from {booth}.", qty=qty, lot=lot, booth=whole_id)
        show_answer(answer, message, as_json=as_json, extra={"booth": whole_id, "lot": lot, "pieces": qty})


def refuse_elsewhere(api: ServiceClient, arrival: Arrival, counted_at: str) -> None:
    """Show what to type if the goods of an arrival are at another booth. Ends with exit code 1."""
    festival, arrival_booth = arrival.festival, arrival.booth
    used_names = {transfer["transfer"] for transfer in api.all("festivals", festival, "transfers", by="transfer")}
    free = next(name for number in range(1, len(used_names) + 2) if (name := f"T{number}") not in used_names)
    lots = " ".join(f"{lot}={qty}" for lot, qty in arrival.as_sent.items())
    receive_words = "receive" if arrival.kind == "shipments" else "transfer receive"
    warn(
        tr(
            "{arrival} was sent to {booth}, not to {other}. If its goods are at {other}, receive them as sent, then "
            "transfer them:",
            arrival=arrival.name,
            booth=arrival_booth,
            other=counted_at,
        )
    )
    commands = (
        f"karya festival {receive_words} {festival} {arrival.name} --as-sent",
        f"karya festival transfer send {festival} {free} {arrival_booth} {counted_at} {lots}",
        f"karya festival transfer receive {festival} {free} --as-sent",
    )
    for command in commands:
        say(command)
    raise typer.Exit(1)


def _compared(as_sent: Mapping[str, int], counted: Mapping[str, int]) -> list[Row]:
    return [
        {
            "lot": lot,
            "sent": as_sent.get(lot, 0),
            "counted": counted.get(lot),
            "lost": max(0, as_sent.get(lot, 0) - counted.get(lot, 0)),
            "surplus": max(0, counted.get(lot, 0) - as_sent.get(lot, 0)),
        }
        for lot in sorted(as_sent.keys() | counted.keys())
    ]


def _show_after(api: ServiceClient, arrival: Arrival, answer: Answer, done: str, *, as_json: bool) -> None:
    """Show the outcome, and what is at the booth now."""
    row: Row = {arrival.kind.removesuffix("s"): arrival.name, "booth": arrival.booth}
    if answer.status is not AnswerStatus.DONE:
        show_answer(answer, "", as_json=as_json, extra=row)
        return
    after = arrival.again(api)
    lots = after.page["lots"]
    pieces = sum(lot["stocked"] or 0 for lot in lots)
    surpluses = _surpluses(api, after)
    row |= {"pieces": pieces, "lots": lots, "surpluses": surpluses}
    show_answer(
        answer,
        tr("{done}: {pieces:piece|pieces} at {booth}.", done=done, pieces=pieces, booth=arrival.booth),
        as_json=as_json,
        extra=row,
    )
    if as_json:
        return
    unstocked = [lot for lot in lots if (lot["counted"] or 0) > (lot["stocked"] or 0)]
    if any(lot["lost"] or lot["surplus"] for lot in lots):
        _show_lots(lots)
    for lot in unstocked:
        say(
            tr(
                "{lot}: {sent} sent, {counted} counted, {surplus} surplus. The surplus is not in stock. If it is "
                "there, book it: {command}",
                lot=lot["lot"],
                sent=lot["sent"],
                counted=lot["counted"],
                surplus=lot["surplus"],
                command=after.recount_command([f"{lot['lot']}={lot['counted']}"]),
            )
        )
    losses = [f"{lot['lot']}={lot['sent']}" for lot in lots if lot["lost"]]
    if losses:
        say(tr("If lost pieces are found: {command}", command=after.recount_command(losses)))
    for surplus in surpluses:
        say(
            tr(
                "{booth} gets {surplus} more of {product} than it asked for. What a revision has reserved stays.",
                booth=surplus["booth"],
                surplus=surplus["surplus"],
                product=surplus["product"],
            )
        )


def _show_lots(lots: list[Row]) -> None:
    show_table(["lot", "sent", "counted", "lost", "surplus", "stocked"], lots, "")


def _surpluses(api: ServiceClient, arrival: Arrival) -> list[Row]:
    """The pieces that the shipment's request has beyond its demands."""
    if arrival.kind != "shipments" or not arrival.page["recounts"]:
        return []
    page = api.get("festivals", arrival.festival, "requests", arrival.page["request"])
    return list(page["surpluses"])
