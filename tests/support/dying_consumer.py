"""Runs a service whose polling ends for good once a file is there: `dying_consumer SERVICE FILE`.

As when a client's bug cancels the task: what remains is a process that answers and works nothing. The patching lives
here only: no setting of the product can do it.
"""

import asyncio
import runpy
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer


def die_when_there_is(file: Path) -> None:
    original: Any = AIOKafkaConsumer.getmany

    def is_due() -> bool:
        return file.exists()

    async def getmany(self: Any, *partitions: Any, **how: Any) -> Any:
        if is_due():
            raise asyncio.CancelledError
        return await original(self, *partitions, **how)

    AIOKafkaConsumer.getmany = getmany


if __name__ == "__main__":
    die_when_there_is(Path(sys.argv[2]))
    runpy.run_module(f"services.{sys.argv[1]}.app", run_name="__main__")
