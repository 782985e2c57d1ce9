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
import os, sys
from services.inventory.app import main

for host in sys.argv[1:]:
    os.environ["KARYA_HTTP_HOST"] = host
    print("host", host, file=sys.stderr, flush=True)
    try:
        main()
    except SystemExit as ended:
        print("ended", ended.code, file=sys.stderr, flush=True)
"""


def test_the_second_part_of_an_answer_does_not_wait_for_the_clients_acknowledgement() -> None:
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_service_that_asks_nobody_for_a_token_listens_to_its_own_machine_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"KARYA_ACCESS": "open", "KARYA_MONGO": NOWHERE}.items():
        monkeypatch.setenv(name, value)
    hosts = ("0.0.0.0", "", "::", "192.0.2.7")
    started = subprocess.run(
        [sys.executable, "-c", STARTS, *hosts], capture_output=True, text=True, timeout=30, check=False
    )
    assert started.returncode == 0, started.stderr
    of_hosts = started.stderr.split("host ")[1:]
    assert len(of_hosts) == len(hosts)
    for host, said in zip(hosts, of_hosts, strict=True):
        assert said.startswith(f"{host}\n")
        assert said.endswith("ended 3\n"), said
        assert "Leave KARYA_ACCESS out, or let KARYA_HTTP_HOST be 127.0.0.1." in said
    assert "Traceback" not in started.stderr
