"""What `karya held`, `export` and `import` ask of the gateway, and what they show."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
from tests.support.fake_identity import FakeIdentity, running_identity

pytestmark = pytest.mark.unit

DEVICE = f"d-{'a' * 52}"
DONE = {"command": "c", "status": "done", "look": "/"}


def a_row(record: str, seq: int, place: str = "ODOP.B1", status: str = "held") -> dict[str, Any]:
    return {
        "place": place,
        "device": DEVICE,
        "record": record,
        "type": "ReceiptIssued.v1",
        "source": f"till/{place}/T1",
        "number": seq,
        "seq": seq,
        "recorded_at": "2026-04-17T08:00:00.000Z",
        "digest": "0" * 64,
        "bytes": 9,
        "held_at": "2026-04-17T09:00:00Z",
        "status": status,
        "decided_at": None,
        "reason": None,
        "stored_before": record == "r1",
    }


@pytest.fixture
def gateway() -> Iterator[FakeIdentity]:
    with running_identity() as fake:
        fake.next_tokens()
        fake.pages["/held"] = [a_row("r2", 2), a_row("r1", 1)]
        fake.answers["/held/ODOP.B1/release"] = fake.answers["/held/ODOP.B1/refuse"] = DONE
        yield fake


def run(gateway: FakeIdentity, *words: str) -> Result:
    env = {
        "KARYA_GATEWAY_URL": gateway.url,
        "KARYA_IDENTITY_URL": gateway.url,
        "KARYA_TOKEN": gateway.valid,
        "COLUMNS": "300",
    }
    return CliRunner().invoke(cli.app, words, env=env)


def test_held_records_are_listed_in_the_order_of_their_device(gateway: FakeIdentity) -> None:
    shown = run(gateway, "held", "list", "--json")
    assert shown.exit_code == 0, shown.output
    assert [row["record"] for row in json.loads(shown.output)] == ["r1", "r2"]
    table = run(gateway, "held", "list")
    assert table.output.index("r1") < table.output.index("r2")
    assert ["stored before" in line for line in table.output.splitlines()] == [False, True, False]
    gateway.pages["/held"] = []
    assert "No record is held" in run(gateway, "held", "list").output


def test_a_release_goes_on_until_nothing_of_the_device_waits(
    gateway: FakeIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [a_row(f"r{n}", n) for n in range(1, 6)]
    gateway.pages["/held"] = rows
    may = gateway.may

    def deciding(handler: Any) -> bool:
        # One command decides about two of them.
        if handler.command == "POST":
            del rows[:2]
        return may(handler)

    monkeypatch.setattr(gateway, "may", deciding)
    released = run(gateway, "held", "release", f" {DEVICE} ")
    assert released.exit_code == 0, released.output
    assert gateway.given == [("/held/ODOP.B1/release", {"device": DEVICE})] * 3
    assert "Released: 5 records count from now on." in released.output


def test_one_record_is_refused_with_a_reason(gateway: FakeIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    may = gateway.may

    def deciding(handler: Any) -> bool:
        if handler.command == "POST":
            gateway.pages["/held"] = [a_row("r1", 1)]
        return may(handler)

    monkeypatch.setattr(gateway, "may", deciding)
    assert run(gateway, "held", "refuse", DEVICE).exit_code == 2, "a reason is needed"
    refused = run(gateway, "held", "refuse", DEVICE, "--record", "r2", "--reason", "a copy", "--json")
    assert refused.exit_code == 0, refused.output
    assert gateway.given == [("/held/ODOP.B1/refuse", {"device": DEVICE, "record": "r2", "reason": "a copy"})]
    assert json.loads(refused.output) == {"device": DEVICE, "records": 1}
    unknown = run(gateway, "held", "release", DEVICE, "--record", "r9")
    assert unknown.exit_code == 1
    assert "No such record" in unknown.output


def test_a_file_goes_from_a_device_to_another_one_or_to_an_operator(gateway: FakeIdentity, tmp_path: Path) -> None:
    def till(name: str, *words: str) -> Result:
        return run(gateway, "till", "--booth", "ODOP.B1", "--till", name, "--spool-dir", str(tmp_path), *words)

    file = tmp_path / "records.json"
    assert till("T1", "export", str(file)).exit_code == 1, "nothing is unsent"
    assert till("T1", "close").exit_code == 0
    exported = till("T1", "export", str(file))
    assert exported.exit_code == 0, exported.output
    [record] = json.loads(file.read_text())
    gateway.answers["/intake"] = [{"id": record["id"], "status": "stored"}]
    for done in (till("T2", "import", str(file)), run(gateway, "held", "import", str(file))):
        assert done.exit_code == 0, done.output
        assert "1 record stored, 0 held" in done.output
    assert gateway.given == [("/intake", [record])] * 2
    refused = {"status": "refused", "reason": "no_right", "template": "You may not.", "values": {}}
    gateway.answers["/intake"] = [{"id": record["id"], **refused}]
    declined = till("T2", "import", str(file))
    assert declined.exit_code == 1
    assert "You may not." in declined.output
    assert json.loads(till("T2", "import", str(file), "--json").stdout)[0]["reason"] == "no_right"
