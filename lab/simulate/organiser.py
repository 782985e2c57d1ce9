"""The organisers' side of festival's HTTP API: commands that must succeed, and pages."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import httpx

from lab.simulate.errors import ScenarioFailed
from shared.access.session import Bearer, TokenSource, wait_for_role
from shared.events.festival import SendShipment
from shared.events.language import Body

PAGE = 500
ROLE_WITHIN = 30.0


class OrganiserApi:
    """Festival's HTTP API at `url`, with the organiser's token. Every method raises ScenarioFailed for another answer
    than 200."""

    def __init__(self, url: str, organiser: TokenSource) -> None:
        self._organiser = organiser
        self._http = httpx.AsyncClient(base_url=url, timeout=60, auth=Bearer(organiser))

    async def close(self) -> None:
        await self._http.aclose()

    async def command(self, path: str, body: Body) -> None:
        """Give a command and wait until it is done."""
        answer = await self._http.post(path, json=body.model_dump(mode="json"), headers={"Prefer": "wait=30"})
        if answer.status_code != 200:
            raise ScenarioFailed(f"The organiser's command {path} was answered {answer.status_code}: {answer.text}")

    async def wait_for_role(self, role: str) -> None:
        """Wait until the organiser's token has a role that identity grants now."""
        if not await asyncio.to_thread(wait_for_role, self._organiser, role, ROLE_WITHIN):
            raise ScenarioFailed(f"The organiser's token lacks the role {role} after {ROLE_WITHIN:.0f} s.")

    async def booths(self, festival: str) -> list[dict[str, Any]]:
        """The pages of a festival's booths."""
        booths: list[dict[str, Any]] = await self._get(f"/festivals/{festival}/booths", limit=PAGE)
        return booths

    async def unsent_shipments(self, festival: str) -> list[tuple[SendShipment, Mapping[str, int]]]:
        """A command for each shipment that is reserved and not sent yet, with its pieces by lot."""
        reserved: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
        for summary in await self._get(f"/festivals/{festival}/requests", limit=PAGE):
            request = await self._get(f"/festivals/{festival}/requests/{summary['request']}")
            for line in request["lines"]:
                if line["status"] == "reserved":
                    lots = reserved[request["request"], line["facility"], line["booth"]]
                    lots[line["lot"]] = lots.get(line["lot"], 0) + line["qty"]
        shipments: list[tuple[SendShipment, Mapping[str, int]]] = []
        for n, ((request, facility, booth), lots) in enumerate(sorted(reserved.items()), 1):
            shipment = SendShipment(
                festival=festival, request=request, shipment=f"{request}-{n:03}", facility=facility, booth=booth
            )
            shipments.append((shipment, lots))
        return shipments

    async def _get(self, path: str, **query: Any) -> Any:
        answer = await self._http.get(path, params=query)
        if answer.status_code != 200:
            raise ScenarioFailed(f"{path} was answered {answer.status_code}: {answer.text}")
        return answer.json()
