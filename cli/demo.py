"""`karya demo` and `karya simulate`: a whole season on its own stack, and the check of every invariant."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
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

from cli.console import err, say, show_grid, show_json, to_zone, warn
from cli.exclusive import exclusive, terminable
from cli.mistakes import play_season, show_played
from cli.parameters import WHOLE, between
from cli.sample_accounts import SampleAccount, new_account
from cli.sessions import STRANGER
from cli.stack_accounts import sign_in, start_with_accounts
from cli.verify import show as show_verdict
from deploy.local.services import IDENTITY, LocalServices
from deploy.seed import set_up
from deploy.stack import choose_stack
from lab.simulate.fleet import Owners
from lab.simulate.scenario import Scenario, SeasonCounts
from lab.simulate.season import Season
from lab.simulate.summary import FacilitySum, SeasonBooks, StockOut, books, per_facility, stock_outs, total
from ops.verify import VerifyReport, verify
from ops.verify.signatures import signatures as check_signatures
from services.production import reference
from shared import typed
from shared.access.session import TokenSource
from shared.mongo import Mongo
from shared.settings import AccessControl, Settings, UnsignedRecords
from shared.shown import rupiah, thousands, time_of_day

FOLDER = Path(__file__).parents[1] / ".karya" / "demo"
SESSION, WORKSHOPS_SESSION = "session.json", "workshops.json"
# One account gives the commands of all organisers, and those of all people of a season of mistakes.
PLAYER = (
    *("organiser:*", "administrator", "auditor"),
    *("facility-staff:PR-KPG", "facility-staff:LP-SOE"),
    # A till there was set up for a booth that does not exist.
    "cashier:pasar.b1",
)
ZONE = "Asia/Makassar"

Seed = Annotated[int, typer.Option(parser=WHOLE, help="Seed: the same one gives the same totals.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def demo(
    seed: Seed = 1,
    mistakes: Annotated[
        bool,
        typer.Option(
            "--mistakes", help="Three small festivals by commands alone, with mistakes that are taken back."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Play "One Day One Prison's Product" from the first report to the settlement. All quantities are made up."""
    if mistakes:
        _run_mistakes(as_json=as_json)
    else:
        _run(seed, 1, as_json=as_json)


