"""The reckoning: what was acknowledged against the ledgers and against what production and sales keep, and what all
services said and keep against a replay of all that Kafka holds into fresh databases."""

from dataclasses import dataclass, field
from typing import Any

from deploy.topics import SERVICES
from lab.chaos.kept import READ, Kept
from lab.chaos.told import Told
from ops.rebuild import compare
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.mongo import Mongo
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings

AT_ONCE = 1000


@dataclass(slots=True)
class Reckoning:
    """`lost`: acknowledged records that no ledger holds or whose effect is not there, and events that the rules
    demand and no topic has. `doubled`: what no acknowledged record and no rule explains. `torn`: what was worked with
    another body or is kept otherwise than it was told, and documents that are not what the rules make of the log."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.torn)


async def reckon(settings: Settings, told: Told, found: Reckoning, *, whole: bool) -> None:
    """Add whatever is wrong, once everything is quiet. What was found stays if the rest can't be looked at. `whole`:
    nothing waits in a spool; else more may be kept than was acknowledged, and that is not looked at."""
    mongo = Mongo(settings)
    try:
        await _ledgers(mongo, told, found)
        if whole:
            await _documents(mongo, told, found)
    finally:
        await mongo.close()
    for service in SERVICES:
        compared = await compare(settings, service)
        found.lost += compared.lost
        found.doubled += compared.doubled
        found.torn += compared.torn


async def _ledgers(mongo: Mongo, told: Told, found: Reckoning) -> None:
    for service, topic in (("production", TERMINAL), ("sales", TILL)):
        said = [(id, digest) for id, (of, digest) in told.records.items() if of == topic]
        store = RuntimeStore(mongo.database(service))
        for start in range(0, len(said), AT_ONCE):
            some = said[start : start + AT_ONCE]
            known = await store.processed(id for id, _ in some)
            found.lost += [f"{service} never worked {id}" for id, _ in some if id not in known]
            found.torn += [
                f"{service} worked another body of {id}" for id, digest in some if known.get(id, digest) != digest
            ]


async def _documents(mongo: Mongo, told: Told, found: Reckoning) -> None:
    kept = Kept(told)
    for (service, name), fields in READ.items():
        cursor: Any = mongo.database(service)[name].find({}, dict.fromkeys(fields, 1), batch_size=AT_ONCE)
        while page := await cursor.to_list(AT_ONCE):
            kept.look(name, page)
    kept.close()
    found.lost += kept.lost
    found.doubled += kept.doubled
    found.torn += kept.torn
