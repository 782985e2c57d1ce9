"""Waits until production has worked the seed of the catalogue, or tells festival of entries without production."""

from datetime import UTC, datetime

from services.production import reference, seed
from shared.events.catalogue import CATALOGUE, EntryKind, ProductSet, TermSet, entry_id
from shared.mongo import Mongo
from tests.support.probe import Probe
from tests.support.waiting import eventually


async def catalogue_sown(mongo: Mongo) -> None:
    """Until every entry of the seed is there, and every facility knows its products."""
    database = mongo.database("production")
    loaded = reference.load()
    entries = {command.entry for command in seed.commands(loaded)}
    wanted = {code: set(facility.products) for code, facility in loaded.catalogue.facilities.items()}

    async def known() -> dict[str, set[str]]:
        documents = await database["facility_catalogues"].find({"revision": {"$gt": 0}}).to_list(None)
        return {document["_id"]: {entry["code"] for entry in document["products"]} for document in documents}

    async def kept() -> set[str]:
        return {document["_id"] async for document in database["entries"].find({"revision": {"$gt": 0}})}

    await eventually(
        known,
        until=lambda codes_by_facility: all(
            codes_by_facility.get(code, set()) >= codes for code, codes in wanted.items()
        ),
    )
    await eventually(kept, until=lambda codes_by_facility: codes_by_facility >= entries)


async def products_told(probe: Probe, *codes: str) -> None:
    """What production would tell festival of these products."""
    for code in codes:
        product = ProductSet(
            entry=entry_id(EntryKind.PRODUCT, code),
            revision=1,
            name=f"Product {code}",
            category="tenun",
            unit="helai",
            max_qty=200,
            changed_at=datetime(2026, 1, 1, tzinfo=UTC),
            command="seed",
        )
        await probe.send(CATALOGUE, product, source="karya/production")


async def island_told(probe: Probe, code: str) -> None:
    """What production would tell festival of this island."""
    island = TermSet(
        entry=entry_id(EntryKind.ISLAND, code),
        revision=1,
        name=code.title(),
        changed_at=datetime(2026, 1, 1, tzinfo=UTC),
        command="seed",
    )
    await probe.send(CATALOGUE, island, source="karya/production")
