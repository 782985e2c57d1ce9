"""Fetches the jars of Apache Kafka by the checksum file beside this module.

`python -m deploy.local.jars` fetches missing jars. With `--lock` it resolves the coordinates again and rewrites the
checksum file.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import requests
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

LOCK = Path(__file__).with_name("kafka-jars.sha256")
FOLDER = Path(__file__).parents[2] / ".karya" / "kafka-jars"

# The log binding's version must be that of the log4j-api which this Kafka brings.
KAFKA = "org.apache.kafka:kafka_2.13:4.1.2"
LOG_BINDING = ("org.apache.logging.log4j", "log4j-slf4j-impl")

ATTEMPTS = 5
REQUEST_SECONDS = 30
FIRST_PAUSE_SECONDS = 0.5
DOWNLOADS_AT_ONCE = 8


class JarError(Exception):
    """A jar could not be fetched, or differs from its committed checksum."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked file: its place in a Maven repository and its SHA-256 in hex."""

    path: PurePosixPath
    sha256: str

    @property
    def name(self) -> str:
        return self.path.name

    def download(self, cache: Path) -> Path:
        """Download the jar into a Maven repository cache. Raises JarError when its checksum differs."""
        *group, artifact, version, _ = self.path.parts
        maven = MavenContext(repo_cache=cache, local_repos=[], timeout=REQUEST_SECONDS)
        try:
            file: Path = maven.project(".".join(group), artifact).at_version(version).artifact().resolve()
        except RuntimeError as fault:
            # The resolver raises it when no repository has the artifact.
            raise JarError(str(fault)) from fault
        if (actual := _sha256(file)) != self.sha256:
            raise JarError(f"its SHA-256 is {actual}, {LOCK.name} says {self.sha256}")
        return file


def locked() -> list[Jar]:
    """The jars of the checksum file (`sha256sum` format, names relative to a Maven repository)."""
    lines = (line.split() for line in LOCK.read_text().splitlines() if line and not line.startswith("#"))
    return [Jar(PurePosixPath(name), sha256) for sha256, name in lines]


def classpath() -> str:
    """The Java class path of the broker; raises JarError when a jar is missing."""
    jars = [FOLDER / jar.name for jar in locked()]
    if missing := [jar.name for jar in jars if not jar.exists()]:
        raise JarError(f"{len(missing)} of {len(jars)} Kafka jars are missing (first: {missing[0]}). Run: make setup")
    return ":".join(map(str, jars))


def fetch_all() -> None:
    """Make the jar folder match the checksum file: fetch missing jars, delete jars that are not listed.

    Raises JarError when a file stays unreachable or differs from its checksum.
    """
    jars = locked()
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in jars if _sha256(FOLDER / jar.name) != jar.sha256]
    if missing:
        with (
            tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix="kafka-jars-") as scratch,
            _progress(len(missing)) as progress,
            ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool,
        ):
            try:
                for done in [pool.submit(_fetch, jar, Path(scratch)) for jar in missing]:
                    done.result()
                    progress.advance(progress.task_ids[0])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    names = {jar.name for jar in jars}
    for stale in (file for file in FOLDER.iterdir() if file.name not in names):
        stale.unlink()


def _fetch(jar: Jar, scratch: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            # Each attempt has its own cache, so that a partial download is never used.
            file = jar.download(scratch / f"{jar.name}.{attempt}")
        except (requests.RequestException, JarError, OSError) as fault:
            if attempt == ATTEMPTS:
                raise JarError(f"{jar.name} could not be fetched in {ATTEMPTS} attempts: {fault}") from fault
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        else:
            file.replace(FOLDER / jar.name)
            return


def relock() -> None:
    """Resolve Kafka's runtime dependencies and rewrite the checksum file. Takes about a minute."""
    with tempfile.TemporaryDirectory() as scratch:
        maven = MavenContext(repo_cache=Path(scratch), local_repos=[], timeout=REQUEST_SECONDS)
        root, dependencies = maven.resolver.resolve([maven.create_dependency(KAFKA)])
        artifacts = [dependency.artifact for dependency in root + dependencies]
        log4j = next(artifact.version for artifact in artifacts if artifact.artifactId == "log4j-api")
        artifacts.append(maven.project(*LOG_BINDING).at_version(log4j).artifact())
        lines = [
            f"{_sha256(artifact.resolve())}  {artifact.component.path_prefix.as_posix()}/{artifact.filename}"
            for artifact in artifacts
        ]
    LOCK.write_text("\n".join(["# Made by `make lock`.", *sorted(lines, key=lambda line: line.split()[1]), ""]))


def _use_system_certificates() -> None:
    """Make downloads accept the system's certificate authorities, which a company may have added."""
    paths = ssl.get_default_verify_paths()
    folder = paths.capath if paths.capath and any(Path(paths.capath).iterdir()) else None
    if authorities := paths.cafile or folder:
        os.environ.setdefault("REQUESTS_CA_BUNDLE", authorities)


def _sha256(file: Path) -> str | None:
    if not file.exists():
        return None
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _progress(total: int) -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        progress.add_task("Kafka jars", total=total)
        yield progress


def main() -> int:
    _use_system_certificates()
    try:
        relock() if "--lock" in sys.argv[1:] else fetch_all()
    except JarError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
