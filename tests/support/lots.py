"""Lots as production tells of them, reservations as festival asks for them, and what inventory must make of both."""

from datetime import date

from services.inventory.handlers import LOT
from shared.events.inventory import INVENTORY, RESERVATIONS, STOCK_ORDERS, ReservationRequested, StockChanged
from shared.events.language import Topic
from shared.events.production import PRODUCTION, CorrectionRequested, LotRecorded
from shared.mongo import Database
from tests.support.model import Model, documents
from tests.support.probe import Probe, ProbeRecord


def a_lot(number: int, qty: int = 10) -> ProbeRecord:
    body = LotRecorded(
        lot=f"L{number}", facility="LP-KPG", product="KTI", category="tenun", qty=qty, made_on=date(2026, 4, 1)
    )
    return ProbeRecord(PRODUCTION, body, f"lot-{number}")


def a_correction(number: int, change: int = -1) -> ProbeRecord:
    body = CorrectionRequested(lot=f"L{number}", facility="LP-KPG", correction=f"c{number}", change=change)
    return ProbeRecord(PRODUCTION, body, f"correction-{number}")


def a_reservation(number: int, qty: int = 3, nth: int = 0) -> ProbeRecord:
    body = ReservationRequested(
        lot=f"L{number}", reservation=f"r{number}.{nth}", festival="F1", booth="F1.B1", request="F1/q", qty=qty
    )
    return ProbeRecord(STOCK_ORDERS, body, f"reservation-{number}.{nth}")


async def the_model(probe: Probe, *topics: Topic) -> Model:
    """What inventory must make of what lies in these topics, worked one after the other."""
    model = Model(LOT)
    for topic in topics:
        model.work([record.event for record in await probe.read_all(topic)])
    return model


async def ids_in(probe: Probe, topic: Topic) -> list[str]:
    return sorted({record.event.id for record in await probe.read_all(topic)})


async def assert_is(model: Model, probe: Probe, database: Database) -> None:
    assert await documents(database, LOT) == model.documents
    for topic in (INVENTORY, RESERVATIONS):
        assert await ids_in(probe, topic) == sorted(model.published[topic.name]), topic.name
    balances = await probe.read_all(INVENTORY)
    for lot in model.documents["lots"]:
        bodies = [record.body for record in balances if record.event.key == lot]
        revisions = [body.revision for body in bodies if isinstance(body, StockChanged)]
        assert list(dict.fromkeys(revisions)) == sorted(set(revisions)), "a lane's events must leave in commit order"
