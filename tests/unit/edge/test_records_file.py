"""Unsent records in a file: written once, signed as they were, and sent in requests of a bounded size."""

import base64
import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.spool import IntakeRefusal
from edge.sync import gateway, records_file
from edge.sync.records_file import bring, export_unsent, read_records
from edge.terminal.terminal import Terminal
from shared.access.signatures import HEADER
from shared.errors import NotReached, WrongEntry
from shared.wording import Message

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


@pytest.fixture
def terminal(tmp_path: Path) -> Any:
    with Terminal(tmp_path / "spool", "LP-KPG", "T1") as terminal:
        yield terminal


def record(terminal: Terminal, count: int) -> list[str]:
    return [terminal.record("KTI", 1, made_on=NOW.date(), at=NOW).id for _ in range(count)]


def test_unsent_records_are_written_as_the_gateway_takes_them(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_file, "_PAGE", 2)
    record(terminal, 6)
    terminal.spool.offer(3)
    terminal.spool.acknowledge([1])
    # What the gateway did not take is unsent, too.
    terminal.spool.refuse([IntakeRefusal(2, "held", "device_revoked", Message("held"))])
    terminal.take_out(4)
    file = tmp_path / "records.json"
    assert export_unsent(terminal.spool, file) == 4
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "a report may name a maker's pseudonym"
    unsent = terminal.spool.pending(10)
    assert [record.number for record in unsent] == [2, 3, 5, 6]
    for written, kept in zip(read_records(file), unsent, strict=True):
        assert (written["id"], base64.b64decode(written["data_base64"])) == (kept.id, kept.value)
        assert written[HEADER].encode() == dict(kept.headers)[HEADER]
    with pytest.raises(WrongEntry, match="begun to send"):
        terminal.take_out(6)


def test_a_file_is_never_written_over_and_never_empty(terminal: Terminal, tmp_path: Path) -> None:
    with pytest.raises(WrongEntry, match="was sent"):
        export_unsent(terminal.spool, tmp_path / "none.json")
    assert not (tmp_path / "none.json").exists()
    record(terminal, 1)
    (tmp_path / "there.json").write_text("mine")
    with pytest.raises(WrongEntry, match="exists already"):
        export_unsent(terminal.spool, tmp_path / "there.json")
    assert (tmp_path / "there.json").read_text() == "mine"
    with pytest.raises(WrongEntry, match="can't be created"):
        export_unsent(terminal.spool, tmp_path / "nowhere" / "there.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"[1]", b"\xff", b"[" * 100_000])
def test_what_is_no_such_file_is_said(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "records.json"
    file.write_bytes(content)
    with pytest.raises(WrongEntry, match="has no records"):
        read_records(file)
    with pytest.raises(WrongEntry, match="can't be read"):
        read_records(tmp_path / "missing.json")


def test_records_are_sent_in_their_order_in_requests_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_file, "LARGEST_WINDOW", 3)
    monkeypatch.setattr(records_file, "MOST_BYTES", 200)
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == gateway.RECORDS
        sent = json.loads(request.content)
        sizes.append(len(sent))
        status = {"big": "held", "r1": "refused"}
        rows = [
            {
                "id": row["id"],
                "status": status.get(row["id"], "stored"),
                "reason": "x",
                "template": "No.",
                "values": {},
            }
            for row in sent
        ]
        return httpx.Response(200, json=rows)

    records = [{"id": f"r{n}"} for n in range(5)] + [{"id": "big", "data": "x" * 190}, {"id": "last"}]
    with httpx.Client(base_url="http://gateway.test", transport=httpx.MockTransport(answer)) as client:
        brought = bring(client, records)
    assert sizes == [3, 2, 1, 1]
    assert [row.id for row in brought] == [row["id"] for row in records]
    assert [row.id for row in brought if not row.is_taken] == ["r1"]
    assert brought[1].message == Message("No.")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(401, json={"detail": "Sign in first."}), "answers 401: Sign in first."),
        (httpx.Response(200, json=[]), "no gateway"),
        (httpx.Response(200, text="<html>"), "no gateway"),
        (httpx.Response(200, json=[{"id": "r"}]), "no gateway"),
        (httpx.ConnectError("refused"), "does not answer"),
    ],
)
def test_a_gateway_that_does_not_take_them_is_said(answer: httpx.Response | Exception, why: str) -> None:
    def give(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(give)
    with (
        httpx.Client(base_url="http://gateway.test", transport=transport) as client,
        pytest.raises(NotReached, match=why),
    ):
        bring(client, [{"id": "r1"}])
