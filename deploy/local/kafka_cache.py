"""Makes Java's cache of a broker's classes: with it a broker starts with half the work.

`python -m deploy.local.kafka_cache` starts a broker once for it. Java takes no notice of a cache that was made by
another Java or of other jars.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.kafka import CACHE, PREFERRED_PORT, KafkaKind
from deploy.local.server import Server, StackError

# Java writes the cache when the broker has ended.
END_SECONDS = 120


@dataclass(frozen=True, slots=True)
class RecordedKafka(KafkaKind):
    """A broker that writes a cache of what it loads."""

    cache: Path = CACHE

    def command(self, port: int) -> list[str]:
        # Not KafkaKind's by `super()`: a dataclass with slots is made anew, and is another class than the one named.
        java, *others = KafkaKind.command(self, port)
        return [java, f"-XX:AOTCacheOutput={self.cache}", *others]


def make(cache: Path = CACHE) -> None:
    """Make the cache anew. Raises StackError when the broker does not start, or does not end in time."""
    cache.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent, prefix="kafka-cache-") as scratch:
        new = Path(scratch) / cache.name
        server = Server(
            RecordedKafka(Path(scratch), cache=new), port=PREFERRED_PORT, tied=True, on_change=lambda: None
        )
        try:
            server.start()
            assert server.pid is not None
            broker = psutil.Process(server.pid)
            broker.terminate()
            broker.wait(END_SECONDS)
        except psutil.TimeoutExpired:
            raise StackError(f"the broker did not end within {END_SECONDS} s") from None
        finally:
            server.kill()
        if not new.exists():
            raise StackError(f"Java wrote no cache:\n{server.log.read_text()[-2000:]}")
        new.replace(cache)


def main() -> None:
    try:
        make()
    except StackError as error:
        print(f"Kafka will start more slowly, without a cache of its classes: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
