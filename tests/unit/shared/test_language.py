"""What holds for every model of the published language."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.topics import all_topics
from shared.events.festival import AnnounceFestival
from shared.events.language import MAX_WHOLE, Body
from shared.events.production import LotRecalled, LotRecorded

SAMPLES = Path(__file__).parents[2] / "contract" / "samples"
AT = "2023-04-18T02:30:00Z"
BODIES = sorted({body for topic in all_topics() for body in topic.bodies}, key=lambda body: body.__name__)


def integers(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every integer of a JSON schema, with its place."""
    if isinstance(schema, dict):
        if schema.get("type") == "integer":
            yield path, schema
        for name, part in schema.items():
            yield from integers(part, f"{path}/{name}")
    elif isinstance(schema, list):
        for part in schema:
            yield from integers(part, path)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_every_number_has_bounds_that_json_and_databases_keep(body: type[Body]) -> None:
    for path, schema in integers(body.model_json_schema()):
        assert schema.get("minimum", -(10**99)) >= -MAX_WHOLE, path
        assert schema.get("maximum", 10**99) <= MAX_WHOLE, path


def moments(value: Any) -> Iterator[tuple[Any, Any]]:
    """Where in the JSON of a sample a time lies: the object or list, and the name or index there."""
    for at, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if part == AT:
            yield value, at
        yield from moments(part)


def sample_of(body: type[Body]) -> dict[str, Any]:
    file = next(SAMPLES.glob(f"*/{body.__name__}.v1.json"))
    sample: dict[str, Any] = json.loads(file.read_text())["body"]
    return sample


def test_samples_have_times() -> None:
    assert sum(1 for body in BODIES for _ in moments(sample_of(body))) > 10


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_every_time_has_bounds_that_every_zone_can_show(body: type[Body]) -> None:
    sample = sample_of(body)
    for place, at in moments(sample):
        for odd in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
            place[at] = odd
            with pytest.raises(ValidationError, match="outside the years"):
                body.model_validate_json(json.dumps(sample))
        for right in ("1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z", AT):
            place[at] = right
            body.model_validate_json(json.dumps(sample))


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2100-01-01", "9999-12-31"])
def test_a_festivals_days_have_bounds(day: str) -> None:
    with pytest.raises(ValidationError, match="outside the years"):
        AnnounceFestival.model_validate_json(json.dumps({**sample_of(AnnounceFestival), "last_day": day}))


def test_what_is_wrong_is_said_without_the_value() -> None:
    with pytest.raises(ValidationError) as wrong:
        LotRecorded.model_validate_json('{"lot": "a name"}')
    assert "a name" not in str(wrong.value)


def test_a_body_of_checked_values_is_the_one_that_is_checked_again(unchecked: Callable[..., Body]) -> None:
    values = {"lot": "L-1", "facility": "F-1", "reason": ""}
    body = unchecked(LotRecalled, **values)
    assert body == LotRecalled(**values)
    assert body.model_dump_json() == LotRecalled(**values).model_dump_json()
    assert body.model_copy(update={"reason": "mould"}) == LotRecalled(**{**values, "reason": "mould"})
    with pytest.raises(ValidationError):
        body.lot = "L-2"


def test_tests_check_what_rules_do_not_check_again() -> None:
    with pytest.raises(ValidationError):
        LotRecalled.model_construct(lot="L-1", facility="F-1", reason=7)
    with pytest.raises(AssertionError, match="in their order"):
        LotRecalled.model_construct(facility="F-1", lot="L-1", reason="")
