"""Who may import whom, read from the source: services know the published language and nothing of each other."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
STEP_MOST_LINES = 400

# What a rule of business may stand on. Of the standard library all that gives the same answer at every replay.
PURE_ROOTS = ("shared.events", "shared.runtime.state", "shared.runtime.family")
IMPURE = {
    *("asyncio", "concurrent", "io", "logging", "multiprocessing", "os", "pathlib", "queue", "random", "secrets"),
    *("select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time"),
}
CLOCKS = {"now", "utcnow", "today"}
CLIENTS = ("aiokafka", "faststream", "motor", "pymongo", "shared.kafka.producer", "shared.mongo.Mongo")


@dataclass(frozen=True, slots=True)
class Import:
    """`importer` takes `imported` (a module, or a name in one); both dotted."""

    importer: str
    imported: str

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the project below `root`, by its dotted name."""
    for package in ("cli", "deploy", "edge", "ops", "services", "shared"):
        for file in sorted((root / package).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            name = parts[:-1] if parts[-1] == "__init__" else parts
            # A relative import counts from the package, which an __init__ is itself.
            yield ".".join(name), _absolute(ast.parse(file.read_text()), ".".join(parts[:-1]))


def _absolute(tree: ast.Module, package: str) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            node.module, node.level = ".".join([*above, *filter(None, [node.module])]), 0
    return tree


def imports(root: Path) -> Iterator[Import]:
    for name, tree in modules(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (Import(name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (Import(name, f"{node.module}.{alias.name}") for alias in node.names)


def is_below(name: str, *roots: str) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def service_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "services" and len(parts) > 1 else None


def domain_of(name: str) -> str | None:
    """The domain that a module belongs to, e.g. `services.sales.domain`."""
    parts = name.split(".")
    return ".".join(parts[:3]) if service_of(name) and parts[2:3] == ["domain"] else None


def a_service_imports_no_other(one: Import) -> bool:
    other = service_of(one.imported)
    return service_of(one.importer) is not None and other is not None and other != service_of(one.importer)


def nothing_that_runs_imports_what_deploys(one: Import) -> bool:
    return is_below(one.importer, "edge", "services", "shared") and is_below(one.imported, "deploy", "tests")


def shared_imports_no_service(one: Import) -> bool:
    return is_below(one.importer, "shared") and is_below(one.imported, "services")


def a_domain_stands_on_the_language_alone(one: Import) -> bool:
    domain = domain_of(one.importer)
    if domain is None or is_below(one.imported, domain, *PURE_ROOTS):
        return False
    package = one.imported.split(".")[0]
    return package not in sys.stdlib_module_names or package in IMPURE


def only_the_wiring_and_shared_meet_clients(one: Import) -> bool:
    wiring = one.importer.split(".")[-1] == "app"
    inner = service_of(one.importer) is not None or (is_below(one.importer, "edge") and one.importer != "edge.sync")
    return inner and not wiring and is_below(one.imported, *CLIENTS)


RULES: list[Callable[[Import], bool]] = [
    a_service_imports_no_other,
    nothing_that_runs_imports_what_deploys,
    shared_imports_no_service,
    a_domain_stands_on_the_language_alone,
    only_the_wiring_and_shared_meet_clients,
]


def broken(rule: Callable[[Import], bool], root: Path) -> list[str]:
    """Every import below `root` that breaks the rule."""
    return [str(one) for one in imports(root) if rule(one)]


def clocks_in_domains(root: Path) -> list[str]:
    """Calls that ask what time it is: time comes in with the event."""
    return [
        f"{name} line {node.lineno} asks for {node.func.attr}()"
        for name, tree in modules(root)
        if domain_of(name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS
    ]


def faults_of_step(source: str) -> list[str]:
    """What makes the step hard to read: too many lines, or numbered parts that are not found beside the code."""
    parts = re.findall(r"\b(\d)\. [A-Z]{4,}", ast.get_docstring(ast.parse(source)) or "")
    faults = [f"part {part} is not beside the code" for part in parts if not re.search(rf"# {part}\.", source)]
    if not parts:
        faults.append("no numbered parts")
    if (lines := len(source.splitlines())) >= STEP_MOST_LINES:
        faults.append(f"{lines} lines")
    return faults


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps(rule: Callable[[Import], bool]) -> None:
    assert broken(rule, ROOT) == []


def test_no_domain_has_a_clock() -> None:
    assert clocks_in_domains(ROOT) == []


def test_the_walk_sees_the_whole_project() -> None:
    seen = {name for name, _ in modules(ROOT)}
    assert {"shared.runtime.step", "services.inventory", "services.inventory.domain.lot", "deploy.topics"} <= seen
    assert Import("services.inventory.app", "shared.runtime.service.Service") in set(imports(ROOT))


def test_the_step_can_be_read_in_one_sitting() -> None:
    assert faults_of_step((ROOT / "shared" / "runtime" / "step.py").read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        '"""1. DECODE. 2. LOAD."""\n# 1.\n',
        '"""Does all."""\n',
        '"""1. DECODE."""\n# 1.\n' + STEP_MOST_LINES * "pass\n",
    ],
    ids=["a part is missing beside the code", "no parts", "too long"],
)
def test_a_step_that_is_hard_to_read_is_found(source: str) -> None:
    assert len(faults_of_step(source)) == 1


WRONG = [
    (a_service_imports_no_other, "services/sales/store.py", "from services.inventory.domain import Lot"),
    (a_service_imports_no_other, "services/sales/store.py", "from ..inventory import domain"),
    (a_service_imports_no_other, "services/sales/__init__.py", "from services import inventory"),
    (nothing_that_runs_imports_what_deploys, "services/sales/app.py", "import deploy.topics"),
    (nothing_that_runs_imports_what_deploys, "shared/kafka.py", "def f():\n    from deploy import topics"),
    (shared_imports_no_service, "shared/runtime/step.py", "from services.sales.domain import Receipt"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain/receipt.py", "import pymongo"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain.py", "from aiokafka import ConsumerRecord"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain.py", "import faststream.kafka"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain.py", "from pydantic import BaseModel"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain/__init__.py", "from shared.mongo import Mongo"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain/__init__.py", "from ..store import SALES"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain.py", "import random"),
    (a_domain_stands_on_the_language_alone, "services/sales/domain.py", "from time import monotonic"),
    (only_the_wiring_and_shared_meet_clients, "services/sales/api.py", "from shared.mongo import Mongo"),
    (only_the_wiring_and_shared_meet_clients, "edge/till/till.py", "from shared.kafka import producer"),
    (only_the_wiring_and_shared_meet_clients, "services/sales/store.py", "from aiokafka import AIOKafkaProducer"),
]


@pytest.mark.parametrize(("rule", "file", "line"), WRONG)
def test_what_breaks_a_rule_is_found(rule: Callable[[Import], bool], file: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, file, line)
    assert len(broken(rule, tmp_path)) == 1


RIGHT = [
    ("services/sales/domain/receipt.py", "from services.sales.domain.booth import Booth"),
    ("services/sales/domain/receipt.py", "from .booth import Booth"),
    ("services/sales/domain/receipt.py", "from shared.events.sales import ReceiptIssued"),
    ("services/sales/domain/receipt.py", "from datetime import datetime"),
    ("services/sales/app.py", "from shared.mongo import Mongo"),
    ("services/sales/api.py", "from shared.runtime.service import Service"),
    ("shared/runtime/relay.py", "from aiokafka import AIOKafkaProducer"),
    ("deploy/topics.py", "from services.sales.handlers import FAMILIES"),
]


@pytest.mark.parametrize(("file", "line"), RIGHT)
def test_what_keeps_the_rules_is_left_alone(file: str, line: str, tmp_path: Path) -> None:
    plant(tmp_path, file, line)
    assert [broken(rule, tmp_path) for rule in RULES] == [[] for _ in RULES]


@pytest.mark.parametrize("line", ["datetime.now(UTC)", "date.today()", "datetime.datetime.utcnow()"])
def test_a_clock_in_a_domain_is_found(line: str, tmp_path: Path) -> None:
    plant(tmp_path, "services/sales/domain/receipt.py", line)
    assert len(clocks_in_domains(tmp_path)) == 1


def plant(root: Path, file: str, source: str) -> None:
    """A project of one file."""
    path = root / file
    path.parent.mkdir(parents=True)
    path.write_text(f"{source}\n")
