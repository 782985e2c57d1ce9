"""What is generated from code is as the code would write it now."""

import re

import pytest

from deploy.topics import writers
from docsite.generated import DOCS, GENERATED
from docsite.pictures import flow
from docsite.reference import commands, events
from shared.settings import Settings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == GENERATED[name](), "run `python -m docsite`"


def test_the_page_of_settings_names_every_variable() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(KARYA_\w+)`", text, re.MULTILINE) == [
        f"KARYA_{name.upper()}" for name in Settings.model_fields
    ]


def test_the_page_of_commands_has_a_section_for_each_row_of_its_table() -> None:
    text = commands.page()
    rows = re.findall(r"^\| \[`(karya [^`]+)`\]\(#([^)]+)\)", text, re.MULTILINE)
    assert len(rows) > 50
    for path, anchor in rows:
        assert f"\n## {path}\n" in text
        assert anchor == path.replace(" ", "-")


@pytest.mark.parametrize("shown", flow.FLOWS, ids=lambda shown: f"{shown.source}-{shown.target}")
def test_an_arrow_of_the_flow_is_a_topic_that_its_ends_write_and_read(shown: flow.Flow) -> None:
    assert set(shown.events) <= set(shown.topic.bodies)
    assert writers().get(shown.topic.name, shown.source) == shown.source
    assert shown.target in {reader.removesuffix(",") for reader in events.readers(shown.topic)}
