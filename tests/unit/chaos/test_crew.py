"""An instance is one of the crew from the moment when its process is there, and no earlier."""

import asyncio
import threading
from pathlib import Path

import pytest

from deploy.chaos.crew import Crew
from deploy.local.server import Server
from shared.settings import Settings

WAITS = ["-c", "import time; time.sleep(60)"]


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
    crew = Crew(tmp_path, {"sales": Settings()}, {"sales": WAITS})
    joining = asyncio.create_task(crew.join("sales"))
    assert await asyncio.to_thread(launching.wait, 30)
    assert crew.of("sales") == []
    go_on.set()
    member = await joining
    assert crew.of("sales") == [member]
    assert member.server.alive
    await crew.kill([member])
    assert not member.server.alive
