"""MongoDB stops under load: consumers pause, memory stays flat, and all is worked off afterwards, once.

For longer: `python -m tests.support.backpressure --seconds 300`.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.stack import LocalStack
from deploy.topics import make_topics
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support import loads
from tests.support.backpressure import STOPPED, Figures, stop_under_load
from tests.support.probe import a_probe
from tests.support.running import end_open_transactions
from tests.support.running import run_service as running_service
from tests.support.servers import killed_server, settings_on
from tests.support.undisturbed import all_worked, assert_undisturbed
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that may be disturbed."""
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
async def place(own: LocalStack) -> Settings:
    """Topics and databases for one test."""
    settings = settings_on(own, f"pressure{uuid4().hex[:8]}")
    await make_topics(settings)
    return settings


@pytest.mark.timeout(400)
@pytest.mark.parametrize("how", sorted(STOPPED))
async def test_without_its_database_a_service_keeps_its_size_and_works_all_off_afterwards(
    how: str, own: LocalStack, place: Settings, tmp_path: Path
) -> None:
    # Fewer records prove nothing, and a busy machine takes longer to send them.
    figures = Figures(how, seconds=20, rate=1500, least_sent=10_000)
    await stop_under_load(figures, own, place, tmp_path)
    assert figures.sent > 10_000
    assert figures.grown == [], figures


async def test_without_its_database_a_consumer_pauses_and_goes_on_when_it_is_back(
    own: LocalStack, place: Settings
) -> None:
    work = loads.after("inventory")
    async with a_probe(place) as probe, running_service("inventory", place) as service:
        await loads.send_at_once(probe, loads.before("inventory"))
        await eventually(lambda: all_worked("inventory", place, probe, service.database))
        with killed_server(own.mongo):
            await loads.send_at_once(probe, islice(work, 300))
            consumer = consumer_of(service)
            await eventually(lambda: consumer.paused() == consumer.assignment(), equals=True, within=40)
            offsets = await positions(consumer)
            await loads.send_at_once(probe, islice(work, 300))
            assert await positions(consumer) == offsets
            assert consumer.paused() == consumer.assignment()
        await end_open_transactions(place)
        await eventually(lambda: all_worked("inventory", place, probe, service.database), within=60)
        assert consumer.paused() == set()
        await assert_undisturbed("inventory", place, probe, service.database)


def consumer_of(service: Service) -> AIOKafkaConsumer:
    [line] = service._runtimes
    consumer = line.subscriber.consumer
    assert consumer is not None
    return consumer


async def positions(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    return {part: await consumer.position(part) for part in consumer.assignment()}
