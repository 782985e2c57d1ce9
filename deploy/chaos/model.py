"""The reckoning: what was acknowledged and what the services said and keep, against a replay of Kafka in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.rebuild import compare
from deploy.topics import SERVICES
from shared.events.language import Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.mongo import Mongo
from shared.settings import Settings

AT_ONCE = 1000
SHOWN = 20


@dataclass(slots=True)
class Reckoning:
    """`acknowledged`: ledger ids of what terminals and tills were acknowledged for, with their topic. `lost`: such
    ids that no ledger holds, and events that the rules demand and no topic has. `doubled`: events that no rule
    demands. `torn`: documents that are not what the rules make of the log."""

    acknowledged: Mapping[str, Topic] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.torn)


async def reckon(settings: Settings, acknowledged: Mapping[str, Topic]) -> Reckoning:
    """Once everything is quiet."""
    found = Reckoning(acknowledged)
    mongo = Mongo(settings)
    try:
        for service, topic in (("production", TERMINAL), ("sales", TILL)):
            ids = [id for id, of in acknowledged.items() if of == topic]
            ledger = mongo.database(service)["ledger"]
            for start in range(0, len(ids), AT_ONCE):
                some = ids[start : start + AT_ONCE]
                known = {entry["_id"] async for entry in ledger.find({"_id": {"$in": some}}, {"_id": 1})}
                found.lost += [f"{service} never worked {id}" for id in some if id not in known]
    finally:
        await mongo.close()
    for service in SERVICES:
        compared = await compare(settings, service)
        found.lost += compared.lost
        found.doubled += compared.doubled
        found.torn += compared.torn
    return found
