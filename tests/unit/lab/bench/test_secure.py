"""The figures of the bench of access control, without any server."""

import base64

import pytest

from lab.bench.secure import Measured, TillClient, rounds_note, side_figures, signatures_per_second
from lab.bench.workload import sales
from shared.access.signatures import HEADER, SignedContent, new_device_key, public_key_of, verify
from shared.events.identity import Curve
from shared.events.sales import TILL

pytestmark = pytest.mark.unit


def test_an_open_till_signs_nothing_and_an_enrolled_one_each_record() -> None:
    record, key = next(sales()), new_device_key()
    assert HEADER not in TillClient("H1.B00").event(record, "a" * 32)
    event = TillClient("H1.B00", key=key).event(record, "a" * 32)
    headers = [(f"ce_{name}", event[name].encode()) for name in ("id", "source", "type", "time")]
    content = SignedContent.of(headers, TILL.key_of(record.body).encode(), base64.b64decode(event["data_base64"]))
    verify(event[HEADER], content, public_key_of(key))


def test_signatures_are_counted_by_the_second() -> None:
    found = signatures_per_second(0.01)
    assert set(found) == {f"{curve.value}: {act} a second" for curve in Curve for act in ("signed", "checked")}
    assert min(found.values()) > 100


def test_secure_is_told_beside_open_by_medians_and_the_ratios_of_each_round() -> None:
    rate = Measured("catch-up", "records/s")
    rounds = [({rate: 100.0}, {rate: 50.0}), ({rate: 300.0}, {rate: 60.0}), ({rate: 200.0}, {rate: 80.0})]
    assert [(figure.name, figure.value) for figure in side_figures(rounds)] == [
        ("catch-up: open, records/s", 200.0),
        ("catch-up: secure, records/s", 60.0),
        ("catch-up: secure / open", 0.4),
        ("catch-up: secure / open, lowest", 0.2),
        ("catch-up: secure / open, highest", 0.5),
    ]


def test_a_run_that_had_no_time_for_a_round_says_so() -> None:
    assert rounds_note(3, 3) == ""
    assert rounds_note(2, 3).startswith("Only 2 of 3 rounds")
