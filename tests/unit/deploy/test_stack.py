from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy import docker_stack
from deploy.local.stack import Addresses, LocalStack, StackError
from deploy.stack import Stack, StackKind, choose_kind, choose_stack


def answers() -> bool:
    return True


def is_silent() -> bool:
    return False


@pytest.mark.parametrize("requested", [None, ""])
def test_without_a_wish_containers_are_taken_where_an_engine_answers(requested: str | None) -> None:
    assert choose_kind(requested, answers) is StackKind.DOCKER
    assert choose_kind(requested, is_silent) is StackKind.LOCAL


@pytest.mark.parametrize("kind", StackKind)
def test_a_wish_counts_and_no_engine_is_asked(kind: StackKind) -> None:
    def refuse_request() -> bool:
        raise AssertionError("an engine was asked")

    assert choose_kind(kind.value, refuse_request) is kind


def test_a_word_that_is_no_kind_is_answered_with_those_that_are() -> None:
    with pytest.raises(StackError, match=r"'podman'.*local, docker, external"):
        choose_kind("podman", answers)


def test_an_external_stack_is_where_the_settings_say_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KARYA_STACK", "external")
    monkeypatch.setenv("KARYA_KAFKA", "kafka.example:9092")
    monkeypatch.setenv("KARYA_MONGO", "mongodb://mongo.example/?replicaSet=rs0")

    with choose_stack(tmp_path / "stack") as stack:
        assert stack == Stack("kafka.example:9092", "mongodb://mongo.example/?replicaSet=rs0")

    assert not (tmp_path / "stack").exists()


def test_the_argument_counts_more_than_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KARYA_STACK", "local")
    monkeypatch.setenv("KARYA_KAFKA", "kafka.example:9092")
    with choose_stack(tmp_path / "stack", "external") as stack:
        assert stack.kafka == "kafka.example:9092"


def test_containers_run_as_long_as_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = []

    @contextmanager
    def running() -> Iterator[Addresses]:
        events.append("started")
        yield Addresses("127.0.0.1:1", "mongodb://127.0.0.1:2")
        events.append("removed")

    monkeypatch.setattr(docker_stack, "running", running)
    monkeypatch.setattr(docker_stack, "engine_answers", answers)
    monkeypatch.delenv("KARYA_STACK", raising=False)

    with choose_stack(tmp_path) as stack:
        assert stack == Stack("127.0.0.1:1", "mongodb://127.0.0.1:2")
        assert events == ["started"]
    assert events == ["started", "removed"]


def test_local_servers_are_handed_over_and_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = []
    monkeypatch.setattr(LocalStack, "start", lambda _: events.append("started"))
    monkeypatch.setattr(LocalStack, "stop", lambda _: events.append("stopped"))

    with choose_stack(tmp_path, "local") as stack:
        assert stack.local is not None
        assert (stack.kafka, stack.mongo) == (stack.local.addresses.kafka, stack.local.addresses.mongo)
        assert events == ["started"]
    assert events == ["started", "stopped"]


def test_an_open_stack_takes_no_credentials_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for server in ("KAFKA", "MONGO"):
        monkeypatch.setenv(f"KARYA_{server}_CREDENTIALS", "/secrets/operator")
        monkeypatch.setenv(f"KARYA_{server}_CA", "/secrets/authorities.pem")
    settings = Addresses("127.0.0.1:1", "mongodb://127.0.0.1:2").settings()
    found = (settings.kafka_credentials, settings.kafka_ca, settings.mongo_credentials, settings.mongo_ca)
    assert found == (None, None, None, None)
