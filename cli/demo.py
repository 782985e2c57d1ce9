"""`karya demo` and `karya simulate`: a whole season on a stack of its own, and what every invariant says of it."""

import asyncio
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from cli.alone import alone, terminable
from cli.console import err, here, say, show_grid, show_json, warn
from cli.parameters import WHOLE, within
from cli.verify import show as show_verdict
from deploy.local.services import LocalServices
from deploy.stack import choose_stack
from deploy.topics import make_topics
from lab.simulate.play import Play, Told
from lab.simulate.season import Season
from lab.simulate.summary import FacilitySum, RanOut, SeasonBooks, books, per_facility, ran_out, total
from ops.verify import VerifyReport, verify
from services.production import reference
from shared import typed
from shared.mongo import Mongo
from shared.settings import Settings
from shared.shown import rupiah, thousands, time_of_day

FOLDER = Path(__file__).parents[1] / ".karya" / "demo"
ZONE = "Asia/Makassar"

Seed = Annotated[int, typer.Option(parser=WHOLE, help="The same seed gives the same totals.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def demo(seed: Seed = 1, as_json: Json = False) -> None:
    """Play "One Day One Prison's Product" from the first report to the last rupiah. All quantities are made up."""
    _run(seed, 1, as_json)


def simulate(
    scale: Annotated[
        int, typer.Option(parser=within(typed.whole, 1, 100), help="How many times the demo's season, at most 100.")
    ] = 1,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """The demo's season, larger: scale 1 is 5,000 reports and 20,000 sales."""
    _run(seed, scale, as_json)


def _run(seed: int, scale: int, as_json: bool) -> None:
    began = time.monotonic()
    with alone(FOLDER), terminable(), Bars() as bars:
        starting = bars.stage("Starting Kafka and MongoDB", None)
        with choose_stack(FOLDER / "stack") as stack:
            settings = Settings(kafka=stack.kafka, mongo=stack.mongo)
            if stack.local is None:
                # Servers that others use too: topics and databases of our own.
                mark = f"demo-{uuid4().hex[:8]}"
                settings = settings.model_copy(update={"topic_prefix": f"{mark}.", "database_prefix": f"{mark}_"})
            asyncio.run(make_topics(settings))
            starting.done()
            starting = bars.stage("Starting the four services", None)
            services = LocalServices(FOLDER / "services", settings)
            with services:
                starting.done()
                # Services stop by themselves when the season is over, so that it is their last state that is checked.
                outcome = asyncio.run(_play(seed, scale, settings, services.urls["festival"], bars))
            seconds = time.monotonic() - began
    if as_json:
        show_json(_json(outcome, seconds))
    else:
        _show(outcome, seconds)
    if not outcome.report.ok:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was played, what became of it, and what every invariant says."""

    told: Told
    lines: list[FacilitySum]
    gone: list[RanOut]
    books: SeasonBooks
    report: VerifyReport


async def _play(seed: int, scale: int, settings: Settings, festival: str, bars: "Bars") -> Outcome:
    known = reference.load()
    season = Season(known, seed=seed, scale=scale, now=datetime.now(UTC))
    async with Play(season, settings, festival, bars.stage) as play:
        told = await play.play()
    checking = bars.stage("Checking every invariant", None)
    report = await verify(settings, within=120)
    checking.done()
    mongo = Mongo(settings)
    try:
        names = {code: facility.name for code, facility in known.catalogue.facilities.items()}
        lines, gone = await per_facility(mongo, names), await ran_out(mongo, names)
        return Outcome(told, lines, gone, await books(mongo), report)
    finally:
        await mongo.close()


class Bars:
    """Progress for people: a bar for each stage on a terminal, a line for each elsewhere."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[waits]}"),
            console=err,
        )
        self._last: Stage | None = None
        self._began = time.monotonic()

    def __enter__(self) -> "Bars":
        if err.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None:
            self._last.done()
        if err.is_terminal:
            self._progress.stop()

    def stage(self, name: str, count: int | None) -> "Stage":
        """A new stage begins, and the last one ends."""
        if self._last is not None:
            self._last.done()
        if not err.is_terminal:
            count_of = f" ({count})" if count else ""
            err.print(f"{time.monotonic() - self._began:5.1f} s  {name}{count_of}", highlight=False)
        self._last = Stage(self._progress, self._progress.add_task(name, total=count, waits=""))
        return self._last


class Stage:
    """One bar."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, more: int) -> None:
        self._progress.advance(self._task, more)

    def waits_for(self, what: str) -> None:
        self._progress.update(self._task, waits=what)

    def done(self) -> None:
        task = next(task for task in self._progress.tasks if task.id == self._task)
        end = task.total if task.total is not None else max(task.completed, 1)
        self._progress.update(self._task, total=end, completed=end, waits="")


def _show(outcome: Outcome, seconds: float) -> None:
    told = outcome.told
    table = Table(
        title="One Day One Prison's Product, and two festivals more (all quantities and prices are made up)",
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    columns = ("made", "allocated", "sold", "returned", "lost", "sold for", "facility gets", "makers get")
    table.add_column("facility")
    for column in columns:
        table.add_column(column, justify="right")
    for line in [*outcome.lines, total(outcome.lines)]:
        end = line.name == "all"
        counts = (line.made, line.allocated, line.sold, line.returned, line.lost)
        amounts = (line.sold_rupiah, line.owed_rupiah, line.makers_rupiah)
        table.add_row(
            line.name,
            *(thousands(count) for count in counts),
            *(rupiah(amount) for amount in amounts),
            style="bold" if end else None,
        )
    say()
    show_grid(table)
    say()
    _show_gone(outcome.gone)
    reports, receipts = thousands(told.reports), thousands(told.receipts)
    sales, records = thousands(told.sales), thousands(told.records)
    say(f"{reports} reports and {receipts} receipts with {sales} sales, {records} records in all.")
    _show_books(told, outcome.books)
    for booth, products in told.sold_out.items():
        for product, at in products.items():
            there = here(at, ZONE)
            if product == "KBS" and there.hour < 13:
                say(f"Kue basah sold out at booth {booth} at {time_of_day(there)}; fresh ones came at 13:00.")
    show_verdict(outcome.report)
    say(f"Done in {seconds:.0f} s.")
    if not outcome.report.ok:
        warn(f"What the services wrote lies in {FOLDER / 'services'}.")


def _show_books(told: Told, books: SeasonBooks) -> None:
    whole = books.counted + books.provisional
    say(
        f"{thousands(whole)} pieces had no label: of {thousands(books.counted)} final counts tell whose they were, "
        f"of {thousands(books.provisional)} that stays provisional."
    )
    say(
        f"{thousands(books.drawers)} drawers were counted, wrong by {rupiah(books.off_rupiah)} in all; "
        f"{thousands(told.lost)} sales vanished with lost tills."
    )


def _show_gone(gone: list[RanOut]) -> None:
    table = Table(
        title="What ran out and was missed most: what to make next (lost sales are estimated)",
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for column in ("facility", "product"):
        table.add_column(column)
    for column in ("sold", "lost", "booths"):
        table.add_column(column, justify="right")
    for column in ("first gone at", "sold fastest at"):
        table.add_column(column)
    for one in gone:
        first = f"{one.booth} {time_of_day(here(one.at, ZONE))}"
        counts = (thousands(one.sold), thousands(one.lost_sales), str(one.booths))
        table.add_row(one.facility, one.product, *counts, first, one.fastest)
    show_grid(table)
    say()


def _json(outcome: Outcome, seconds: float) -> dict[str, Any]:
    return {
        "told": asdict(outcome.told),
        "facilities": [asdict(line) for line in outcome.lines],
        "total": asdict(total(outcome.lines)),
        "ran_out": [asdict(one) for one in outcome.gone],
        "books": asdict(outcome.books),
        "verify": outcome.report.as_dict(),
        "seconds": round(seconds, 1),
    }
