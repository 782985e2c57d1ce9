import re
from dataclasses import replace

import pytest

from deploy.local import jars

pytestmark = pytest.mark.unit


def test_the_lock_names_each_jar_once_with_a_full_checksum() -> None:
    locked = jars.BROKER.jars()
    assert len({jar.name for jar in locked}) == len(locked)
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in locked)
    assert all(jar.name == f"{jar.path.parts[-3]}-{jar.path.parts[-2]}.jar" for jar in locked)


def test_the_lock_holds_the_broker_that_the_coordinates_ask_for_and_its_log_binding() -> None:
    group, artifact, version = jars.KAFKA.split(":")
    paths = {str(jar.path) for jar in jars.BROKER.jars()}
    assert f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar" in paths
    versions = {jar.path.parts[-3]: jar.path.parts[-2] for jar in jars.BROKER.jars()}
    assert versions[jars.LOG_BINDING[1]] == versions["log4j-api"] == versions["log4j-core"]


def test_missing_jars_are_named_together_with_what_to_do(tmp_path) -> None:
    with pytest.raises(jars.JarError, match=r"jars are missing .*make setup"):
        replace(jars.BROKER, folder=tmp_path).classpath()


def test_a_file_that_differs_from_its_checksum_is_refused_and_never_put_in_place(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(jars, "ATTEMPTS", 1)
    jar = jars.Jar(jars.PurePosixPath("org/example/thing/1.0/thing-1.0.jar"), "0" * 64)
    cached = tmp_path / f"{jar.name}.1" / jar.path
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"something else")
    with pytest.raises(jars.JarError, match=r"thing-1\.0\.jar .* SHA-256 is .* locked is 000"):
        replace(jars.BROKER, folder=tmp_path / "jars")._fetch(jar, tmp_path)
    assert not (tmp_path / "jars").exists()
