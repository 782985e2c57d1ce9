"""The pages of held records: which there are, and an operator's release or refusal."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from services.gateway.domain.held_record import HeldRecord, HeldStatus
from services.gateway.handlers import REFUSE, RELEASE
from services.gateway.store import (
    BOOTH_NEWS,
    FACILITY_NEWS,
    HELD_COMMAND_OUTCOMES,
    HELD_RECORD_DOCUMENTS,
    HELD_VALUE,
)
from shared.events.gateway import HELD_COMMANDS, HeldRefusal
from shared.events.production import TERMINAL, ReportAccepted, ReportRejected
from shared.events.sales import TILL, SaleAccounted
from shared.faults import value_error
from shared.http.commands import CommandOutcome, Commands
from shared.http.endpoints import add_commands
from shared.http.listing import Listing
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message

SOURCE = "karya/gateway/http"
# Of each topic of devices: where its answers are kept, those that say that a record is there, and their device.
_ANSWERS = (
    (TERMINAL, FACILITY_NEWS, (ReportAccepted, ReportRejected), "terminal"),
    (TILL, BOOTH_NEWS, (SaleAccounted,), "till"),
)


class HeldRecordPage(BaseModel):
    """A record that a revoked device has signed. `number`: in the order in which its device's records came; `seq`:
    its number on its device, if it has one. `digest`: the SHA-256 of its bytes, which no page shows. `stored_before`:
    a service has answered it without a release, as its topic has had it since before the revocation. That copy counts
    even if this one is refused."""

    place: str
    device: str
    record: str
    type: str
    source: str
    number: int
    seq: int | None
    recorded_at: str
    digest: str
    bytes: int
    held_at: datetime
    status: HeldStatus
    decided_at: datetime | None
    reason: str | None
    stored_before: bool

    @classmethod
    def of(cls, record: HeldRecord, *, stored_before: bool) -> "HeldRecordPage":
        return cls(
            place=record.place,
            device=record.device,
            record=record.record,
            type=record.header("ce_type") or "",
            source=record.header("ce_source") or "",
            number=record.number,
            seq=record.seq,
            recorded_at=record.header("ce_time") or "",
            digest=record.digest,
            bytes=record.size,
            held_at=record.held_at,
            status=record.status,
            decided_at=record.decided_at,
            reason=record.reason,
            stored_before=stored_before,
        )


class HeldCommandPage(BaseModel):
    """The outcome of a command about held records. A refused one has a `field`, a `reason` and a sentence."""

    command: str
    status: str
    field: str | None = None
    reason: str | None = None
    message: str | None = None
    template: str | None = None
    values: Mapping[str, str | int] | None = None


def routes(service: Service) -> APIRouter:
    """The router of held records."""
    router = APIRouter()
    documents = service.database[HELD_COMMAND_OUTCOMES.name]

    async def find(id: str) -> CommandOutcome | None:
        found = await documents.find({"command": id}).to_list(None)
        document = next((document for document in found if document["source"] == SOURCE), None)
        if document is None:
            if not found:
                return None
            message = Message("Another sender used this id for a command. Give each command its own UUID.")
            return CommandOutcome(done=False, field="command", reason=HeldRefusal.ID_TAKEN.value, message=message)
        wrong = HELD_COMMAND_OUTCOMES.from_document(document).rejection
        if wrong is None:
            return CommandOutcome(done=True)
        return CommandOutcome(done=False, field=wrong.field, reason=wrong.reason.value, message=wrong.message)

    add_commands(router, Commands(service, HELD_COMMANDS, SOURCE, find), (RELEASE, REFUSE))

    @router.get("/held", summary="Records of revoked devices, as they came")
    async def held(
        listing: Annotated[Listing, Depends()],
        place: str | None = None,
        device: str | None = None,
        status: str | None = None,
    ) -> list[HeldRecordPage]:
        if status is not None and status not in set(HeldStatus):
            known = ", ".join(HeldStatus)
            message = Message("There is no such status. There are {known}.", known=known)
            raise RequestValidationError([value_error(("query", "status"), message)])
        named = {"status": status, "place": place, "device": device}
        filters = {name: value for name, value in named.items() if value is not None}
        page = await listing.page(service.database, HELD_RECORD_DOCUMENTS, filters, without=HELD_VALUE)
        stored = await _stored_before(service, page)
        return [HeldRecordPage.of(record, stored_before=record.id in stored) for record in page]

    @router.get("/commands/{command}", summary="What became of a command about held records")
    async def command(command: str) -> HeldCommandPage:
        outcome = await find(command)
        if outcome is None:
            raise PageRefused(404, Message("No outcome of the command {command} is known (yet).", command=command))
        if outcome.done or outcome.message is None:
            return HeldCommandPage(command=command, status="done")
        return HeldCommandPage(
            command=command,
            status="refused",
            field=outcome.field,
            reason=outcome.reason,
            message=outcome.message.english,
            template=outcome.message.template,
            values=outcome.message.plain_values,
        )

    return router


async def _stored_before(service: Service, records: Sequence[HeldRecord]) -> Set[str]:
    """The ids of those of the records that a service has answered without a release. Raises PyMongoError."""
    stored: set[str] = set()
    for topic, collection, bodies, device in _ANSWERS:
        asked = [
            record for record in records if record.topic == topic.name and record.status is not HeldStatus.RELEASED
        ]
        if not asked:
            continue
        answers = {
            "about": {"$in": sorted({record.record for record in asked})},
            "type": {"$in": [body.__name__ for body in bodies]},
        }
        items = [collection.from_document(d) async for d in service.database[collection.name].find(answers)]
        answered = {(item.place, item.about, getattr(item.body, device)) for item in items}
        stored |= {
            record.id
            for record in asked
            if (record.place, record.record, (record.header("ce_source") or "").rpartition("/")[2]) in answered
        }
    return stored
