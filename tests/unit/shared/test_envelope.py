import dataclasses
import re
from datetime import UTC, datetime
from uuid import RFC_4122, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import envelope
from shared.derivation import CURRENT, DERIVATIONS, FIRST, derivation, derived_id, named_id
from shared.errors import Unusable
from shared.events.language import MAX_VALUE_BYTES, Event
from shared.runtime.dlq import dead_letter
from tests.support.records import IN, NOON, Added, a_record

GOOD = dict(a_record().headers)


def refusal_of(**changes: object) -> str:
    with pytest.raises(Unusable) as caught:
        envelope.decode(IN, a_record(**changes))  # type: ignore[arg-type]
    return caught.value.reason


def with_header(name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    return [*{**GOOD, name: value}.items()]


def test_what_was_encoded_is_decoded() -> None:
    event = envelope.decode(IN, a_record(Added(account="a", amount=3), id="e7"))
    assert (event.id, event.source, event.key, event.time) == ("e7", "till-1", "a", NOON)
    assert event.body == Added(account="a", amount=3)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ce_id", None, "MISSING_HEADER"),
        ("ce_id", b"\xff", "MISSING_HEADER"),
        ("ce_id", b"two words", "BAD_ID"),
        ("ce_id", b"x" * 201, "BAD_ID"),
        ("ce_specversion", b"0.3", "WRONG_SPEC_VERSION"),
        ("ce_type", b"Added.v2", "UNKNOWN_VERSION"),
        ("ce_type", b"Taken.v1", "UNKNOWN_TYPE"),
        ("ce_time", b"yesterday", "BAD_TIME"),
        ("ce_time", b"2026-01-01T00:00:00", "BAD_TIME"),
        ("ce_time", b"0001-01-01T00:00:00+14:00", "BAD_TIME"),
        ("ce_time", b"1969-12-31T23:59:59Z", "BAD_TIME"),
        ("ce_time", b"2100-01-01T00:00:00Z", "BAD_TIME"),
    ],
)
def test_a_bad_header_is_named(name: str, value: bytes | None, reason: str) -> None:
    assert refusal_of(headers=with_header(name, value)) == reason


@pytest.mark.parametrize(
    ("header", "actor"),
    [
        (b"s-abcdefghijklmnop", "s-abcdefghijklmnop"),
        (b"op.kupang", "op.kupang"),
        (None, None),
        (b"two words", None),
        (b"~visible~", None),
        (b"x" * 121, None),
        (b"\xff", None),
    ],
)
def test_an_actor_that_no_event_could_name_is_like_a_missing_one(header: bytes | None, actor: str | None) -> None:
    assert envelope.decode(IN, a_record(headers=with_header("actor", header))).actor == actor


def test_a_source_that_is_too_long_is_refused_and_not_remembered() -> None:
    remembered = envelope._short_source_text.cache_info().currsize
    assert refusal_of(headers=with_header("ce_source", b"s" * 1_000_000)) == "BAD_ID"
    assert envelope._short_source_text.cache_info().currsize == remembered


@pytest.mark.parametrize("written", [b"2026-01-01T24:00:00.000Z", b"2026-01-01T12:00:00+07:00"])
def test_only_a_time_in_our_own_spelling_is_passed_on_as_it_came(written: bytes) -> None:
    event = Event(id="c", source="s", key="a", time=NOON, logged_at=NOON, body=Added(account="a", amount=1))
    cause = envelope.cause(event, "s c", {"ce_time": written}, "karya/test", derivation(CURRENT))
    assert cause.time == ("ce_time", envelope.rfc3339(NOON).encode())


@pytest.mark.parametrize("first", [None, b"\xff", b"e1"])
def test_of_several_headers_with_one_name_the_first_counts_for_every_reader(first: bytes | None) -> None:
    headers = [("ce_id", first), *a_record(id="e2").headers]
    event = None if first is None or first == b"\xff" else envelope.decode(IN, a_record(headers=headers))
    assert envelope.header(headers, "ce_id") == (event and event.id)
    if event is None:
        assert refusal_of(headers=headers) == "MISSING_HEADER"


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"account":"a","amount":NaN}', b'{"account":"a","amount":"1"}',
     b'{"account":"a","amount":1.0}', b'{"account":"\\ud800","amount":1}', b"null", b'{"account":"a"}'],
)  # fmt: skip
def test_a_body_that_breaks_the_model_is_refused(value: bytes) -> None:
    assert refusal_of(value=value) == "BAD_BODY"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (b"{", "body: It is no valid JSON."),
        (b"[]", "body: It must be an object with named fields."),
        (b'{"account":"a","amount":"1"}', "amount: It must be a whole number."),
        (b'{"account":"a"}', "amount: This field is missing."),
        (b"{}", "account: This field is missing. amount: This field is missing."),
    ],
)
def test_the_sentence_of_a_bad_body_is_that_of_every_other_refusal(value: bytes, sentence: str) -> None:
    with pytest.raises(Unusable) as caught:
        envelope.decode(IN, a_record(value=value))
    assert caught.value.message == sentence


