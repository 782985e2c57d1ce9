"""docs/events.md says what the models say."""

from pathlib import Path

import pytest

from deploy.topics import all_topics, read_topics
from docsite.reference.events import page, readers

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs" / "events.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m docsite"


def test_the_page_names_every_topic_and_event() -> None:
    text = page()
    for topic in all_topics():
        assert f"`{topic.name}`" in text
        for body in topic.bodies:
            assert f"**{body.__name__}." in text


def test_who_reads_a_topic_follows_from_the_services() -> None:
    services = {"production", "inventory", "festival", "sales", "identity", "gateway"}
    by_services = {topic.name for topic in all_topics() if set(readers(topic)) & services}
    assert by_services == read_topics()
