"""The peer in Java is of the broker's release, and is left out with a reason where it can't run."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import jars
from lab.bench.peers import kafka_streams

pytestmark = pytest.mark.unit


def test_its_libraries_are_of_the_brokers_release_and_none_is_locked_twice() -> None:
    locked = {jar.path.parts[-3]: jar.path.parts[-2] for jar in kafka_streams.LIBRARIES.jars()}
    assert locked["kafka-streams"] == jars.KAFKA.rsplit(":", 1)[1]
    assert {"rocksdbjni", "mongodb-driver-sync", "mongodb-driver-core", "bson"} <= locked.keys()
    assert not {jar.name for jar in kafka_streams.LIBRARIES.jars()} & {jar.name for jar in jars.BROKER.jars()}
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in kafka_streams.LIBRARIES.jars())


@pytest.mark.parametrize(
    ("jdk", "reason"), [(0, "needs a JDK of version 17 or newer"), (11, "needs a JDK"), (17, "jars are missing")]
)
def test_it_says_what_it_lacks(jdk: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_streams, "jdk_version", lambda: jdk)
    monkeypatch.setattr(kafka_streams, "LIBRARIES", replace(kafka_streams.LIBRARIES, folder=tmp_path))
    assert reason in kafka_streams.lacks()


def test_without_a_compiler_there_is_no_jdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert kafka_streams.jdk_version() == 0
