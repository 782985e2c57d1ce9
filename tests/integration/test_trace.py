"""`karya trace`: the life of a lot that four real services have told."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from typer.testing import CliRunner

from cli import app
from deploy.local.services import environment
from deploy.stack import Stack
from ops.trace import trace
from shared.errors import WrongEntry
from shared.events.lot_number import parse
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from tests.support.season import (
    ALSO_CRAFT,
    B1,
    B2,
    CLOTH,
    CRAFT,
    MADE_WRONG,
    MAKERS,
    T1,
    RunningSeason,
    finished_season,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with finished_season(stack) as season:
        yield season


async def sold_cloth(season: RunningSeason) -> str:
    """The lot of cloth that was sold at the first booth."""
    receipt = await season.document("sales", "receipts", f"{B1} sale-1")
    return str(receipt["sales"][0]["lot"])


async def test_a_mended_copy_and_what_it_stands_for_are_told(season: RunningSeason) -> None:
    made, sold = season.lots[MADE_WRONG], await sold_cloth(season)
    for lot, topic, copy in ((made, TERMINAL, "ProductionReported"), (sold, TILL, "SaleAccounted")):
        life = await trace(season.settings, lot)
        kinds = [entry.kind for entry in life.entries]
        assert kinds.index("Unusable") < kinds.index("LetterMended")
        assert copy in kinds
        [unusable] = [entry for entry in life.entries if entry.kind == "Unusable"]
        [mending] = [entry for entry in life.entries if entry.kind == "LetterMended"]
        assert unusable.text == "a record could not be used: BAD_BODY"
        assert mending.who == "op.kupang"
        assert unusable.where == mending.where
        assert mending.where.startswith(f"{topic.name} ")
    assert not any(entry.kind == "Unusable" for entry in (await trace(season.settings, season.lots[0])).entries) or (
        season.lots[0] == sold
    )


async def test_the_life_of_a_lot_is_told_from_the_workshop_to_the_buyer(season: RunningSeason) -> None:
    lot = await sold_cloth(season)
    life = await trace(season.settings, lot)
    kinds = list(dict.fromkeys(entry.kind for entry in life.entries))
    for wanted in (
        "ProductionReported",
        "LotRecorded",
        "LotCorrected",
        "CorrectionRefused",
        "AllocationPlanned",
        "StockReserved",
        "StockDispatched",
        "BoothStocked",
        "ShipmentReceived",
        "BoothStockLost",
        "SaleAccounted",
    ):
        assert wanted in kinds, wanted
    texts = [entry.text for entry in life.entries]
    assert f"3 of a sale at {B1} voided, back at the booth" in texts
    assert f"1 of a sale at {B1} disputed: more than the booth had" in texts
    assert [entry.at for entry in life.entries] == sorted(entry.at for entry in life.entries)
    reported = next(entry for entry in life.entries if entry.kind == "ProductionReported")
    assert reported.who == f"{CLOTH}.T1"
    assert reported.text.startswith("20 pieces of KTI reported")
    assert str(life.zone) == "Asia/Makassar"
    stock = await season.document("inventory", "lots", lot)
    assert life.now["on_hand"] == stock["on_hand"]
    [here] = [booth for booth in life.booths if booth["booth"] == B1]
    held = next(held for held in (await season.document("sales", "booths", B1))["lots"] if held["lot"] == lot)
    assert here["sold"] == held["stocked"] == held["label_qty"] + held["pool_qty"]
    assert here["unlabelled"] == held["pool_qty"]


async def test_the_way_from_booth_to_booth_is_told(season: RunningSeason) -> None:
    texts = [entry.text for entry in (await trace(season.settings, season.moved)).entries]
    assert f"3 moved from {B1} to {B2}" in texts
    assert f"2 of 3 counted at {B2}, transfer T1" in texts
    assert f"2 counted in at {B2}" in texts


async def test_sales_are_summed_up_unless_each_is_asked_for(season: RunningSeason) -> None:
    lot = await sold_cloth(season)
    receipts = await season.mongo.database("sales")["receipts"].find({}).to_list(None)
    parts = [part for receipt in receipts for sale in receipt["sales"] for part in sale["parts"] if part[0] == lot]
    each = [
        entry for entry in (await trace(season.settings, lot, every_sale=True)).entries if "sold at" in entry.text
    ]
    assert len(each) == len(parts) > 1
    assert any("a share of what was sold without a label" in entry.text for entry in each)
    summed = [entry for entry in (await trace(season.settings, lot)).entries if "sold at" in entry.text]
    assert len(summed) < len(each)
    assert "sales between" in summed[0].text
    assert "without a label)" in " ".join(entry.text for entry in summed)
    assert T1 in " ".join(entry.who for entry in summed)


async def test_what_a_count_moved_is_in_the_life_of_both_lots(season: RunningSeason) -> None:
    lots = (await season.document("sales", "booths", B1))["lots"]
    for facility, way in ((CRAFT, "from"), (ALSO_CRAFT, "to")):
        lot = next(lot["lot"] for lot in lots if (lot["facility"], lot["product"]) == (facility, "KRJ"))
        life = await trace(season.settings, lot)
        [moved] = [entry for entry in life.entries if entry.kind == "PoolAdjusted"]
        assert moved.text.startswith(f"2 unlabelled at {B1} moved {way} this lot, Rp")
        assert moved.text.endswith("(by count, counted)")
        [here] = [booth for booth in life.booths if booth["booth"] == B1]
        pieces = sum(int(entry.text.split()[0]) for entry in life.entries if " sold at " in entry.text)
        assert here["sold"] == pieces + (2 if way == "to" else -2)


async def test_a_recall_and_a_return_are_in_the_life(season: RunningSeason) -> None:
    life = await trace(season.settings, season.recalled)
    assert life.recalled
    texts = [entry.text for entry in life.entries]
    assert "recalled: splinters" in texts
    assert f"withdrawn at {B1}: splinters" in texts
    assert any(text.endswith(f"came home from {B1}") for text in texts)
    assert life.facility == CRAFT


async def test_what_was_taken_back_is_in_the_life(season: RunningSeason) -> None:
    life = await trace(season.settings, season.withdrawn)
    assert (life.withdrawn, life.now["on_hand"]) == (True, 0)
    texts = [entry.text for entry in life.entries]
    assert "withdrawal of the report asked for: it was craft" in texts
    assert "report withdrawn: 7 pieces on hand are none any more" in texts
    [(lifted, cloth)] = [
        (entry.text, lot)
        for lot in season.lots
        for entry in (await trace(season.settings, lot)).entries
        if entry.kind == "LotRecallLifted"
    ]
    assert lifted == "recall lifted: the wrong lot"
    history = await trace(season.settings, cloth)
    assert not history.recalled
    assert f"for sale again at {B1}: the wrong lot" in [entry.text for entry in history.entries]


async def test_no_maker_is_in_any_life(season: RunningSeason) -> None:
    for lot in season.lots:
        trace_text = json.dumps((await trace(season.settings, lot, every_sale=True)).as_dict())
        assert not any(maker in trace_text for maker in MAKERS)


async def test_a_lot_number_may_be_typed_as_one_likes_but_must_be_one(season: RunningSeason) -> None:
    lot = season.lots[0]
    assert (await trace(season.settings, lot.lower().replace("-", " "))).lot == lot
    with pytest.raises(WrongEntry, match="check character"):
        await trace(season.settings, lot[:-1] + ("A" if lot[-1] != "A" else "B"))
    number = parse(lot)
    assert number is not None
    other = str(type(number)(number.facility, number.product, number.made_on, 999))
    with pytest.raises(WrongEntry, match="ever recorded"):
        await trace(season.settings, other)


async def test_the_command_tells_it(season: RunningSeason) -> None:
    code, text = await karya(season, "trace", season.recalled)
    assert code == 0
    assert "RECALLED" in text
    assert "WITA" in text
    code, text = await karya(season, "trace", season.recalled, "--all", "--json")
    assert code == 0
    assert {"at", "local", "kind", "text", "who", "actor", "record"} == json.loads(text)["timeline"][0].keys()


async def karya(season: RunningSeason, *words: str) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment(season.settings))
    return result.exit_code, result.stdout
