"""Documents convert back to equal entities."""

from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from services.production.domain.entities import Counter, Lot, TerminalReport
from services.production.store import COUNTERS, LOTS, REPORTS
from shared.runtime.processor import Collection

AWARE: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)

moments = st.integers(0, 10**12).map(
    lambda ms: datetime.fromtimestamp(ms // 1000, UTC) + timedelta(milliseconds=ms % 1000)
)
amounts = st.integers(-(2**53), 2**53)


@pytest.mark.parametrize("collection", [COUNTERS, LOTS, REPORTS], ids=lambda collection: collection.name)
def test_indexes_are_of_fields(collection: Collection[Any]) -> None:
    assert collection.indexes == () or set(collection.indexes) <= set(collection.entity.__dataclass_fields__)


@given(
    st.one_of(
        st.tuples(st.just(COUNTERS), st.builds(Counter, last=st.integers(0, 999_999))),
        st.tuples(
            st.just(LOTS),
            st.builds(Lot, recorded_at=moments, qty=amounts, corrected=amounts, corrections=amounts),
        ),
        st.tuples(st.just(REPORTS), st.builds(TerminalReport, taken_at=moments, change=st.none() | amounts)),
    )
)
def test_documents_read_back(pair: tuple[Collection[Any], Any]) -> None:
    collection, entity = pair
    document = {"_id": entity.id, **collection.to_document(entity)}
    stored = bson.decode(bson.encode(document), codec_options=AWARE)
    assert collection.from_document(stored) == entity
