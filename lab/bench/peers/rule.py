"""The document of a lot after one event, by inventory's own rules: the only state of a peer."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from lab.bench import backlog
from services.inventory.domain import Lot
from services.inventory.handlers import LOT
from services.inventory.store import LOTS
from shared.envelope import header
from shared.events.inventory import STOCK_ORDERS
from shared.events.language import Event
from shared.events.production import PRODUCTION
from shared.runtime.state import Ref, State

MODELS = {**PRODUCTION.by_type, **STOCK_ORDERS.by_type}
NOW = datetime(2023, 4, 17, tzinfo=UTC)
KNOWN = "L"


def after(
    document: Mapping[str, Any] | None, key: str, value: bytes, headers: Iterable[tuple[str, bytes | None]]
) -> dict[str, Any] | None:
    """The lot's document after the event, with its `_id`; None when the event changes nothing."""
    body = MODELS[header(headers, "ce_type") or ""].model_validate_json(value)
    event = Event(id="", source="", key=key, time=NOW, logged_at=NOW, body=body)
    before = None if document is None else LOTS.from_document(document)
    loaded = State.of(absent=(Ref(Lot, key),)) if before is None else State.of(before)
    state, _ = LOT.decide(loaded, event)
    lot = state.changes.get((Lot, key))
    return None if lot is None else {"_id": key, **LOTS.to_document(lot)}


def at_first(key: str) -> dict[str, Any] | None:
    """The initial document of a known lot, for peers that do not read it from MongoDB."""
    if not key.startswith(KNOWN):
        return None
    lot = next(backlog.known_lots(1))
    return {"_id": key, **LOTS.to_document(lot)}
