"""The modules that the pages name are there. `CHANGELOG.md` and decisions may name modules of their time."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
OF_THEIR_TIME = {ROOT / "CHANGELOG.md", *(ROOT / "docs" / "decisions").glob("*.md")}
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / ".github").rglob("*.md"), *(ROOT / "docs").rglob("*.md")} - OF_THEIR_TIME
)


def missing(text: str) -> list[str]:
    """The paths of modules in backticks that do not exist. `<service>` stands for any name."""
    paths = re.findall(r"`([\w<>.-]+(?:/[\w<>.-]+)+\.py)`", text)
    return [path for path in paths if not any(ROOT.glob(re.sub(r"<\w+>", "*", path)))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_modules_that_exist(page: Path) -> None:
    assert missing(page.read_text(encoding="utf-8")) == []


def test_a_module_that_has_moved_is_noticed() -> None:
    assert missing("`shared/topics.py`, `shared/no_such.py` and `shared/events/<service>.py`") == [
        "shared/no_such.py"
    ]
    assert missing("`no_such_folder/<service>.py`") == ["no_such_folder/<service>.py"]


def test_pages_name_modules() -> None:
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    assert "`shared/runtime/step.py`" in texts["architecture.md"]
    assert "`deploy/topics.py`" in texts["CONTRIBUTING.md"]
