"""What the services declare of their topics."""

from collections import Counter

import pytest

from deploy.topics import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_processors_of_a_service_read_one_topic(service: str) -> None:
    """They share the ledger, so the second one would take each event for a duplicate."""
    read = Counter(topic.name for processor in SERVICES[service] for topic in processor.topics)
    assert [name for name, readers in read.items() if readers > 1] == []