def test_a_key_that_is_not_the_bodys_is_refused() -> None:
    assert refusal_of(key=b"b") == "WRONG_KEY"


def test_a_body_beyond_the_bound_is_refused_before_it_is_read() -> None:
    assert refusal_of(value=b" " * (MAX_VALUE_BYTES + 1)) == "TOO_LARGE"


def test_a_reason_never_shows_the_value() -> None:
    with pytest.raises(Unusable) as caught:
        envelope.decode(IN, a_record(value=b'{"account":"a","amount":"secret-maker"}'))
    assert "secret-maker" not in caught.value.message


@given(
    st.binary(max_size=200), st.lists(st.tuples(st.sampled_from([*GOOD, "x"]), st.none() | st.binary(max_size=20)))
)
def test_nothing_but_unusable_comes_of_any_bytes(value: bytes, headers: list[tuple[str, bytes | None]]) -> None:
    for chosen in ([*GOOD.items()], headers):
        try:
            envelope.decode(IN, a_record(value=value, headers=chosen))
        except Unusable as bad:
            assert bad.message  # noqa: PT017


@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_are_kept_to_the_millisecond(moment: datetime) -> None:
    headers = envelope.headers(id="e", source="s", topic=IN, body=Added(account="a", amount=1), time=moment)
    event = envelope.decode(IN, a_record(headers=[*headers]))
    assert event.time == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@pytest.mark.parametrize("stamp", [2**62, -(2**62), -1, 4_102_444_800_000])
def test_a_kafka_timestamp_that_is_no_time_makes_a_dead_letter_and_not_a_fault(stamp: int) -> None:
    record = dataclasses.replace(a_record(), timestamp=stamp)
    with pytest.raises(Unusable, match="timestamp"):
        envelope.decode(IN, record)
    letter = dead_letter(record, service="test", reason="BAD_TIME", message="")
    assert envelope.header(letter.headers, "dlq_at") == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (b'{"account":"a","amount":1,"amount":-1}', "amount"),
        (b'{"account":"a","amount":1,"\\u0061mount":-1}', "amount"),
        (b'{"account":"a","amount":1,"more":[{"x":1},{"x":1,"x":1}]}', "more.1.x"),
        (b'{"account":"a", "amount" : 1,\n"amount" : 1}', "amount"),
    ],
)
def test_a_name_that_comes_twice_makes_a_dead_letter(value: bytes, place: str) -> None:
    with pytest.raises(Unusable, match=f"^{place}: ") as refused:
        envelope.decode(IN, a_record(value=value))
    assert refused.value.reason == "NAME_TWICE"


def test_a_name_in_two_objects_is_no_name_twice() -> None:
    value = b'{"account":"a","amount":1,"more":[{"amount":1},{"amount":"amount\\":"}]}'
    assert envelope.decode(IN, a_record(value=value)).body == Added(account="a", amount=1)


@pytest.mark.parametrize("number", DERIVATIONS)
def test_ids_and_spans_differ_by_cause_and_index(number: int) -> None:
    places = [(cause, index) for cause in ("a b", "a c") for index in (0, 1, 0xFFFF, 0x10000, 0x10001, 0x20000)]
    derive = derivation(number)
    made = [derive(cause)("x", index) for cause, index in places]
    assert len({id for id, _ in made}) == len({span for _, span in made}) == len(places)
    assert made == [derive(cause)("x", index) for cause, index in places]
    for id, span in made:
        assert str(UUID(id.decode())).encode() == id
        assert re.fullmatch(rb"[0-9a-f]{16}", span)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), st.integers(0, 2**33))
def test_an_id_of_one_hash_is_a_uuid_of_version_8_that_ends_in_its_index(cause: str, index: int) -> None:
    id = UUID(derived_id(f"s {cause}", "x", index))
    assert (id.version, id.variant) == (8, RFC_4122)
    assert id.int & 0xFFFF == index & 0xFFFF


def test_ids_of_the_first_derivation_and_ids_of_names_are_the_uuids_that_pythons_own_uuid5_makes() -> None:
    namespace = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
    for index in range(200):
        expected = str(uuid5(namespace, f"a b\nx\n{index}"))
        assert named_id("a b", "x", index) == expected
        assert derivation(FIRST)("a b")("x", index)[0].decode() == expected


@pytest.mark.parametrize("parent", [None, f"00-{'a' * 32}-{'b' * 16}-01"])
def test_what_an_event_brings_about_has_the_headers_of_any_event(parent: str | None) -> None:
    body = Added(account="a", amount=1)
    cause = Event(id="c", source="s", key="a", time=NOON, logged_at=NOON, body=body)
    came_with = {"traceparent": parent.encode()} if parent else {}
    id, span = derivation(CURRENT)("s c")(IN.name, 3)
    made = envelope.caused(envelope.cause(cause, "s c", came_with, "karya/test", derivation(CURRENT)), IN, body, 3)
    trace = "a" * 32 if parent else envelope.digest(b"s c").hex()
    assert made == envelope.headers(
        id=id.decode(),
        source="karya/test",
        topic=IN,
        body=body,
        time=NOON,
        cause="c",
        trace=f"00-{trace}-{span.decode()}-01",
    )
