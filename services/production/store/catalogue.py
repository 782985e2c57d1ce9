"""The MongoDB documents of the catalogue: its entries with their history and commands, and each facility's part."""

from datetime import timedelta
from typing import Any

from services.production.domain.catalogue import Product
from services.production.domain.entities import WaitingReport
from services.production.domain.entries import (
    Entry,
    EntryCommand,
    EntryCommandStatus,
    EntryRejection,
    EntryRevision,
)
from services.production.domain.facility_catalogue import FacilityCatalogue, ListedProduct
from shared.events import catalogue
from shared.events.catalogue import EntryCommandRefused, EntryFact, EntryRefusal, kind_of
from shared.events.production import ProductionReported
from shared.rejections import rejection_document
from shared.runtime.processor import Collection, Document
from shared.wording import message_of

# Facts and commands are kept as the JSON of their events.
_FACTS = {body.__name__: body for body in catalogue.CATALOGUE.bodies if body is not EntryCommandRefused}
_COMMANDS = {body.__name__: body for body in catalogue.ENTRY_COMMANDS.bodies}


def _fact_document(fact: EntryFact) -> dict[str, Any]:
    return {"type": type(fact).__name__, "json": fact.model_dump_json()}


def _fact(document: Document) -> EntryFact:
    fact: EntryFact = _FACTS[document["type"]].model_validate_json(document["json"])  # type: ignore[assignment]
    return fact


def _entry_document(entry: Entry) -> dict[str, Any]:
    return {
        "kind": kind_of(entry.id),
        "revision": entry.revision,
        "fact": entry.fact and _fact_document(entry.fact),
        "askers": list(entry.askers),
    }


def _entry(document: Document) -> Entry:
    fact = document["fact"]
    return Entry(document["_id"], fact and _fact(fact), tuple(document["askers"]))


def _revision_document(revision: EntryRevision) -> dict[str, Any]:
    return {"entry": revision.entry, "fact": _fact_document(revision.fact)}


def _revision(document: Document) -> EntryRevision:
    return EntryRevision(document["_id"], document["entry"], _fact(document["fact"]))


def _command_document(command: EntryCommand) -> dict[str, Any]:
    return {
        "command": command.command,
        "source": command.source,
        "entry": command.entry,
        "name": command.name,
        "given_at": command.given_at,
        "status": command.status.value,
        "body": command.body.model_dump_json(),
        "unanswered": list(command.unanswered),
        "wrong": rejection_document(command.rejection),
    }


def _command(document: Document) -> EntryCommand:
    rejection = document["wrong"]
    return EntryCommand(
        id=document["_id"],
        command=document["command"],
        source=document["source"],
        entry=document["entry"],
        name=document["name"],
        given_at=document["given_at"],
        status=EntryCommandStatus(document["status"]),
        body=_COMMANDS[document["name"]].model_validate_json(document["body"]),  # type: ignore[arg-type]
        unanswered=tuple(document["unanswered"]),
        rejection=rejection
        and EntryRejection(
            rejection["field"],
            EntryRefusal(rejection["reason"]),
            message_of(rejection["template"], rejection["values"]),
        ),
    )


def _facility_document(catalogue: FacilityCatalogue) -> dict[str, Any]:
    return {
        "revision": catalogue.revision,
        "kind": catalogue.kind,
        "name": catalogue.name,
        "zone": catalogue.zone,
        "retired_at": catalogue.retired_at,
        "listed": [{"product": code, "until": until} for code, until in sorted(catalogue.listed.items())],
        "products": [_product_document(entry) for _, entry in sorted(catalogue.products.items())],
    }


def _product_document(entry: ListedProduct) -> dict[str, Any]:
    product = entry.product
    return {
        "code": product.code,
        "name": product.name,
        "category": product.category,
        "unit": product.unit,
        "max_qty": product.max_qty,
        "shelf_life_days": product.shelf_life.days if product.shelf_life is not None else None,
        "revision": entry.revision,
        "retired_at": entry.retired_at,
    }


def _facility(document: Document) -> FacilityCatalogue:
    return FacilityCatalogue(
        id=document["_id"],
        revision=document["revision"],
        kind=document["kind"],
        name=document["name"],
        zone=document["zone"],
        retired_at=document["retired_at"],
        listed={entry["product"]: entry["until"] for entry in document["listed"]},
        products={entry["code"]: _product(entry) for entry in document["products"]},
    )


def _product(entry: Document) -> ListedProduct:
    days = entry["shelf_life_days"]
    product = Product(
        entry["code"],
        entry["name"],
        entry["category"],
        entry["unit"],
        entry["max_qty"],
        timedelta(days=days) if days is not None else None,
    )
    return ListedProduct(product, entry["revision"], entry["retired_at"])


def _waiting_document(report: WaitingReport) -> dict[str, Any]:
    return {
        "waits_at": report.waits_at,
        "source": report.source,
        "key": report.key,
        "time": report.time,
        "logged_at": report.logged_at,
        "body": report.body.model_dump_json(),
    }


def _waiting(document: Document) -> WaitingReport:
    return WaitingReport(
        id=document["_id"],
        waits_at=document["waits_at"],
        source=document["source"],
        key=document["key"],
        time=document["time"],
        logged_at=document["logged_at"],
        body=ProductionReported.model_validate_json(document["body"]),
    )


ENTRIES = Collection("entries", Entry, _entry_document, _entry, indexes=("kind",))
REVISIONS = Collection("entry_revisions", EntryRevision, _revision_document, _revision, indexes=("entry",))
ENTRY_COMMANDS = Collection("entry_commands", EntryCommand, _command_document, _command, indexes=("command", "entry"))
FACILITIES = Collection("facility_catalogues", FacilityCatalogue, _facility_document, _facility)
WAITING_REPORTS = Collection("waiting_reports", WaitingReport, _waiting_document, _waiting, listed_by=("waits_at",))