def simulate(
    scale: Annotated[
        int,
        typer.Option(
            parser=between(typed.whole, 1, 100), help="Size, as a multiple of the demo's season, at most 100."
        ),
    ] = 1,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Play a larger season than the demo's: scale 1 is 5,000 reports and 20,000 sales."""
    _run(seed, scale, as_json=as_json)


def _run(seed: int, scale: int, *, as_json: bool) -> None:
    began = time.monotonic()
    with exclusive(FOLDER), terminable(), StageBars() as bars, season_stack(bars, FOLDER) as running:
        result = asyncio.run(_play(seed, scale, running, bars))
        seconds = time.monotonic() - began
    if as_json:
        show_json(_json(result, seconds))
    else:
        _show(result, seconds)
    if not result.report.ok:
        raise typer.Exit(1)


def _run_mistakes(*, as_json: bool) -> None:
    with exclusive(FOLDER), terminable(), ExitStack() as running:
        # No bars beside the commands, which write on this process's streams.
        with StageBars() as bars:
            stack = running.enter_context(season_stack(bars, FOLDER))
        played = play_season(stack.settings, stack.urls, FOLDER / "devices", FOLDER / SESSION, quiet=as_json)
    show_played(played, as_json=as_json)
    if not played.ok:
        if not as_json:
            warn(f"The logs of the services are in {FOLDER / 'services'}.")
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack with the eight services, the address of each, and who gives the codes of devices. The owner of tills is
    the organiser as well."""

    settings: Settings
    urls: Mapping[str, str]
    owners: Owners


@contextmanager
def season_stack(bars: "StageBars", folder: Path, people: Sequence[SampleAccount] = ()) -> Iterator[RunningStack]:
    """An empty stack that takes records of enrolled devices alone. `people`: accounts that it has besides."""
    bar = bars.begin("Starting Kafka and MongoDB", None)
    with choose_stack(folder / "stack") as stack:
        settings = Settings(
            kafka=stack.kafka,
            mongo=stack.mongo,
            unsigned=UnsignedRecords.REFUSED,
            # All devices of the season have one address.
            http_rate_strangers=0,
        )
        if stack.local is None:
            # Other programs use these servers too: the season's topics and databases get a prefix.
            prefix = f"demo-{uuid4().hex[:8]}"
            settings = settings.model_copy(update={"topic_prefix": f"{prefix}.", "database_prefix": f"{prefix}_"})
        asyncio.run(set_up(settings))
        bar.finish()
        bar = bars.begin("Starting the eight services", None)
        services, player = LocalServices(folder / "services", settings), new_account("season", PLAYER)
        facilities = [f"facility-staff:{code}" for code in reference.load().catalogue.facilities]
        workshops = new_account("workshops", facilities)
        try:
            start_with_accounts(services, settings, [player, workshops, *people])
            bar.finish()
            owners = Owners(
                terminals=_signed_in(settings, services.urls, workshops, folder / WORKSHOPS_SESSION),
                tills=_signed_in(settings, services.urls, player, folder / SESSION),
            )
            yield RunningStack(settings, services.urls, owners)
        finally:
            services.stop()


def _signed_in(settings: Settings, urls: Mapping[str, str], account: SampleAccount, file: Path) -> TokenSource:
    if settings.access is AccessControl.OPEN:
        return STRANGER
    return sign_in(urls[IDENTITY], account, file)


@dataclass(frozen=True, slots=True)
class SeasonResult:
    """The counts of a season, its outcome by facility and product, and the verdict of every invariant."""

    counts: SeasonCounts
    facilities: list[FacilitySum]
    stock_outs: list[StockOut]
    books: SeasonBooks
    report: VerifyReport


async def _play(seed: int, scale: int, running: RunningStack, bars: "StageBars") -> SeasonResult:
    reference_data, settings = reference.load(), running.settings
    season = Season(reference_data, seed=seed, scale=scale, now=datetime.now(UTC))
    async with Scenario(season, settings, running.urls, running.owners, FOLDER / "devices", bars.begin) as scenario:
        counts = await scenario.run()
    bar = bars.begin("Checking every invariant and every signature", None)
    report = await verify(settings, within=120)
    if report.quiet:
        report = replace(report, checks=(*report.checks, await check_signatures(settings, all_signed=True)))
    bar.finish()
    mongo = Mongo(settings)
    try:
        names = {code: facility.name for code, facility in reference_data.catalogue.facilities.items()}
        return SeasonResult(
            counts=counts,
            facilities=await per_facility(mongo, names),
            stock_outs=await stock_outs(mongo, names),
            books=await books(mongo),
            report=report,
        )
    finally:
        await mongo.close()


class StageBars:
    """Progress for people: on a terminal a bar for each stage, elsewhere a line for each."""

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
        self._last: StageBar | None = None
        self._began = time.monotonic()

    def __enter__(self) -> "StageBars":
        if err.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None:
            self._last.finish()
        if err.is_terminal:
            self._progress.stop()

    def begin(self, name: str, count: int | None) -> "StageBar":
        """Finish the last stage and begin a new one of `count` steps (None: not known)."""
        if self._last is not None:
            self._last.finish()
        if not err.is_terminal:
            steps = f" ({count})" if count else ""
            err.print(f"{time.monotonic() - self._began:5.1f} s  {name}{steps}", highlight=False)
        self._last = StageBar(self._progress, self._progress.add_task(name, total=count, waits=""))
        return self._last


class StageBar:
    """The bar of one stage."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, more: int) -> None:
        self._progress.advance(self._task, more)

    def waits_for(self, condition: str) -> None:
        self._progress.update(self._task, waits=condition)

    def finish(self) -> None:
        task = next(task for task in self._progress.tasks if task.id == self._task)
        end = task.total if task.total is not None else max(task.completed, 1)
        self._progress.update(self._task, total=end, completed=end, waits="")


def _show(result: SeasonResult, seconds: float) -> None:
    table = _table("One Day One Prison's Product, and two festivals more (all quantities and prices are made up)")
    table.add_column("facility")
    for column in ("made", "allocated", "sold", "returned", "lost", "sold for", "facility gets", "makers get"):
        table.add_column(column, justify="right")
    for line in [*result.facilities, total(result.facilities)]:
        counts = (line.made, line.allocated, line.sold, line.returned, line.lost)
        amounts = (line.sold_rupiah, line.owed_rupiah, line.makers_rupiah)
        table.add_row(
            line.name,
            *(thousands(count) for count in counts),
            *(rupiah(amount) for amount in amounts),
            style="bold" if line.name == "all" else None,
        )
    say()
    show_grid(table)
    say()
    _show_stock_outs(result.stock_outs)
    _show_counts(result.counts, result.books)
    show_verdict(result.report)
    say(f"Done in {seconds:.0f} s.")
    if not result.report.ok:
        warn(f"The logs of the services are in {FOLDER / 'services'}.")


def _show_counts(season: SeasonCounts, books: SeasonBooks) -> None:
    reports, receipts = thousands(season.reports), thousands(season.receipts)
    sales, records = thousands(season.sales), thousands(season.records)
    say(f"{reports} reports and {receipts} receipts with {sales} sales, {records} records in all.")
    say(
        f"{thousands(season.enrolled)} devices were enrolled, and signed each of their records. The gateway took "
        f"none of {thousands(season.unusable)} damaged records. It holds {thousands(season.held)} of lost tills for "
        f"an operator. A till restored from a backup sent {thousands(season.sent_again)} records again, and each "
        "counts once."
    )
    say(
        f"{thousands(books.counted + books.provisional)} pieces had no label. Final counts divide "
        f"{thousands(books.counted)} of them between facilities; {thousands(books.provisional)} stay provisional."
    )
    say(
        f"{thousands(books.drawers)} drawers were counted, wrong by {rupiah(books.off_rupiah)} in all; "
        f"{thousands(season.lost)} sales vanished with lost tills."
    )
    for booth, products in season.sold_out.items():
        for product, moment in products.items():
            at = to_zone(moment, ZONE)
            if product == "KBS" and at.hour < 13:
                say(f"Kue basah sold out at booth {booth} at {time_of_day(at)}; fresh ones came at 13:00.")


def _show_stock_outs(outs: list[StockOut]) -> None:
    table = _table("What ran out with the most lost sales: what to make next (lost sales are estimated)")
    for column in ("facility", "product"):
        table.add_column(column)
    for column in ("sold", "lost", "booths"):
        table.add_column(column, justify="right")
    for column in ("first gone at", "sold fastest at"):
        table.add_column(column)
    for out in outs:
        first = f"{out.booth} {time_of_day(to_zone(out.at, ZONE))}"
        counts = (thousands(out.sold), thousands(out.lost_sales), str(out.booths))
        table.add_row(out.facility, out.product, *counts, first, out.fastest)
    show_grid(table)
    say()


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")


def _json(result: SeasonResult, seconds: float) -> dict[str, Any]:
    return {
        "told": asdict(result.counts),
        "facilities": [asdict(line) for line in result.facilities],
        "total": asdict(total(result.facilities)),
        "ran_out": [asdict(out) for out in result.stock_outs],
        "books": asdict(result.books),
        "verify": result.report.as_dict(),
        "seconds": round(seconds, 1),
    }
