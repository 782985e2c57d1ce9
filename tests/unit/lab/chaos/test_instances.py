"""An instance is listed from the moment when its process exists, and no earlier."""

import asyncio
import threading
from pathlib import Path

import pytest

from deploy.local.server import Server
from lab.chaos import instances as module
from lab.chaos.instances import Exit, Instances
from shared.settings import Settings
from tests.support.waiting import eventually

WAITS = ["-c", "import time; time.sleep(60)"]
# It needs half a second to end.
DAWDLES = [
    "-c",
    """
import signal, sys, time
def end(*_):
    time.sleep(0.5)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("waits", flush=True)
time.sleep(60)
""",
]

# It runs and reports that it is not alive.
DEAD = [
    "-c",
    """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Dead(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.end_headers()
        self.wfile.write(b"made up: " + self.path.encode())
HTTPServer(("127.0.0.1", int(os.environ["KARYA_HTTP_PORT"])), Dead).serve_forever()
""",
]


async def test_who_supervises_never_sees_an_instance_without_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launching, go_on = threading.Event(), threading.Event()
    launch = Server.launch

    def slowly(server: Server) -> bool:
        launching.set()
        assert go_on.wait(30)
        return launch(server)

    monkeypatch.setattr(Server, "launch", slowly)
    instances = Instances(tmp_path, {"sales": Settings()}, {"sales": WAITS})
    joining = asyncio.create_task(instances.join("sales"))
    assert await asyncio.to_thread(launching.wait, 30)
    assert instances.of_service("sales") == []
    go_on.set()
    instance = await joining
    assert instances.of_service("sales") == [instance]
    assert instance.server.alive
    await instances.kill([instance])
    assert not instance.server.alive


async def test_an_instance_that_says_that_it_is_dead_is_replaced_and_told_of(tmp_path: Path) -> None:
    instances = Instances(tmp_path, {"sales": Settings()}, {"sales": DEAD})
    dead = await instances.join("sales")
    supervising = asyncio.create_task(instances.supervise())
    try:
        await eventually(lambda: [instance for instance in instances.of_service("sales") if instance is not dead])
    finally:
        supervising.cancel()
        await asyncio.wait([supervising])
        await instances.kill(instances.of_service("sales"))
    assert instances.liveness_failures[0] == f"{dead.name} was not alive: made up: /health/live"
    assert not dead.server.alive
    assert instances.exits == []


@pytest.mark.parametrize("most", [10.0, 0.1])
async def test_an_instance_that_takes_too_long_to_leave_has_ended_badly(
    most: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAVE_SECONDS", most)
    instances = Instances(tmp_path, {"sales": Settings()}, {"sales": DAWDLES})
    instance = await instances.join("sales")
    await eventually(lambda: "waits" in instance.server.log.read_text())
    await instances.leave(instance)
    [exit] = instances.exits
    assert exit.code == 0
    assert exit.seconds is not None
    assert exit.seconds >= 0.5
    assert exit.bad is (most < 0.5)


def test_how_an_instance_ended_is_told_with_the_time_that_it_took() -> None:
    assert str(Exit("sales-3", 0, 12.34)) == "sales-3 ended with 0 after 12.3 s"
    assert Exit("sales-3", 0, 12.34).bad
    assert not Exit("sales-3", 0, 9.9).bad
    assert Exit("sales-3", -9, 0.1).bad
    assert str(Exit("sales-3", 1)) == "sales-3 ended with 1"
