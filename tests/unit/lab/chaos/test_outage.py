"""Faults that kill one server overlap: it starts once, after the last, and no kill comes in the midst of a start."""

import asyncio
import threading

from lab.chaos.outage import Outage


class Server:
    """Lists what is done to it; a start lasts until `go_on` is set."""

    def __init__(self) -> None:
        self.name = "server"
        self.did: list[str] = []
        self.starting = threading.Event()
        self.go_on = threading.Event()

    def kill(self) -> None:
        self.did.append("killed")

    def start(self) -> None:
        self.starting.set()
        assert self.go_on.wait(30)
        self.did.append("serves")


async def test_of_two_faults_the_later_one_starts_it() -> None:
    server = Server()
    server.go_on.set()
    outage = Outage(server)
    await outage.begin()
    await outage.begin()
    await outage.end()
    assert server.did == ["killed", "killed"]
    await outage.end()
    assert server.did == ["killed", "killed", "serves"]


async def test_a_kill_waits_for_a_start_that_is_under_way() -> None:
    server = Server()
    outage = Outage(server)
    await outage.begin()
    ending = asyncio.create_task(outage.end())
    assert await asyncio.to_thread(server.starting.wait, 30)
    killing = asyncio.create_task(outage.begin())
    for _ in range(10):
        await asyncio.sleep(0)
    server.go_on.set()
    await asyncio.gather(ending, killing)
    assert server.did == ["killed", "serves", "killed"]
