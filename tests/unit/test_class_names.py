"""A class has a name of its own in the whole project."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("cli", "deploy", "docsite", "edge", "lab", "ops", "services", "shared")

# Two services' own views of one thing, and words of two trades.
SHARED = {
    "Account": {"services/festival/domain/booth_lot.py", "services/identity/domain/account.py"},
    "Booth": {"services/festival/domain/booth.py", "services/sales/domain/booth.py"},
    "BoothLot": {"services/festival/domain/booth_lot.py", "services/sales/domain/booth.py"},
    "BoothLotPage": {"services/festival/api/pages.py", "services/sales/api/pages.py"},
    "BoothPage": {"services/festival/api/pages.py", "services/sales/api/pages.py"},
    "BoothStatus": {"services/festival/domain/booth.py", "services/sales/domain/booth.py"},
    "Lot": {"services/inventory/domain/lot.py", "services/production/domain/entities.py"},
    "Role": {"docsite/pictures/drawing.py", "shared/events/identity.py"},
}


def repeated(sources: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """The names that more than one class has, with the paths of the classes. `sources`: paths with texts."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                paths[node.name].append(path)
    return {name: places for name, places in paths.items() if len(places) > 1}


def test_no_name_is_given_to_two_classes_unless_it_is_listed() -> None:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    found = repeated((file.relative_to(ROOT).as_posix(), file.read_text()) for file in files)
    assert found == {name: sorted(places) for name, places in SHARED.items()}


def test_a_second_class_with_a_name_is_found_wherever_it_stands() -> None:
    nested = "def make():\n    class Outcome:\n        pass"
    assert repeated([("a.py", "class Outcome: ..."), ("b.py", nested), ("c.py", "class Other: ...")]) == {
        "Outcome": ["a.py", "b.py"]
    }
    assert repeated([("a.py", "class Outcome: ...\nclass Outcome: ...")]) == {"Outcome": ["a.py", "a.py"]}
