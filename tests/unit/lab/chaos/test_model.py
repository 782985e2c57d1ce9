"""The reckoning of what was acknowledged: each record in a ledger, and with its own body."""

from collections.abc import Iterable

import pytest

from lab.chaos import model
from lab.chaos.told import Told
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings


async def test_a_record_that_is_in_no_ledger_is_lost_and_one_with_another_body_torn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def known(_: RuntimeStore, ids: Iterable[str]) -> dict[str, bytes]:
        return {id: b"body" for id in ids if "lost" not in id}

    monkeypatch.setattr(RuntimeStore, "processed", known)
    monkeypatch.setattr(model, "SERVICES", {})
    told = Told({"t1 a": (TERMINAL, b"body"), "t1 lost": (TERMINAL, b"body"), "till a": (TILL, b"other")})
    found = model.Reckoning(lost=["seen before"])
    await model.reckon(Settings(), told, found, whole=False)
    assert found.lost == ["seen before", "production never worked t1 lost"]
    assert found.torn == ["sales worked another body of till a"]
    assert not found.ok
