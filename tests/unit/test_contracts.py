"""Each contract on imports turns red when what it forbids is planted in a copy of the tree."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("cli", "deploy", "docsite", "edge", "lab", "ops", "services", "shared")
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"

PLANTED = [
    ("shared/kafka.py", "import services.sales", "No circle between the top folders"),
    ("ops/dlq.py", "import lab.chaos", "No circle between the top folders"),
    ("services/sales/store.py", "import tests.support.place", "Nothing that runs knows the tests"),
    ("services/sales/store.py", "import services.inventory.domain", "A service knows the published language"),
    ("services/sales/domain/receipt.py", "import services.sales.store", "The rooms of a service"),
    ("services/sales/domain/receipt.py", "import services.sales.handlers", "The rooms of a service"),
    ("services/sales/domain/receipt.py", "import services.sales.api", "The rooms of a service"),
    ("services/sales/domain/receipt.py", "import services.sales.app", "The rooms of a service"),
    ("services/production/domain/catalogue.py", "import services.production.reference", "The rooms of a service"),
    ("services/production/store.py", "import services.production.reference", "The rooms of a service"),
    ("services/production/reference.py", "import services.production.handlers", "The rooms of a service"),
    ("services/production/prices.py", "", "The rooms of a service"),
    ("services/production/reference.py", "import services.sales.domain", "A service knows the published language"),
    ("services/sales/domain/receipt.py", "import services.sales", "The rules of business know no package"),
    ("services/sales/domain/__init__.py", "import services", "The rules of business know no package"),
    ("services/sales/__init__.py", "import services.sales.domain.receipt", "The package of a service"),
    ("services/sales/__init__.py", "import shared.runtime.processor", "The package of a service"),
    ("services/__init__.py", "import services.inventory", "The package of a service"),
    ("services/sales/domain/receipt.py", "import shared.mongo", "The rules of business stand on the language"),
    (
        "services/festival/domain/planning/max_min.py",
        "import services.festival.domain.allocation",
        "The rules of festival",
    ),
    ("services/festival/domain/line.py", "import services.festival.domain.booth", "No circle between rooms"),
    ("shared/events/ids.py", "import shared.envelope", "The language knows nothing of the shell"),
    ("services/sales/store.py", "import pymongo", "No module of a service or device meets clients"),
    ("services/sales/app.py", "import shared.kafka", "No module of a service or device meets clients"),
    ("services/production/reference.py", "import shared.mongo", "No module of a service or device meets clients"),
    ("services/sales/__init__.py", "import aiokafka", "No module of a service or device meets clients"),
    ("edge/till/till.py", "import faststream", "No module of a service or device meets clients"),
    ("shared/runtime/state.py", "import shared.http.problems", "The shell knows nothing of HTTP"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the contracts cover."""
    root = tmp_path_factory.mktemp("tree")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests" / "support").mkdir(parents=True)
    for module in ("tests/__init__.py", "tests/support/__init__.py", "tests/support/place.py"):
        (root / module).touch()
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT], cwd=tree, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_a_planted_import_or_module_breaks_its_contract(tree: Path, file: str, line: str, contract: str) -> None:
    path = tree / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        linted = lint(tree)
    finally:
        path.unlink() if before is None else path.write_text(before)
    broken = [sentence for sentence in linted.stdout.splitlines() if " BROKEN" in sentence]
    assert any(sentence.startswith(contract) for sentence in broken), linted.stdout


def test_the_tree_as_it_is_keeps_every_contract(tree: Path) -> None:
    linted = lint(tree)
    assert linted.returncode == 0, linted.stdout
