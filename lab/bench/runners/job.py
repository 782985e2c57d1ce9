"""The input of a runner: settings from KARYA_* variables, as of a service, and a job from its one argument."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from aiokafka import TopicPartition

from lab.bench.meter import RunResult
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """Work every topic of inventory up to `ends`: full topic name, partition, offset.

    `group` names the consumer group and the database. `variant` depends on the runner.
    """

    group: str
    ends: tuple[tuple[str, int, int], ...]
    variant: str = ""

    @classmethod
    def of(cls, group: str, ends: Mapping[TopicPartition, int], variant: str = "") -> "Job":
        return cls(group, tuple((part.topic, part.partition, end) for part, end in sorted(ends.items())), variant)

    @classmethod
    def from_arguments(cls) -> tuple["Job", Settings]:
        """The job and the settings of this process."""
        fields = json.loads(sys.argv[1])
        return cls(fields["group"], tuple((t, p, e) for t, p, e in fields["ends"]), fields["variant"]), Settings()

    @property
    def argument(self) -> str:
        return json.dumps(asdict(self))

    @property
    def by_part(self) -> dict[TopicPartition, int]:
        return {TopicPartition(topic, partition): end for topic, partition, end in self.ends}

    @property
    def events(self) -> int:
        return sum(end for _, _, end in self.ends)


def print_result(result: RunResult) -> None:
    """Print the result of this process for the bench."""
    # The original stdout: a framework may have replaced `sys.stdout`.
    print(result.line(), file=sys.__stdout__, flush=True)
