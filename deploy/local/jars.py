"""Fetches jars by a checksum file: those of the Apache Kafka broker, and other sets by the same way.

`python -m deploy.local.jars` fetches the broker's missing jars. With `--lock` it resolves the coordinates again and
rewrites the checksum file.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import requests
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

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
        maven = _maven(cache)
        try:
            file: Path = maven.project(".".join(group), artifact).at_version(version).artifact().resolve()
        except RuntimeError as fault:
            # The resolver raises it when no repository has the artifact.
            raise JarError(str(fault)) from fault
        if (actual := _sha256(file)) != self.sha256:
            raise JarError(f"its SHA-256 is {actual}, locked is {self.sha256}")
        return file


@dataclass(frozen=True, slots=True)
class JarSet:
    """The jars of the checksum file `lock`, kept in `folder`; the make target `target` fetches them."""

    lock: Path
    folder: Path
    target: str

    def jars(self) -> list[Jar]:
        """The jars of the checksum file (`sha256sum` format, names relative to a Maven repository)."""
        lines = (line.split() for line in self.lock.read_text().splitlines() if line and not line.startswith("#"))
        return [Jar(PurePosixPath(name), sha256) for sha256, name in lines]

    def classpath(self) -> str:
        """The Java class path of all of them; raises JarError when one is missing."""
        jars = [self.folder / jar.name for jar in self.jars()]
        if missing := [jar.name for jar in jars if not jar.exists()]:
            raise JarError(
                f"{len(missing)} of {len(jars)} jars are missing (first: {missing[0]}). Run: make {self.target}"
            )
        return ":".join(map(str, jars))

    def fetch(self) -> None:
        """Make the folder match the checksum file: fetch missing jars, delete jars that are not listed.

        Raises JarError when a file stays unreachable or differs from its checksum.
        """
        jars = self.jars()
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = [jar for jar in jars if _sha256(self.folder / jar.name) != jar.sha256]
        if missing:
            with (
                tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=f"{self.folder.name}-") as scratch,
                _progress(len(missing)) as progress,
                ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool,
            ):
                try:
                    for done in [pool.submit(self._fetch, jar, Path(scratch)) for jar in missing]:
                        done.result()
                        progress.advance(progress.task_ids[0])
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
        names = {jar.name for jar in jars}
        for stale in (file for file in self.folder.iterdir() if file.name not in names):
            stale.unlink()

    def _fetch(self, jar: Jar, scratch: Path) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # Each attempt has its own cache, so that a partial download is never used.
                file = jar.download(scratch / f"{jar.name}.{attempt}")
            except (requests.RequestException, JarError, OSError) as fault:
                if attempt == ATTEMPTS:
                    raise JarError(f"{jar.name} could not be fetched in {ATTEMPTS} attempts: {fault}") from fault
                time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            else:
                file.replace(self.folder / jar.name)
                return

    def relock(self, coordinates: Sequence[str], besides: Collection[str] = ()) -> None:
        """Resolve the runtime dependencies of these coordinates, and rewrite the checksum file without the files
        named in `besides`. Takes about a minute."""
        with tempfile.TemporaryDirectory() as scratch:
            maven = _maven(Path(scratch))
            artifacts: dict[str, Any] = {}
            for coordinate in coordinates:
                roots, dependencies = maven.resolver.resolve([maven.create_dependency(coordinate)])
                for dependency in roots + dependencies:
                    artifacts[dependency.artifact.filename] = dependency.artifact
            log4j = next((a.version for a in artifacts.values() if a.artifactId == "log4j-api"), None)
            if log4j is not None:
                binding = maven.project(*LOG_BINDING).at_version(log4j).artifact()
                artifacts[binding.filename] = binding
            lines = [
                f"{_sha256(artifact.resolve())}  {artifact.component.path_prefix.as_posix()}/{artifact.filename}"
                for name, artifact in artifacts.items()
                if name not in besides
            ]
        self.lock.write_text(
            "\n".join(["# Made by `make lock`.", *sorted(lines, key=lambda line: line.split()[1]), ""])
        )


BROKER = JarSet(Path(__file__).with_name("kafka-jars.sha256"), FOLDER, "setup")


def run(jars: JarSet, coordinates: Sequence[str], besides: Callable[[], Collection[str]] = tuple) -> int:
    """Fetch these jars, or lock them anew when the program's argument is `--lock`. Returns its exit code."""
    _use_system_certificates()
    try:
        jars.relock(coordinates, besides()) if "--lock" in sys.argv[1:] else jars.fetch()
    except JarError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _maven(cache: Path) -> MavenContext:
    return MavenContext(repo_cache=cache, local_repos=[], timeout=REQUEST_SECONDS)


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
        progress.add_task("jars", total=total)
        yield progress


if __name__ == "__main__":
    sys.exit(run(BROKER, [KAFKA]))
