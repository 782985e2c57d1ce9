"""The MongoDB documents of festival's copy of the catalogue."""

from typing import Any

from services.festival.domain.catalogue import CatalogueEntry
from shared.events.catalogue import CATALOGUE, EntryCommandRefused, EntryFact, kind_of
from shared.runtime.processor import Collection, Document

# Facts are kept as the JSON of their events.
_FACTS = {body.__name__: body for body in CATALOGUE.bodies if body is not EntryCommandRefused}


def _entry_document(entry: CatalogueEntry) -> dict[str, Any]:
    fact = entry.fact
    return {
        "kind": kind_of(entry.id),
        "revision": fact.revision,
        "type": type(fact).__name__,
        "json": fact.model_dump_json(),
    }


def _entry(document: Document) -> CatalogueEntry:
    fact: EntryFact = _FACTS[document["type"]].model_validate_json(document["json"])  # type: ignore[assignment]
    return CatalogueEntry(document["_id"], fact)


ENTRIES = Collection("catalogue", CatalogueEntry, _entry_document, _entry, indexes=("kind",))
