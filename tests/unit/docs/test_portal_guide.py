"""The portal's guide names each command of organisers, beside the page on which it can be given."""

import re
from pathlib import Path

import pytest

from cli.festival import COMMANDS

pytestmark = pytest.mark.unit

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "portal.md"


def test_every_command_of_organisers_has_a_page() -> None:
    table = GUIDE.read_text().partition("### Pages and commands")[2].partition("\n## ")[0]
    cells = [line.rpartition(" | ")[2] for line in table.splitlines() if line.startswith("| ")]
    named = {words.removeprefix("karya festival ") for cell in cells for words in re.findall(r"`([^`]+)`", cell)}
    assert COMMANDS.keys() - {name.partition(" --")[0] for name in named} == set()
