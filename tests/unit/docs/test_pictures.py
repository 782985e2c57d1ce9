"""The pictures of pages in the documentation: small, made by the command, and each shown somewhere."""

import re
from pathlib import Path

from docsite.generated import DOCS
from docsite.screens.camera import SHOWN
from docsite.screens.devices import SHOWN as OF_DEVICES

MOST_BYTES = 1_500_000
README = DOCS.parent / "README.md"


def shown_in(page: Path) -> set[str]:
    return set(re.findall(r"pictures/([\w-]+\.webp)", page.read_text(encoding="utf-8")))


def test_the_command_makes_every_picture_and_each_is_shown() -> None:
    kept = {path.name for path in (DOCS / "pictures").iterdir()}
    assert kept == {*(shown.file for shown in SHOWN), *OF_DEVICES.values()}
    assert kept == set().union(*map(shown_in, [README, *DOCS.rglob("*.md")]))


def test_all_pictures_are_small_together() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "pictures").iterdir()) < MOST_BYTES


def test_a_reader_of_the_first_page_sees_three_of_them() -> None:
    first_screen = README.read_text(encoding="utf-8").split("## Try it")[0]
    assert len(set(re.findall(r"docs/pictures/[\w-]+\.webp", first_screen))) >= 3
