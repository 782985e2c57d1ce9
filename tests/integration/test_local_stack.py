"""The local stack against its promises: nothing acknowledged is lost, and no process is left behind."""

import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import PyMongoError

from deploy.local import mongo
from deploy.local.stack import LocalStack, StackError
from deploy.secure.certificates import prepare
from deploy.secure.users import ServerSecrets

pytestmark = pytest.mark.integration

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(autouse=True)
def end_servers(tmp_path: Path) -> Iterator[None]:
    """A test that fails leaves no server behind either."""
    yield
    for process in processes_over(tmp_path):
        process.kill()


def processes_over(folder: Path) -> list[psutil.Process]:
    """Every process with a path below this folder among its arguments."""
    processes = []
    for candidate in psutil.process_iter():
        try:
            if any(str(folder.resolve()) in argument for argument in candidate.cmdline()):
                processes.append(candidate)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return processes


async def create_topic(stack: LocalStack, name: str, **settings: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.addresses.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=settings)])
    finally:
        await admin.close()


async def produce(stack: LocalStack, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.addresses.kafka, enable_idempotence=True, max_request_size=8 * MIB
    )
    async with producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def consume(stack: LocalStack, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=stack.addresses.kafka,
        group_id=f"reads-{topic}",
        auto_offset_reset="earliest",
    )
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]


@pytest.mark.slow
async def test_records_that_kafka_acknowledged_outlive_its_sudden_death(stack: LocalStack) -> None:
    before = stack.addresses
    values = [f"record {n}".encode() for n in range(20)]
    await create_topic(stack, "sudden-death")
    await produce(stack, "sudden-death", values)

    stack.kafka.kill()
    assert not stack.kafka.alive
    stack.kafka.start()

    assert stack.addresses == before
    assert await consume(stack, "sudden-death", len(values)) == values


@pytest.mark.slow
async def test_transactions_that_mongo_acknowledged_outlive_its_sudden_death(stack: LocalStack) -> None:
    before = stack.addresses
    async with AsyncMongoClient(stack.addresses.mongo) as client:
        async with client.start_session() as session, await session.start_transaction():
            await client["sudden_death"]["lots"].insert_many([{"_id": n} for n in range(20)], session=session)
            await client["sudden_death"]["ledger"].insert_one({"_id": "entry"}, session=session)

        stack.mongo.kill()
        assert not stack.mongo.alive
        stack.mongo.start()

        assert stack.addresses == before
        assert await client["sudden_death"]["lots"].count_documents({}) == 20
        assert await client["sudden_death"]["ledger"].count_documents({}) == 1


async def test_a_topic_may_take_larger_records_than_the_broker_does_by_default(stack: LocalStack) -> None:
    large = bytes(3 * MIB)
    await create_topic(stack, "plain")
    await create_topic(stack, "roomy", **{"max.message.bytes": str(4 * MIB)})

    with pytest.raises(MessageSizeTooLargeError):
        await produce(stack, "plain", [large])
    await produce(stack, "roomy", [large])

    assert await consume(stack, "roomy", 1) == [large]


def test_another_process_sees_what_runs_and_a_second_start_changes_nothing(stack: LocalStack) -> None:
    other = LocalStack(stack.folder)
    assert other.status() == stack.status()
    assert all(server.alive and server.pid and server.started_at for server in other.status())

    assert other.start() == stack.addresses
    assert other.status() == stack.status()


def test_until_it_has_a_user_a_secured_database_takes_connections_of_its_own_stack_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ServerSecrets(tmp_path / "secrets")
    prepare(secrets.folder, datetime.now(UTC))
    (tmp_path / "mongo").mkdir()
    strangers: list[str] = []

    def connected(address: str, **options: Any) -> MongoClient[Any]:
        client: MongoClient[Any] = MongoClient(address, **options)
        client.admin.command("ping")
        for access in ({}, {"tls": True, "tlsCAFile": str(secrets.authorities)}):
            with MongoClient[Any](address, **access, serverSelectionTimeoutMS=500) as stranger:
                try:
                    stranger.admin.command("ping")
                except PyMongoError:
                    continue
                strangers.append(address)
        return client

    # The class of documents stands in brackets there.
    monkeypatch.setattr(mongo, "MongoClient", {dict[str, object]: connected})
    mongo.MongoKind(tmp_path / "mongo", secrets).command(1)
    assert strangers == []


def test_two_checkouts_run_side_by_side(stack: LocalStack, tmp_path: Path) -> None:
    ports = (stack.kafka.port, stack.mongo.port)
    with LocalStack(tmp_path, kafka_port=ports[0], mongo_port=ports[1]) as second:
        assert {second.kafka.port, second.mongo.port}.isdisjoint(ports)
        assert all(server.alive for server in stack.status() + second.status())


@pytest.mark.slow
def test_stop_leaves_no_process_and_can_be_repeated(tmp_path: Path) -> None:
    stack = LocalStack(tmp_path)
    stack.start()
    assert len(processes_over(tmp_path)) == 2

    stack.stop()
    stack.stop()

    assert processes_over(tmp_path) == []
    assert not any(server.alive for server in stack.status() + LocalStack(tmp_path).status())


@pytest.mark.slow
def test_two_who_start_at_once_get_one_stack(tmp_path: Path) -> None:
    stacks = [LocalStack(tmp_path), LocalStack(tmp_path)]
    try:
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(LocalStack.start, stacks)
        assert first == second
        assert len(processes_over(tmp_path)) == 2
    finally:
        for stack in stacks:
            stack.stop()
    assert processes_over(tmp_path) == []


def test_a_server_that_does_not_start_is_named_with_its_log_and_takes_the_other_one_down(
    tmp_path: Path,
) -> None:
    stack = LocalStack(tmp_path)
    data = tmp_path / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\nnode.id=7\n")

    with pytest.raises(StackError, match=r"(?s)kafka on port \d+ ended while starting.*cluster\.id was not found"):
        stack.start()

    assert processes_over(tmp_path) == []


def start_in_another_process(folder: Path, *, keep_running: bool) -> subprocess.Popen[str]:
    program = f"""
        import sys
        from pathlib import Path
        from deploy.local.stack import LocalStack
        LocalStack(Path(sys.argv[1]), keep_running={keep_running}).start()
        print("ready", flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    return parent


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_servers_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = start_in_another_process(tmp_path, keep_running=False)
    servers = [process for process in processes_over(tmp_path) if process.pid != parent.pid]
    assert len(servers) == 2

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    _, alive = psutil.wait_procs(servers, timeout=20)
    assert alive == []


@pytest.mark.slow
def test_servers_that_shall_keep_running_outlive_their_parent_until_somebody_stops_them(
    tmp_path: Path,
) -> None:
    parent = start_in_another_process(tmp_path, keep_running=True)
    parent.communicate()
    stack = LocalStack(tmp_path)
    try:
        assert all(server.alive for server in stack.status())
    finally:
        stack.stop()
    assert processes_over(tmp_path) == []


def test_a_port_taken_between_the_look_and_the_start_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = LocalStack(tmp_path)
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        looks = iter([somebody.getsockname()[1]])
        monkeypatch.setattr("deploy.local.process.free_port", lambda preferred, **_: next(looks, preferred + 100))
        stack.mongo.launch()
        assert stack.mongo.port == somebody.getsockname()[1]
        try:
            stack.mongo.wait_ready()
            assert stack.mongo.port != somebody.getsockname()[1]
        finally:
            stack.mongo.stop()
