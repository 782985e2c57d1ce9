"""The MongoDB documents of festival's copy of the catalogue."""

from typing import Any

from services.festival.domain.catalogue import CatalogueEntry, Fact
from shared.events.catalogue import CATALOGUE, EntryCommandRefused
from shared.runtime.processor import Collection, Document

# Facts are kept as the JSON of their events.
_FACTS = {body.__name__: body for body in CATALOGUE.bodies if body is not EntryCommandRefused}


def _entry_document(entry: CatalogueEntry) -> dict[str, Any]:
    fact = entry.fact
    return {
        "kind": entry.id.partition("/")[0],
        "revision": fact.revision,
        "type": type(fact).__name__,
        "json": fact.model_dump_json(),
    }


def _entry(document: Document) -> CatalogueEntry:
    fact: Fact = _FACTS[document["type"]].model_validate_json(document["json"])  # type: ignore[assignment]
    return CatalogueEntry(document["_id"], fact)


ENTRIES = Collection("catalogue", CatalogueEntry, _entry_document, _entry, indexes=("kind",))
