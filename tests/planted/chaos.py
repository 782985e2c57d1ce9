"""`python -m tests.planted.chaos BUG [MINUTES]`: a chaos run with the bug in all four services. Exit code 1 when the
run found it, as `karya chaos` would; 0 when it did not; 2 when it could not be run: a server that does not
start says nothing about the bug."""

import asyncio
import json
import os
import sys
from pathlib import Path

from cli.exclusive import AlreadyRunning, exclusive
from deploy.local.server import StackError
from deploy.topics import SERVICES
from lab.chaos.run import run
from shared.errors import KaryaError
from shared.settings import DeviceRoute
from tests.planted.bugs import BUGS

FOLDER = Path(__file__).parents[2] / ".karya" / "planted"


def main(bug: str, minutes: float = 1.0) -> int:
    """Prints what was found, in JSON."""
    os.environ["PLANTED"] = bug
    programs = {name: ["-m", "tests.planted.service", name] for name in SERVICES}
    try:
        with exclusive(FOLDER / bug):
            report = asyncio.run(
                run(
                    FOLDER / bug,
                    minutes=minutes,
                    seed=1,
                    rate=250,
                    route=DeviceRoute.KAFKA,
                    on_progress=lambda text: print(text, file=sys.stderr),
                    programs=programs,
                )
            )
    except (StackError, AlreadyRunning) as broken_off:
        print(json.dumps({"bug": BUGS[bug].sentence, "not run": str(broken_off)}))
        return 2
    except KaryaError as broken_off:
        print(json.dumps({"bug": BUGS[bug].sentence, "broken off": str(broken_off)}))
        return 1
    outcome = report.as_dict()
    broken = [check["name"] for check in outcome["verify"]["checks"] if not check["ok"]]
    counts = {name: len(outcome[name]) for name in ("lost", "doubled", "torn", "stuck")}
    print(json.dumps({"bug": BUGS[bug].sentence, **counts, "broken": broken}))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(float, sys.argv[2:])))
