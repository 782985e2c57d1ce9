"""A process ends when it was told to, whatever its tasks make of being cancelled."""

import socket
import subprocess
import sys

import pytest

from shared.http.server import listen

NOWHERE = "mongodb://127.0.0.1:1/"

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


STARTS = """
from services.inventory.app import main
main()
"""


def test_the_second_part_of_an_answer_does_not_wait_for_the_clients_acknowledgement() -> None:
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.7"])
def test_a_service_that_asks_nobody_for_a_token_listens_to_its_own_machine_alone(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"KARYA_ACCESS": "open", "KARYA_HTTP_HOST": host, "KARYA_MONGO": NOWHERE}.items():
        monkeypatch.setenv(name, value)
    ended = subprocess.run([sys.executable, "-c", STARTS], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 3, ended.stderr
    assert "Leave KARYA_ACCESS out, or let KARYA_HTTP_HOST be 127.0.0.1." in ended.stderr
    assert "Traceback" not in ended.stderr
