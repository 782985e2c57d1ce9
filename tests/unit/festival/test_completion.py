"""Commands are completed by festival's copy of the catalogue, also while it is still on its way."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from fastapi.exceptions import RequestValidationError

from services.festival.api import completion
from services.festival.api.completion import Completion
from services.festival.domain.catalogue import CatalogueEntry
from services.festival.domain.festival import Festival
from services.festival.store import ENTRIES, FESTIVALS
from shared.events.catalogue import EntryFact
from shared.events.festival import AddProduct, OpenBooth, RequestAllocation
from shared.events.language import Body
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from tests.support.builders.catalogue import KNOWN, a_booth, a_festival, a_product, an_announcement

ADDING = AddProduct(festival="ODOP", booth="ODOP.B1", product="KTI", price_rupiah=1)
COMMANDS: tuple[Body, ...] = (an_announcement(island="jawa"), a_booth("KTI"), ADDING)


class Copy:
    """Festival's copy of the catalogue. Each look at it sees the next of `states`, at last always the last one."""

    def __init__(self, *states: Mapping[str, EntryFact], festival: Festival | None = None) -> None:
        self._states = list(states)
        self._festival = festival
        self.looks = 0
        self._kinds: list[str] = []

    def __getitem__(self, _name: str) -> "Copy":
        return self

    def find(self, query: Mapping[str, Any]) -> "Copy":
        self._kinds = query["kind"]["$in"]
        return self

    def sort(self, *_by: Any) -> "Copy":
        return self

    async def to_list(self, _most: None) -> list[dict[str, Any]]:
        state = self._states[min(self.looks, len(self._states) - 1)]
        self.looks += 1
        documents = [
            {"_id": id, **ENTRIES.to_document(CatalogueEntry(id, fact))} for id, fact in sorted(state.items())
        ]
        return [document for document in documents if document["kind"] in self._kinds]

    async def find_one(self, _query: Any) -> dict[str, Any] | None:
        festival = self._festival
        return festival and {"_id": festival.id, **FESTIVALS.to_document(festival)}


def completing(copy: Copy) -> Completion:
    class WithCopy:
        database = copy

    return Completion(cast(Service, WithCopy()))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "PATIENCE", 0.05)
    monkeypatch.setattr(completion, "QUIET", 0.001)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda body: type(body).__name__)
async def test_before_any_entry_has_come_a_command_is_refused_with_what_to_do(command: Body) -> None:
    with pytest.raises(PageRefused) as raised:
        await completing(Copy({}))(command)
    assert raised.value.status_code == 503
    assert "has not arrived" in raised.value.detail
    assert "karya catalogue seed" in raised.value.detail


@pytest.mark.parametrize("command", COMMANDS, ids=lambda body: type(body).__name__)
async def test_entries_that_are_on_their_way_are_waited_for(command: Body) -> None:
    some = {"product/ZZZ": a_product("ZZZ", "Other"), "facility/PR-KPG": KNOWN["facility/PR-KPG"]}
    completed = await completing(Copy({}, {}, some, KNOWN))(command)
    assert completed.catalogue  # type: ignore[attr-defined]


async def test_what_is_not_there_is_refused_once_nothing_more_comes() -> None:
    copy = Copy(KNOWN)
    with pytest.raises(RequestValidationError) as raised:
        await completing(copy)(a_booth("KTX"))
    assert "Did you mean KTI" in raised.value.errors()[0]["msg"]
    assert copy.looks == 2


async def test_a_plan_of_a_festival_on_an_island_brings_the_facilities_that_were_added() -> None:
    request = RequestAllocation(festival="ODOP", request="R1", demands=())
    completed = await completing(Copy(KNOWN, festival=a_festival(island="jawa")))(request)
    assert isinstance(completed, RequestAllocation)
    assert completed.added is not None
    assert completed.added.island == "jawa"
    for unchanged in (Copy(KNOWN, festival=a_festival()), Copy(KNOWN), Copy({}, festival=a_festival(island="jawa"))):
        assert await completing(unchanged)(request) == request


async def test_what_the_catalogue_does_not_concern_passes() -> None:
    assert await completing(Copy({}))(an_announcement()) == an_announcement()
    assert isinstance(await completing(Copy(KNOWN))(a_booth("KTI")), OpenBooth)
