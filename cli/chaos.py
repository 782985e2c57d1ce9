"""`karya chaos`: faults under load, and a check that nothing is lost, doubled or mismatched."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import err, say, show_grid, show_json, warn
from cli.exclusive import exclusive, terminable
from cli.parameters import WHOLE, between
from cli.verify import show
from lab.chaos.faults import by_kind
from lab.chaos.run import MIN_RATE, ChaosReport, run
from shared import typed
from shared.settings import DeviceRoute

FOLDER = Path(__file__).parents[1] / ".karya" / "chaos"


def chaos(
    minutes: Annotated[
        float, typer.Option(parser=between(typed.number, 0.5, 240), help="Minutes of faults, from 0,5 to 240.")
    ] = 3.0,
    seed: Annotated[int, typer.Option(parser=WHOLE, help="Seed of the plan of faults.")] = 1,
    rate: Annotated[
        float,
        typer.Option(
            parser=between(typed.number, 1, 1_000_000), help="Records per second of all terminals and tills, from 1."
        ),
    ] = 400.0,
    secure: Annotated[
        bool, typer.Option("--secure", help="TLS, and known users only, for Kafka and MongoDB.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File for the report as JSON; - prints it.")
    ] = None,
    direct_kafka: Annotated[
        bool, typer.Option("--kafka", help="Devices sync with Kafka itself, and no token is needed.")
    ] = False,
) -> None:
    """Inject faults at random, seeded times under a steady load, then check everything. All servers are local.

    Terminals and tills are enrolled, sign their records and sync over the gateway.
    """
    route = DeviceRoute.KAFKA if direct_kafka else DeviceRoute.GATEWAY
    with exclusive(FOLDER), terminable(), err.status("") as status:
        on_progress = status.update if err.is_terminal else lambda text: err.print(text, highlight=False)
        report = asyncio.run(
            run(
                FOLDER,
                minutes=minutes,
                seed=seed,
                rate=rate,
                on_progress=on_progress,
                route=route,
                secure=secure,
            )
        )
    if json_file is not None and str(json_file) != "-":
        json_file.write_text(json.dumps(report.as_dict(), indent=2, ensure_ascii=False, default=str) + "\n")
    if json_file is not None and str(json_file) == "-":
        show_json(report.as_dict())
    else:
        _show(report)
    if not report.ok:
        warn(f"The logs of all processes are in {FOLDER}.")
        raise typer.Exit(1)
    shutil.rmtree(FOLDER, ignore_errors=True)


def _show(report: ChaosReport) -> None:
    table = Table("fault", box=None, pad_edge=False, header_style="bold")
    for column in ("times", "recovered in (median)", "longest", "never"):
        table.add_column(column, justify="right")
    for kind, faults in by_kind(report.faults):
        recovery = report.recoveries[kind]
        times = (f"{recovery.median:.1f} s", f"{recovery.longest:.1f} s", str(recovery.never))
        table.add_row(kind.value, str(len(faults)), *times)
    show_grid(table)
    say()
    say(
        f"{report.tally.recorded} records of terminals and tills, {report.acknowledged} acknowledged by Kafka "
        f"({report.tally.refused_by_spool} refused at once by a full disk); {report.events} events in all, "
        f"{report.events_per_second:.0f} a second; {report.tally.festivals_closed} festivals from start to end."
    )
    if report.below_rate:
        warn(f"Fewer than {MIN_RATE:.0f} events a second prove little: the machine is slow, or --rate is too low.")
    say(f"The longest standstill of all services: {report.standstill:.1f} s.")
    show(report.verify)
    for title, sentences in (
        ("lost", report.reckoning.lost),
        ("doubled", report.reckoning.doubled),
        ("mismatched", report.reckoning.mismatched),
        ("ended badly", report.bad_exits),
        ("stuck", report.stuck),
    ):
        say(f"{title}: {len(sentences)}")
        for sentence in sentences[:20]:
            warn(f"  {sentence}")
