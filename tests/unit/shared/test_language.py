"""What holds for every model of the published language."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from deploy.topics import all_topics
from shared.events.language import MAX_WHOLE, Body
from shared.events.production import LotRecorded

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


def test_what_is_wrong_is_said_without_the_value() -> None:
    with pytest.raises(ValidationError) as wrong:
        LotRecorded.model_validate_json('{"lot": "a name"}')
    assert "a name" not in str(wrong.value)
