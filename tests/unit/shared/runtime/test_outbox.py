"""How the outbox is kept: some records a document, none torn apart, none out of its order."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.ledger import FULL_BYTES, FULL_RECORDS, Numbered, Outgoing, outbox_id, to_outbox
from shared.runtime.ledger.outbox import from_outbox

HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=4)
RECORDS = st.builds(
    Outgoing,
    topic=st.sampled_from(["a", "b"]),
    partition=st.none() | st.integers(0, 3),
    key=st.none() | st.binary(max_size=5),
    value=st.none() | st.binary(max_size=5),
    headers=HEADERS,
)


def count(page: Mapping[str, Any]) -> int:
    return len(list(from_outbox(page)))


@given(st.lists(RECORDS, max_size=20), st.lists(RECORDS, max_size=20), st.integers(0, 10**9))
def test_what_is_read_is_what_was_written(one: list[Outgoing], other: list[Outgoing], first: int) -> None:
    written = [
        Numbered(lane, number, record)
        for lane, records in (("g/000", one), ("g/001", other))
        for number, record in enumerate(records, first)
    ]
    assert [numbered for page in to_outbox(written) for numbered in from_outbox(page)] == written


def test_a_document_has_the_id_of_its_first_record_and_ends_before_it_is_too_large() -> None:
    small = Outgoing("a", 0, b"k", b"v", [])
    large = Outgoing("a", 0, b"k", bytes(FULL_BYTES), [])
    records = [small] * (FULL_RECORDS + 1) + [large, small]
    pages = list(to_outbox(Numbered("g/000", number, record) for number, record in enumerate(records)))
    assert [count(page) for page in pages] == [FULL_RECORDS, 2, 1]
    assert [page["_id"] for page in pages] == [
        outbox_id("g/000", number) for number in (0, FULL_RECORDS, FULL_RECORDS + 2)
    ]


def test_large_headers_fill_a_document_as_values_do() -> None:
    half = FULL_BYTES // 2
    said = [Numbered("g/000", n, Outgoing("out", 0, b"a", None, [("x", b"h" * half)])) for n in range(6)]
    assert [count(page) for page in to_outbox(said)] == [2, 2, 2]
