"""One festival of the load: opened, supplied and sold at for about a minute, then closed and brought home."""

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lab.chaos.expected import OrderedVoid
from lab.chaos.incidents import Incident, Incidents
from lab.chaos.organiser import OrganiserClient
from lab.chaos.running import RunningTill, TillRunner
from lab.chaos.tally import Tally
from lab.chaos.tills import PRICE, SharedBooth, TillAgent
from shared.events.festival import AnnounceFestival, Demand, OpenBooth, Price, RequestAllocation

BOOTHS = 3
TILLS = ("T1", "T2")
CYCLE_SECONDS = 4.0
REQUESTED_QTY = 6_000  # pieces of a product for a booth in one request
# Probabilities.
NO_BOAT = 0.15  # that a facility of a request can't send
DAMAGED = 0.15  # that some of a shipment is lost
PRICE_CHANGED = 0.3  # of a booth in one cycle
ACCEPTED_DISPUTES = 0.3


@dataclass(frozen=True, slots=True)
class LoadContext:
    """Shared by every festival of one load. `ordered`: voids of organisers that festival carried out."""

    products: tuple[str, ...]
    client: OrganiserClient
    runner: TillRunner
    group: asyncio.TaskGroup
    rng: random.Random
    tally: Tally
    stopping: asyncio.Event
    ordered: list[OrderedVoid]


