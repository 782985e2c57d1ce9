"""What an event weighs, and that the rules in memory do with a sale what they do in the service."""

from collections.abc import Callable, Iterator
from typing import cast

import bson
import pytest
from pymongo import InsertOne

from lab.bench import core, spoken
from lab.bench.place import Place
from lab.bench.spoken import Words
from lab.bench.weights import Weights
from services.sales.domain import Booth, Settlement
from shared.runtime.storage import ChangeSet, Lane, OutboxRecord

pytestmark = pytest.mark.unit

HEADERS = [("ce_type", b"StockChanged.v1")]


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "PASSES", 1)


def test_weights_are_means_by_kind() -> None:
    writes = ChangeSet(lanes={0: Lane("karya.inventory.lot", 0)})
    entries = [{"_id": "a"}, {"_id": "abc"}]
    writes.ledger = list(entries)
    writes.entities = {"lots": [InsertOne({"_id": "L1"})]}
    writes.send(0, [OutboxRecord("t", 0, b"key", b"value", HEADERS)])
    weights = Weights()
    weights.written(writes)
    found = {figure.name: figure.value for figure in weights.figures("inventory")}
    assert found["inventory, ledger entry: bytes"] == len(bson.encode({"_id": "ab"}))
    assert found["inventory, document of lots: bytes"] == len(bson.encode({"_id": "L1"}))
    plain = len("key") + len("value") + len("ce_type") + len("StockChanged.v1")
    assert plain < found["inventory, message StockChanged.v1: bytes"] < plain + 10
    assert found["inventory, outbox record: bytes"] > plain


@pytest.mark.usefixtures("once")
async def test_each_sale_is_worked_by_its_booth_and_its_facility() -> None:
    said = await core.measure(cast(Place, None), 5 * 30, lambda _: None)
    found = {figure.name: figure.value for figure in said.figures}
    assert "decide: CPU µs per event" in found
    assert "a sale at its booth, decide: CPU µs per sale" in found
    assert "a basket at its booth, decide: CPU µs per receipt" in found
    assert "an unlabelled sale at its facilities, decide: CPU µs per sale" in found
    assert "facility, message SalePublished.v1: bytes" in found
    assert "facility, document of settlements: bytes" in found
    assert not any("dlq" in name or "None" in name for name in found)


@pytest.mark.parametrize(
    ("said", "makers", "pieces"), [(spoken.sales, 1, 1), (spoken.baskets, 3, 3), (spoken.unlabelled, 3, 1)]
)
def test_no_record_of_a_receipt_is_a_dead_letter_and_all_are_said_on(
    said: Callable[[], Iterator[Words]], makers: int, pieces: int
) -> None:
    booth = core.Pass(core.BOOTH, {})
    booth.work(list(core.records(core.of_booths(30, said, makers))))
    assert not [one for one in booth.said if one.topic.endswith(".dlq")]
    booths = [entity for (kind, _), entity in booth.entities.items() if kind is Booth]
    branches = [len(device.branches) for one in booths for device in one.devices]
    assert branches == [1] * spoken.BOOTHS, "each record follows the one before it"
    facility = core.Pass(core.FACILITY, {})
    facility.work(list(core.records(core.of_facilities(booth.said))))
    assert not [one for one in facility.said if one.topic.endswith(".dlq")]
    settlements = [entity for (kind, _), entity in facility.entities.items() if kind is Settlement]
    assert len(settlements) == makers
    assert sum(share.qty for settlement in settlements for share in settlement.booths) == 30 * pieces
