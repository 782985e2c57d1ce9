"""What an event weighs, and that the rules in memory do with a sale what they do in the service."""

from collections.abc import Callable, Iterator
from typing import cast

import bson
import pytest
from pymongo import InsertOne

from lab.bench import core, workload
from lab.bench.environment import BenchEnvironment
from lab.bench.sizes import RecordSizes
from lab.bench.workload import WorkloadRecord
from services.sales.domain import Booth, Settlement
from shared.runtime.storage import ChangeSet, Lane, OutboxRecord

pytestmark = pytest.mark.unit

HEADERS = [("ce_type", b"StockChanged.v1")]


@pytest.fixture
def single_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "PASSES", 1)


def test_weights_are_means_by_kind() -> None:
    writes = ChangeSet(lanes={0: Lane("karya.inventory.lot", 0)})
    entries = [{"_id": "a"}, {"_id": "abc"}]
    writes.ledger = list(entries)
    writes.entities = {"lots": [InsertOne({"_id": "L1"})]}
    writes.send(0, [OutboxRecord("t", 0, b"key", b"value", HEADERS)])
    sizes = RecordSizes()
    sizes.add_writes(writes)
    figures = {figure.name: figure.value for figure in sizes.figures("inventory")}
    assert figures["inventory, ledger entry: bytes"] == len(bson.encode({"_id": "ab"}))
    assert figures["inventory, document of lots: bytes"] == len(bson.encode({"_id": "L1"}))
    plain = len("key") + len("value") + len("ce_type") + len("StockChanged.v1")
    assert plain < figures["inventory, message StockChanged.v1: bytes"] < plain + 10
    assert figures["inventory, outbox record: bytes"] > plain


@pytest.mark.usefixtures("single_pass")
async def test_each_sale_is_worked_by_its_booth_and_its_facility() -> None:
    result = await core.measure(cast(BenchEnvironment, None), 5 * 30, lambda _: None)
    figures = {figure.name: figure.value for figure in result.figures}
    assert "decide: CPU µs per event" in figures
    assert "a sale at its booth, decide: CPU µs per sale" in figures
    assert "a basket at its booth, decide: CPU µs per receipt" in figures
    assert "an unlabelled sale at its facilities, decide: CPU µs per sale" in figures
    assert "facility, message SalePublished.v1: bytes" in figures
    assert "facility, document of settlements: bytes" in figures
    assert not any("dlq" in name or "None" in name for name in figures)


@pytest.mark.parametrize(
    ("generate", "makers", "pieces"), [(workload.sales, 1, 1), (workload.baskets, 3, 3), (workload.unlabelled, 3, 1)]
)
def test_no_record_of_a_receipt_is_a_dead_letter_and_all_are_said_on(
    generate: Callable[[], Iterator[WorkloadRecord]], makers: int, pieces: int
) -> None:
    booth = core.Pass(core.BOOTH, {})
    booth.work(list(core.records(core.booth_messages(30, generate, makers))))
    assert not [record for record in booth.published if record.topic.endswith(".dlq")]
    booths = [entity for (kind, _), entity in booth.entities.items() if kind is Booth]
    branches = [len(device.branches) for entity in booths for device in entity.devices]
    assert branches == [1] * workload.BOOTHS, "each record follows the one before it"
    facility = core.Pass(core.FACILITY, {})
    facility.work(list(core.records(core.facility_messages(booth.published))))
    assert not [record for record in facility.published if record.topic.endswith(".dlq")]
    settlements = [entity for (kind, _), entity in facility.entities.items() if kind is Settlement]
    assert len(settlements) == makers
    assert sum(share.qty for settlement in settlements for share in settlement.booths) == 30 * pieces
