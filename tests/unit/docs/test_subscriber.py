"""The subscriber's guide shows how to be let in and how to take a long plan whole, and its code does so."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.secure.certificates import new_authority
from deploy.secure.files import KAFKA, SUBSCRIBER
from deploy.secure.users import ServerSecrets
from shared.envelope import encode
from shared.events.festival import AllocationPlanned, PlanLine, Shortfall
from shared.events.parts import in_parts
from shared.kafka_connection import connection
from shared.settings import Settings

pytestmark = pytest.mark.unit

MARKET = f"{SUBSCRIBER}.market"
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "subscriber.md"


def names_of(part: str) -> dict[str, Any]:
    """What the one block of code with this part defines."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [block] = [block for block in blocks if part in block]
    names: dict[str, Any] = {}
    exec(block, names)
    return names


def the_function() -> Any:
    return names_of("def whole(")["whole"]


def test_the_access_of_the_guide_is_that_of_a_secured_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    secrets = ServerSecrets(Path(".karya/up/secrets"))
    secrets.authorities.parent.mkdir(parents=True)
    new_authority(secrets, datetime.now(UTC))
    secrets.credentials(KAFKA, MARKET)
    shown = names_of("sasl_mechanism")["access"]
    expected = connection(secrets.of(MARKET, Settings()))
    del expected["bootstrap_servers"]
    assert (shown.pop("ssl_context") is None, expected.pop("ssl_context") is None) == (False, False)
    assert shown == expected


def a_plan(request: str) -> AllocationPlanned:
    lines = tuple(
        PlanLine(
            reservation=f"ODOP/{request}.{n}",
            booth="B1",
            product="KTI",
            facility="PR-KPG",
            lot=f"L{n}",
            qty=n,
            revision=1,
        )
        for n in range(1, 30)
    )
    short = tuple(Shortfall(booth=f"B{n}", product="KTI", asked=9, short=1) for n in range(9))
    return AllocationPlanned(festival="ODOP", request=request, replan=False, lines=lines, shares=(), short=short)


@pytest.mark.parametrize("seed", range(5))
def test_the_function_of_the_guide_returns_each_plan_once_and_whole(seed: int) -> None:
    whole = the_function()
    plans = {request: a_plan(request) for request in ("R1", "R2")}
    parts = [json.loads(encode(part)) for plan in plans.values() for part in in_parts(plan, 900)]
    assert len(parts) > 8
    Random(seed).shuffle(parts)
    taken = [body for part in parts if (body := whole("AllocationPlanned.v1", part)) is not None]
    assert {body["request"] for body in taken} == {"R1", "R2"}
    assert len(taken) == 2
    for body in taken:
        assert body | {"digest": ""} == json.loads(encode(plans[body["request"]]))


def test_a_plan_without_one_part_is_none() -> None:
    whole = the_function()
    parts = [json.loads(encode(part)) for part in in_parts(a_plan("R1"), 900)]
    assert [whole("AllocationPlanned.v1", part) for part in parts[1:]] == [None] * (len(parts) - 1)


def test_a_short_plan_is_whole_at_once() -> None:
    [part] = in_parts(a_plan("R1"))
    assert the_function()("AllocationPlanned.v1", json.loads(encode(part)))["request"] == "R1"
