"""The map of public pages, and the program that cuts its outline."""

from importlib.resources import files

import pytest

from docsite.pictures.islands import OUTLINE, outline
from services.portal.domain.island_map import LARGEST, SHADES, SMALLEST, map_of
from services.portal.store import outline as committed

MOST_BYTES = 20_000


def test_the_outline_is_small_and_names_its_source_and_licence() -> None:
    assert len((files("services.portal") / "map" / "ntt.json").read_bytes()) < MOST_BYTES
    assert OUTLINE.is_file()
    picture = committed.load()
    assert ("Natural Earth" in picture.source, picture.licence) == (True, "public domain")
    assert {"timor", "sumba", "flores", "rote"} <= {island.code for island in picture.islands}


def test_an_island_is_darker_the_more_its_facilities_sold() -> None:
    facilities = [("PR-KPG", "timor", 90), ("LP-KPG", "timor", 10), ("LP-WKB", "sumba", 26), ("LP-BAA", "rote", 0)]
    picture = map_of(committed.load(), facilities)
    islands = {island.outline.code: island for island in picture.islands}
    assert {code: islands[code].shade for code in ("timor", "sumba", "rote", "flores")} == {
        "timor": SHADES,
        "sumba": 2,
        "rote": 0,
        "flores": 0,
    }
    assert (islands["timor"].qty, islands["rote"].has_facilities, islands["flores"].has_facilities) == (
        100,
        True,
        False,
    )
    towns = {town.place.name: town for town in picture.towns}
    assert towns["Kupang"].facilities == ["LP-KPG", "PR-KPG"]
    assert SMALLEST == towns["Ba'a"].radius < towns["Waikabubak"].radius < towns["Kupang"].radius < LARGEST


@pytest.mark.parametrize("facilities", [[], [("PR-KPG", "timor", 0)], [("XX-YYY", "jawa", 5)], [("PR-KPG", "", -1)]])
def test_a_map_without_sales_or_of_other_islands_has_no_shade(facilities: list[tuple[str, str, int]]) -> None:
    picture = map_of(committed.load(), facilities)
    assert {island.shade for island in picture.islands} == {0}


def test_the_outline_is_cut_from_the_coast_and_others_are_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docsite.pictures.islands.ISLANDS", {"timor": ("Timor", (124.25, -9.75), (124.0, -10.0))})
    square = [[0, 0], [10, 0], [0, 10], [-10, 0], [0, -10]]
    half = [[0, 0], [5, 0], [5, 0]]
    topology = {
        "transform": {"scale": [0.05, 0.05], "translate": [0.0, 0.0]},
        "arcs": [
            [[2480, -200], *square[1:]],
            # The same coast in two arcs, the second written backwards, with a point that lies on a line.
            [[2400, -200], *half[1:], [0, 10]],
            [[2400, -200], [0, 10], [10, 0]],
            [[2495, -180], *square[1:]],
        ],
        "objects": {
            "countries": {
                "geometries": [
                    {"properties": {"name": "Indonesia"}, "type": "MultiPolygon", "arcs": [[[0]], [[1, ~2]]]},
                    {"properties": {"name": "Timor-Leste"}, "type": "Polygon", "arcs": [[3]]},
                ]
            }
        },
    }
    cut = outline(topology)
    [timor] = cut["islands"]
    assert timor["path"].count(",") == 4
    assert cut["islets"].count(",") == 4
    assert cut["neighbours"].startswith("M")
    assert cut["towns"]["KPG"]["name"] == "Kupang"