class LoadFestival:
    """One festival with its booths and tills."""

    def __init__(self, id: str, context: LoadContext) -> None:
        self.id = id
        self._context = context
        self._client = context.client
        self._rng = context.rng
        self._booths = {f"{id}.B{n}": SharedBooth(id, context.products, len(TILLS)) for n in range(1, BOOTHS + 1)}
        self._running: list[RunningTill] = []

    async def run(self, seconds: float) -> asyncio.Task[None]:
        """Open the festival and sell for so long. Returns the task that closes it."""
        await self._open()
        runner, group = self._context.runner, self._context.group
        agents = {
            (booth, name): runner.new_agent(booth, name, shared)
            for booth, shared in self._booths.items()
            for name in TILLS
        }
        self._running = [runner.start(agent) for agent in agents.values()]
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        # All at once: a till that waits for its first stock is no load.
        await asyncio.gather(*(self._supply(booth, f"r0-{n}") for n, booth in enumerate(self._booths)))
        incidents = Incidents(self._client, runner, self._context.tally, f"T{len(TILLS) + 1}")
        happening = [
            group.create_task(self._happen(seconds, incident, agents[booth, TILLS[-1]]))
            for incident, booth in zip(incidents.all, self._booths, strict=True)
        ]
        booths, cycle = list(self._booths), 0
        while loop.time() < end and not self._context.stopping.is_set():
            cycle += 1
            began = loop.time()
            await self._supply(booths[cycle % BOOTHS], f"r{cycle}")
            await self._change_prices_and_void()
            await asyncio.sleep(max(0.0, CYCLE_SECONDS - (loop.time() - began)))
        await asyncio.gather(*happening)
        for till in self._running:
            till.agent.stop_selling.set()
        await asyncio.gather(*(till.selling for till in self._running))
        await asyncio.gather(*(till.finish(count=till.agent.till.name == TILLS[0]) for till in self._running))
        return group.create_task(self._close())

    async def _open(self) -> None:
        today = datetime.now(ZoneInfo("Asia/Makassar")).date()
        announcement = AnnounceFestival(
            festival=self.id,
            name=f"Festival {self.id}",
            place="made up",
            zone="Asia/Makassar",
            first_day=today,
            last_day=today,
        )
        await self._client.command("/festivals", announcement)
        await self._client.wait_for_festival(self.id)
        prices = tuple(Price(product=product, price_rupiah=PRICE) for product in self._context.products)
        for booth in self._booths:
            body = OpenBooth(festival=self.id, booth=booth, name=booth, prices=prices, tills=TILLS)
            await self._client.command(f"/festivals/{self.id}/booths", body)
        self._context.tally.festivals_opened += 1

    async def _happen(self, seconds: float, incident: Incident, agent: TillAgent) -> None:
        await asyncio.sleep(seconds * self._rng.uniform(0.3, 0.6))
        if agent.selling:
            await incident(agent, self._running)

    async def _change_prices_and_void(self) -> None:
        """Change some prices, and void the pieces that cashiers left to the organiser."""
        for booth, shared in self._booths.items():
            if self._rng.random() < PRICE_CHANGED:
                product, price = self._rng.choice(self._context.products), self._rng.choice((4_000, PRICE, 6_000))
                change = {"product": product, "price_rupiah": price}
                await self._client.command(f"/festivals/{self.id}/booths/{booth}/prices", change)
            while shared.to_void:
                line = shared.to_void.pop()
                path = f"/festivals/{self.id}/receipts/{line.receipt}/void"
                if await self._client.command(path, {"booth": booth, "line": line.line, "qty": line.qty}):
                    self._context.ordered.append(OrderedVoid(booth, line.receipt, line.line, line.qty))

    # --- stock

    async def _supply(self, booth: str, name: str) -> None:
        """Request stock, send what is reserved, and count it in. Now and then a boat does not sail, so that the plan
        is revised, or a shipment arrives damaged."""
        demands = tuple(
            Demand(booth=booth, product=product, qty=REQUESTED_QTY)
            for product in self._rng.sample(self._context.products, 2)
        )
        request = RequestAllocation(
            festival=self.id, request=name, demands=demands, consent=True, hold_hours=1, revise_at_percent=2
        )
        if not await self._client.command(f"/festivals/{self.id}/requests", request):
            return
        facilities = await self._reserved_facilities(name)
        if facilities and self._rng.random() < NO_BOAT:
            revision = {"without": [self._rng.choice(facilities)], "consent": True}
            await self._client.command(f"/festivals/{self.id}/requests/{name}/revise", revision)
            facilities = await self._reserved_facilities(name)
        for n, facility in enumerate(facilities):
            await self._ship(booth, name, f"{name}-{n}", facility)

    async def _ship(self, booth: str, request: str, shipment: str, facility: str) -> None:
        order = {"request": request, "shipment": shipment, "facility": facility, "booth": booth}
        if not await self._client.command(f"/festivals/{self.id}/shipments", order):
            return
        path = f"/festivals/{self.id}/shipments/{shipment}"
        page = await self._client.page(path, lambda page: page["status"] in ("sent", "dropped"))
        if page["status"] == "sent":
            undamaged = self._rng.choice((0.7, 0.99)) if self._rng.random() < DAMAGED else 1
            counted = [{"lot": lot["lot"], "qty": int(lot["sent"] * undamaged)} for lot in page["lots"]]
            await self._client.command(f"{path}/receive", {"booth": booth, "counted": counted})

    async def _reserved_facilities(self, request: str) -> list[str]:
        """The facilities with reserved lots for the request, once inventory has answered for all of it."""
        path = f"/festivals/{self.id}/requests/{request}"
        page = await self._client.page(path, lambda page: page["status"] in ("settled", "withdrawn"))
        return sorted({line["facility"] for line in page["lines"] if line["status"] == "reserved"})

    # --- the end

    async def _close(self) -> None:
        """Close the festival, wait for its tills, resolve disputes, and bring unsold stock home."""
        await self._change_prices_and_void()
        await self._client.command(f"/festivals/{self.id}/close", {"till_hours": 1})
        await asyncio.gather(*(till.syncing for till in self._running))
        while True:
            page = await self._client.page(f"/festivals/{self.id}/missing")
            disputes = [entry for entry in page["missing"] if entry["sale"]]
            if page["status"] == "closed" and not disputes:
                break
            # Disputes first: accepted pieces are sold, and do not come home.
            await asyncio.gather(*(self._resolve(entry) for entry in disputes or page["missing"]))
            await asyncio.sleep(0.5)
        self._context.tally.festivals_closed += 1

    async def _resolve(self, entry: dict[str, Any]) -> None:
        """Give the command that one entry of the page of missing things asks for. The page shows its effect later."""
        if entry["sale"] is not None:
            path = f"/festivals/{self.id}/disputes/{entry['sale']}/resolve"
            await self._client.command_once(path, self._decision(path, entry["sale"], entry["booth"]))
        elif entry["what"] == "not_home":
            misread = self._booths[entry["booth"]].misread_pieces(entry["lot"])
            qty = max(0, entry["qty"] - misread)
            returned = {"booth": entry["booth"], "lot": entry["lot"], "qty": qty, "final": True}
            await self._client.command_once(f"/festivals/{self.id}/returns", returned)

    def _decision(self, path: str, sale: str, booth: str) -> dict[str, Any]:
        """Name the right lot of a misread label. Accept some other sales as far as stock allows, and reject the rest:
        also what stays in dispute after it was accepted."""
        lot = self._booths[booth].misread.get(sale)
        if lot is not None:
            return {"booth": booth, "outcome": "accepted", "lot": lot}
        accepted = {"booth": booth, "outcome": "accepted"}
        if random.Random(sale).random() < ACCEPTED_DISPUTES and not self._client.was_accepted(path, accepted):
            return accepted
        return {"booth": booth, "outcome": "rejected"}
