"""The figures of the bench of access control, without any server."""

import base64

import pytest

from lab.bench.secure import Side, TillClient, side_figures, signature_figures
from lab.bench.workload import sales
from shared.access.signatures import HEADER, SignedContent, new_device_key, public_key_of, verify
from shared.events.identity import Curve
from shared.events.sales import TILL

pytestmark = pytest.mark.unit


def test_an_open_till_signs_nothing_and_an_enrolled_one_each_record() -> None:
    record, key = next(sales()), new_device_key()
    assert HEADER not in TillClient("H1.B00").event(record)
    event = TillClient("H1.B00", key=key).event(record)
    headers = [(f"ce_{name}", event[name].encode()) for name in ("id", "source", "type", "time")]
    content = SignedContent.of(headers, TILL.key_of(record.body).encode(), base64.b64decode(event["data_base64"]))
    verify(event[HEADER], content, public_key_of(key))


@pytest.mark.parametrize("curve", Curve)
def test_signatures_are_counted_by_the_second(curve: Curve) -> None:
    signed, checked = signature_figures(curve, 0.01)
    assert signed.value > 100
    assert checked.value > 100


def test_secure_is_told_beside_open_and_relative_to_it() -> None:
    figures = side_figures(
        Side([10.0, 20.0], 1000.0, 200.0, {"gateway": 1.0}), Side([20.0, 60.0], 500.0, 400.0, {"gateway": 1.5})
    )
    values = {figure.name: figure.value for figure in figures}
    assert values["catch-up: open, records/s stored"] == 1000
    assert values["catch-up: secure, records/s stored"] == 500
    ratios = [value for name, value in values.items() if name.endswith("secure / open")]
    assert ratios == [3.0, 3.0, 0.5, 2.0, 1.5]
