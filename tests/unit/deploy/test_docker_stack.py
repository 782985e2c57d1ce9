"""The containers as an engine is asked for them; no engine runs here."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from deploy import docker_stack
from deploy.local import jars
from deploy.local.stack import Addresses, StackError
from tests.support.docker_engine import Engine, an_engine

MAPPED = {"9092": 40001, "27017": 40002}


@pytest.fixture(autouse=True)
def plain_testcontainers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No container that cleans up after others, and no guess whether these tests run in a container."""
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with an_engine(mapped=MAPPED) as engine:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{engine.port}")
        yield engine


@pytest.fixture
def asked_coordinators(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which brokers were asked whether they take groups; there are none."""
    addresses: list[str] = []

    async def wait_for_coordinator(address: str) -> None:
        addresses.append(address)

    monkeypatch.setattr(docker_stack, "wait_for_coordinator", wait_for_coordinator)
    return addresses


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A port that nobody listens on, and nobody else can take."""
    with socket.socket() as bound_socket:
        bound_socket.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{bound_socket.getsockname()[1]}")
        yield


def environment(created: dict[str, Any]) -> dict[str, str]:
    return dict(variable.split("=", 1) for variable in created["Env"])


def test_an_engine_is_seen(engine: Engine) -> None:
    assert docker_stack.engine_answers()


def test_no_engine_is_no_error(no_engine: None) -> None:
    assert not docker_stack.engine_answers()


def test_containers_without_an_engine_are_refused_with_a_way_out(no_engine: None) -> None:
    with pytest.raises(StackError, match="KARYA_STACK=local"), docker_stack.running():
        pass


def test_both_servers_run_as_long_as_the_block(engine: Engine, asked_coordinators: list[str]) -> None:
    with docker_stack.running() as addresses:
        assert addresses == Addresses("127.0.0.1:40001", "mongodb://127.0.0.1:40002/?directConnection=true")
        assert asked_coordinators == ["127.0.0.1:40001"]
        assert engine.removed == []

    assert {created["Image"] for created in engine.created} == {docker_stack.KAFKA_IMAGE, docker_stack.MONGO_IMAGE}
    assert sorted(engine.removed) == ["c1", "c2"]


def test_the_broker_learns_the_address_that_the_outside_sees(engine: Engine, asked_coordinators: list[str]) -> None:
    with docker_stack.running():
        pass
    kafka = next(created for created in engine.created if created["Image"] == docker_stack.KAFKA_IMAGE)
    script = engine.copied[f"c{engine.created.index(kafka) + 1}:{docker_stack.SCRIPT}"]

    assert "KAFKA_ADVERTISED_LISTENERS=INSIDE://localhost:19092,OUTSIDE://127.0.0.1:40001\n" in script
    assert script.endswith("exec /etc/kafka/docker/run\n")
    assert docker_stack.SCRIPT in kafka["Cmd"][-1]
    assert list(kafka["ExposedPorts"]) == ["9092/tcp"]


def test_every_listener_of_the_broker_is_told_in_every_place() -> None:
    environment = docker_stack.kafka_environment("cluster")
    listeners = {part.split("://")[0] for part in environment["KAFKA_LISTENERS"].split(",")}
    protocols = {part.split(":")[0] for part in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")}
    advertised = {part.split("=")[-1].split("://")[0] for part in docker_stack.start_script("h", 1).split(",")}

    assert listeners == protocols == advertised | {environment["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    assert environment["KAFKA_INTER_BROKER_LISTENER_NAME"] in advertised
    assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"].endswith(environment["KAFKA_LISTENERS"].rsplit(":", 1)[1])


def test_each_broker_is_a_cluster_of_its_own(engine: Engine) -> None:
    clusters = {docker_stack.kafka_container().env["CLUSTER_ID"] for _ in range(20)}
    assert len(clusters) == 20
    assert {len(cluster) for cluster in clusters} == {22}


def test_mongo_is_a_replica_set_before_it_is_used(engine: Engine, asked_coordinators: list[str]) -> None:
    with docker_stack.running():
        mongo = next(created for created in engine.created if created["Image"] == docker_stack.MONGO_IMAGE)
        assert mongo["Cmd"][:3] == ["mongod", "--replSet", "rs0"]
        assert engine.executed == [["mongosh", "--quiet", "--eval", docker_stack.initiate_script("localhost:27017")]]


def test_a_server_that_ends_while_starting_is_an_error_and_leaves_nothing_behind(engine: Engine) -> None:
    engine.status = "exited"
    with pytest.raises(StackError, match="No stack in containers"), docker_stack.running():
        pass
    assert len(engine.removed) == len(engine.created) > 0


def test_containers_and_processes_are_the_same_kafka() -> None:
    assert docker_stack.KAFKA_IMAGE.split(":")[1] == jars.KAFKA.rsplit(":", 1)[1]
