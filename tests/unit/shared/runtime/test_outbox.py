"""How the outbox is kept: some records a document, none torn apart, none out of its order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import UnknownVersion
from shared.runtime.storage import FULL_BYTES, FULL_RECORDS, OutboxEntry, OutboxRecord, outbox_id, to_outbox
from shared.runtime.storage.outbox import CODEC, from_outbox

SAMPLES = Path(__file__).parent / "samples"

HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=4)
RECORDS = st.builds(
    OutboxRecord,
    topic=st.sampled_from(["a", "b"]),
    partition=st.none() | st.integers(0, 3),
    key=st.none() | st.binary(max_size=5),
    value=st.none() | st.binary(max_size=5),
    headers=HEADERS,
)


def count(page: Mapping[str, Any]) -> int:
    return len(list(from_outbox(page)))


@given(st.lists(RECORDS, max_size=20), st.lists(RECORDS, max_size=20), st.integers(0, 10**9))
def test_what_is_read_is_what_was_written(
    first_records: list[OutboxRecord], second_records: list[OutboxRecord], first: int
) -> None:
    written = [
        OutboxEntry(lane, number, record)
        for lane, records in (("g/000", first_records), ("g/001", second_records))
        for number, record in enumerate(records, first)
    ]
    assert [numbered for page in to_outbox(written) for numbered in from_outbox(page)] == written


def test_a_document_has_the_id_of_its_first_record_and_is_divided_if_it_is_too_large() -> None:
    small = OutboxRecord("a", 0, b"k", b"v", [])
    large = OutboxRecord("a", 0, b"k", bytes(FULL_BYTES), [])
    records = [small] * (FULL_RECORDS + 1) + [large, small]
    pages = list(to_outbox(OutboxEntry("g/000", number, record) for number, record in enumerate(records)))
    assert [count(page) for page in pages] == [FULL_RECORDS, 1, 1, 1]
    assert [page["_id"] for page in pages] == [
        outbox_id("g/000", number) for number in (0, FULL_RECORDS, FULL_RECORDS + 1, FULL_RECORDS + 2)
    ]


def test_a_page_of_the_codec_before_is_read() -> None:
    # The bytes as they were written before a page named its codec.
    page = bson.decode((SAMPLES / "outbox-page-codec-0.bson").read_bytes())
    assert "codec" not in page
    headers = [("ce_id", b"7c0f"), ("ce_type", b"DeviceHeard.v1"), ("traceparent", None)]
    filled = OutboxRecord("x.karya.sales.v1", None, b"F1-B1", b'{"booth":"F1-B1"}', headers)
    empty = OutboxRecord("x.karya.sales.journal.v1", 3, b"karya.sales.booth/003", None, [])
    lane = "karya.sales.booth/003"
    assert list(from_outbox(page)) == [OutboxEntry(lane, 41, filled), OutboxEntry(lane, 42, empty)]
    # Who knows no codec reads these bytes as well: old and new instances can work side by side.
    (written,) = to_outbox(from_outbox(page))
    assert {**written, "codec": None} == {**page, "codec": None}


def test_a_page_of_a_newer_codec_is_refused_loudly() -> None:
    (page,) = to_outbox([OutboxEntry("g/000", 7, OutboxRecord("a", 0, b"k", b"v", []))])
    with pytest.raises(UnknownVersion, match=f"g/000/000000000007 has codec {CODEC + 1}"):
        list(from_outbox({**page, "codec": CODEC + 1}))


def test_large_headers_fill_a_document_as_values_do() -> None:
    third = FULL_BYTES // 3
    entries = [OutboxEntry("g/000", n, OutboxRecord("out", 0, b"a", None, [("x", b"h" * third)])) for n in range(8)]
    assert [count(page) for page in to_outbox(entries)] == [2, 2, 2, 2]
