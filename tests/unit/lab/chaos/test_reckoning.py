"""The reckoning of what was acknowledged: each record in a ledger, and with its own body."""

from collections.abc import Iterable

import pytest

from lab.chaos import reckoning
from lab.chaos.expected import ExpectedState
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings


async def test_a_record_that_is_in_no_ledger_is_lost_and_one_with_another_body_torn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_entries(_: RuntimeStore, ids: Iterable[str]) -> dict[str, bytes]:
        return {id: b"body" for id in ids if "lost" not in id}

    monkeypatch.setattr(RuntimeStore, "processed", no_entries)
    monkeypatch.setattr(reckoning, "SERVICES", {})
    expected = ExpectedState(
        {"t1 a": (TERMINAL, b"body"), "t1 lost": (TERMINAL, b"body"), "till a": (TILL, b"other")}
    )
    result = reckoning.Reckoning(lost=["seen before"])
    await reckoning.reckon(Settings(), expected, result, complete=False)
    assert result.lost == ["seen before", "production never worked t1 lost"]
    assert result.mismatched == ["sales worked another body of till a"]
    assert not result.ok
