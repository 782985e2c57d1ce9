"""The rules of business need no package that must be installed: import-linter can forbid packages by name only."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAINS = sorted(ROOT.glob("services/*/domain"))
OURS = {"services", "shared"}


def foreign(source: str) -> set[str]:
    """The packages that it imports and that are neither ours nor Python's own."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module.partition(".")[0])
    return modules - OURS - sys.stdlib_module_names


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.parent.name)
def test_a_domain_needs_nothing_installed(domain: Path) -> None:
    files = list(domain.rglob("*.py"))
    assert files
    assert {file.name: modules for file in files if (modules := foreign(file.read_text()))} == {}


def test_every_service_has_a_domain() -> None:
    assert {domain.parent.name for domain in DOMAINS} == {"production", "inventory", "festival", "sales"}


@pytest.mark.parametrize(
    "line", ["from pydantic import BaseModel", "import pymongo.errors", "def f():\n    import httpx"]
)
def test_a_foreign_package_is_found(line: str) -> None:
    assert len(foreign(line)) == 1
