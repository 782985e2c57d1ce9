"""The stack in two containers: Apache Kafka in KRaft mode, and MongoDB as a replica set of one member."""

import asyncio
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import ExecWaitStrategy, LogMessageWaitStrategy

from deploy.local.stack import Addresses, StackError
from shared.retry import attempts

# The same Kafka as the local stack's.
KAFKA_IMAGE = "apache/kafka:4.1.2"
MONGO_IMAGE = "mongo:8.0.17"

PING_SECONDS = 3
START_SECONDS = 120

OUTSIDE_PORT = 9092
INSIDE_PORT = 19092
CONTROLLER_PORT = 19093
MONGO_PORT = 27017
SCRIPT = "/tmp/start-kafka.sh"

# All errors of Docker, its engine, or a container that fails to start.
FAULTS = (DockerException, KafkaError, OSError, RuntimeError)
INSTEAD = "KARYA_STACK=local runs the servers as local processes instead."

# Properties of a single broker, spelled as variables of its image.
KAFKA_ALONE = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_INTER_BROKER_LISTENER_NAME": "INSIDE",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_DEFAULT_REPLICATION_FACTOR": "1",
    "KAFKA_MIN_INSYNC_REPLICAS": "1",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    "KAFKA_REPLICA_FETCH_MAX_BYTES": "4194304",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_HEAP_OPTS": "-Xmx512m",
}


def engine_answers() -> bool:
    """Whether a Docker engine answers within three seconds."""
    try:
        with closing(DockerClient(timeout=PING_SECONDS).client) as client:
            return bool(client.ping())
    except FAULTS:
        return False


@contextmanager
def running() -> Iterator[Addresses]:
    """Start both containers, yield their addresses, and remove the containers with their data afterwards.

    Raises StackError when no engine answers, an image is not available, or a server does not start.
    """
    with ExitStack() as started:
        try:
            mongo, kafka = mongo_container(), kafka_container()
            for container in (mongo, kafka):
                started.callback(container.stop)
                container.start()
            endpoint = mongo.get_container_host_ip(), mongo.get_exposed_port(MONGO_PORT)
            addresses = Addresses(_start_kafka(kafka), mongo_address(*endpoint))
        except FAULTS as fault:
            raise StackError(f"No stack in containers: {fault}. {INSTEAD}") from fault
        yield addresses


def kafka_container() -> DockerContainer:
    """A broker container, not started. Once started, it waits for a script with its outside address."""
    waits = f"until [ -f {SCRIPT} ]; do sleep 0.1; done; exec bash {SCRIPT}"
    container = DockerContainer(KAFKA_IMAGE).with_command(["bash", "-c", waits]).with_exposed_ports(OUTSIDE_PORT)
    return container.with_envs(**kafka_environment(cluster=_new_cluster_id()))


def kafka_environment(cluster: str) -> dict[str, str]:
    """The variables of the broker that do not depend on its outside port."""
    listeners = {"INSIDE": INSIDE_PORT, "OUTSIDE": OUTSIDE_PORT, "CONTROLLER": CONTROLLER_PORT}
    return {
        **KAFKA_ALONE,
        "CLUSTER_ID": cluster,
        "KAFKA_LISTENERS": ",".join(f"{name}://:{port}" for name, port in listeners.items()),
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@localhost:{CONTROLLER_PORT}",
        # Tests kill consumers and must not wait long for the end of their sessions.
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
    }


def start_script(host: str, port: int) -> str:
    """The start script of the waiting container, with the address of its mapped outside port."""
    listeners = f"INSIDE://localhost:{INSIDE_PORT},OUTSIDE://{host}:{port}"
    return f"export KAFKA_ADVERTISED_LISTENERS={listeners}\nexec /etc/kafka/docker/run\n"


def mongo_container() -> DockerContainer:
    """A MongoDB container, not started. Its start waits until the replica set has a primary."""
    ready = ExecWaitStrategy(["mongosh", "--quiet", "--eval", initiate_script(f"localhost:{MONGO_PORT}")])
    return (
        DockerContainer(MONGO_IMAGE)
        .with_command(["mongod", "--replSet", "rs0", "--bind_ip_all"])
        .with_exposed_ports(MONGO_PORT)
        .waiting_for(ready.with_startup_timeout(START_SECONDS))
    )


def initiate_script(member: str) -> str:
    """A mongosh script: initiates a replica set of one member (once); exit code 0 when it accepts writes."""
    return (
        "try { rs.status() } "
        f"catch (fault) {{ rs.initiate({{_id: 'rs0', members: [{{_id: 0, host: '{member}'}}]}}) }} "
        "quit(db.hello().isWritablePrimary ? 0 : 1)"
    )


def mongo_address(host: str, port: int) -> str:
    # Direct: the member is known to itself only under its name inside the container.
    return f"mongodb://{host}:{port}/?directConnection=true"


def _start_kafka(kafka: DockerContainer) -> str:
    """Start the waiting broker, wait until it serves, and return its address."""
    host, port = kafka.get_container_host_ip(), kafka.get_exposed_port(OUTSIDE_PORT)
    kafka.copy_into_container(start_script(host, port).encode(), SCRIPT)
    LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(START_SECONDS).wait_until_ready(kafka)
    # In a separate thread, since the caller may run inside an event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, wait_for_coordinator(f"{host}:{port}")).result()
    return f"{host}:{port}"


async def wait_for_coordinator(address: str) -> None:
    """Wait until the broker accepts consumer groups, whose topic is created only after its start.

    Raises KafkaError when the broker can't be reached, TimeoutError after two minutes.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        async for _ in attempts(within=START_SECONDS):
            with suppress(GroupCoordinatorNotAvailableError):
                await admin.list_consumer_group_offsets("karya-is-kafka-ready")
                return
        raise TimeoutError(f"Kafka at {address} accepts no consumer groups after {START_SECONDS} s")
    finally:
        await admin.close()


def _new_cluster_id() -> str:
    # Lanes store the id of their cluster, so two clusters must never have one id.
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
