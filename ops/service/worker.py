"""The process of one run: `verify`, or `rebuild SERVICE`. Its output tells what it does, a JSON object a line."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

import structlog

from shared.errors import KaryaError
from shared.settings import Settings
from shared.wording import as_message

REPORT, FAULT = "report", "fault"
WAITS, CHECKING, DONE, OF = "waits", "checking", "done", "of"
VERIFY, REBUILD = "verify", "rebuild"
# Services come first on a machine that has both.
NICE = 10


def main() -> None:
    """Work what the words of the command line say."""
    os.nice(NICE)
    # The rules run again, and would log each dead letter as a new one.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    _tell(asyncio.run(work(Settings(), sys.argv[1:])))


async def work(settings: Settings, words: Sequence[str]) -> dict[str, Any]:
    """The report, or why there is none."""
    from aiokafka.errors import KafkaError
    from pymongo.errors import PyMongoError

    from ops.reaching import unreachable

    try:
        match words:
            case [kind] if kind == VERIFY:
                return {REPORT: await _verified(settings)}
            case [kind, service] if kind == REBUILD:
                return {REPORT: await _rebuilt(settings, service)}
        raise ValueError(f"no work: {words}")
    except KaryaError as fault:
        message = as_message(fault.message)
    except (KafkaError, PyMongoError, OSError) as fault:
        message = unreachable(settings, fault)
    return {FAULT: {"template": message.template, "values": message.plain_values}}


async def _verified(settings: Settings) -> dict[str, Any]:
    from ops.verify import verify
    from ops.verify.report import sentences

    report = await verify(
        settings,
        on_wait=lambda observation: _tell({WAITS: sentences(observation.waits[:1]), CHECKING: False}),
        on_quiet=lambda: _tell({WAITS: [], CHECKING: True}),
    )
    return report.as_dict()


async def _rebuilt(settings: Settings, service: str) -> dict[str, Any]:
    from ops.rebuild import rebuild

    report = await rebuild(settings, service, on_progress=lambda done, of: _tell({DONE: done, OF: of}))
    return report.as_dict()


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
