"""A process ends when it was told to, whatever its tasks make of being cancelled."""

import subprocess
import sys

SERVES = """
import asyncio, os, signal
from contextlib import asynccontextmanager
from types import SimpleNamespace

import uvicorn
from fastapi import FastAPI

from shared.http.server import _Server

async def stubborn():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

@asynccontextmanager
async def lifespan(app):
    app.state.task = asyncio.create_task(stubborn())
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
    yield

service = SimpleNamespace(stopping=asyncio.Event(), failed=False)
_Server(uvicorn.Config(FastAPI(lifespan=lifespan), port=0, log_config=None), service).run()
"""


def test_a_task_that_takes_no_notice_of_its_end_is_told_of_and_holds_no_process() -> None:
    ended = subprocess.run([sys.executable, "-c", SERVES], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "tasks_hang" in ended.stdout
    assert "<string>" in ended.stdout, "at the line where it stands"
