"""An operator mends and archives what no service can use: once in effect, told by everyone, and without a trace of a
maker."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner, Result

from cli.dlq import app
from deploy.local.services import environment
from deploy.topics import SERVICES
from ops import mending
from ops.rebuild import compare
from ops.verify import verify
from shared import envelope
from shared.errors import NotReached
from shared.events.operator import OPERATOR, LetterArchived, LetterMended
from shared.events.production import ANSWERS, TERMINAL, ProductionReported, ReportAccepted
from shared.kafka import topic_name
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.place import RunService
from tests.support.probe import Probe
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration

Karya = Callable[..., "asyncio.Future[Result]"]
MAKER = "p.mazcrdi4ewgq7ubn"
SOURCE = "terminal/PR-KPG/T1"


@pytest.fixture
def karya_dlq(settings: Settings) -> Karya:
    """`await karya_dlq("list", "--json")`, as from a shell."""

    def run(*words: str) -> "asyncio.Future[Result]":
        call = CliRunner(env=environment(settings) | {"KARYA_OPERATOR": "op.kupang", "COLUMNS": "300"}).invoke
        return asyncio.ensure_future(asyncio.to_thread(call, app, list(words)))

    return run


@pytest.fixture
async def production(run_service: RunService) -> AsyncIterator[None]:
    async with run_service("production"):
        yield


def report(qty: object) -> bytes:
    day = (datetime.now(UTC).date() - timedelta(days=2)).isoformat()
    fields = {"facility": "PR-KPG", "terminal": "T1", "product": "KTI", "qty": qty, "made_on": day, "maker": MAKER}
    return json.dumps(fields).encode()


async def send(probe: Probe, id: str, value: bytes, *, key: bytes = b"PR-KPG") -> None:
    body = ProductionReported(facility="PR-KPG", terminal="T1", product="KTI", qty=1, made_on=date(2026, 4, 1))
    headers = envelope.headers(id=id, source=SOURCE, topic=TERMINAL, body=body, time=envelope.EPOCH)
    await probe.send_raw(TERMINAL, key=key, value=value, headers=headers)


async def letters(karya_dlq: Karya, *words: str) -> list[dict[str, Any]]:
    result = await karya_dlq("list", "--json", *words)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


async def until_letters(probe: Probe, karya_dlq: Karya, count: int) -> list[str]:
    """The places of the letters, once there are so many. The command comes after: it catches what services write."""
    await eventually(lambda: probe.dlq(TERMINAL), until=lambda dead_letters: len(dead_letters) == count, within=30)
    return [str(letter["letter"]) for letter in await letters(karya_dlq)]


async def accepted(probe: Probe) -> list[str]:
    return [event.body.report for event in await probe.read_all(ANSWERS) if isinstance(event.body, ReportAccepted)]


async def test_a_replay_says_which_letters_no_service_can_use(
    production: None, probe: Probe, karya_dlq: Karya
) -> None:
    for n in range(4):
        await send(probe, f"report-{n}", report("twelve"))
    places = await until_letters(probe, karya_dlq, 4)
    replayed = await karya_dlq("replay", "PR-KPG")
    assert replayed.exit_code == 1
    assert replayed.stdout == "Nothing was sent back.\n"
    assert "4 of this key can't be replayed, because no service can use them:" in replayed.stderr
    assert all(f"{place}  BAD_BODY. qty" in replayed.stderr for place in places)
    assert "`karya dlq mend LETTER FIELD=VALUE`" in replayed.stderr
    assert "`karya dlq archive LETTER --reason TEXT`" in replayed.stderr
    answer = json.loads((await karya_dlq("replay", "PR-KPG", "--json")).stdout)
    assert (answer["meant"], answer["sent"], answer["still_open"]) == (4, 0, 0)
    assert [letter["letter"] for letter in answer["not_replayed"]] == places
    assert all("karya dlq mend" in letter["advice"] for letter in answer["not_replayed"])
    assert len(await probe.dlq(TERMINAL)) == 4, "none was sent"


async def test_a_mended_copy_counts_once_and_answers_the_terminals_own_report(
    run_service: RunService, settings: Settings, mongo: Mongo, probe: Probe, karya_dlq: Karya
) -> None:
    async with AsyncExitStack() as running:
        for service in SERVICES:
            await running.enter_async_context(run_service(service))
        await send(probe, "report-1", report("twelve"))
        [place] = await until_letters(probe, karya_dlq, 1)
        refused = await karya_dlq("mend", place, "qty=many")
        assert (refused.exit_code, refused.stderr.strip()) == (1, "qty: It must be a whole number.")
        assert await probe.records(OPERATOR) == []
        result = await karya_dlq("mend", place, "qty=12", "--note", "as the sheet says")
        assert result.exit_code == 0, result.output
        assert "with qty changed" in result.stdout
        assert "production has worked it." in result.stdout
        assert await accepted(probe) == ["report-1"], "the terminal knows its report by this name"
        [copy] = [record for record in await probe.records(TERMINAL) if ("actor", b"op.kupang") in record.headers]
        [original] = [record for record in await probe.records(TERMINAL) if record.value == report("twelve")]
        headers = dict(copy.headers)
        at = f"{TERMINAL.name}/{original.partition}/{original.offset}"
        assert (headers["ce_source"], headers["causationid"], headers["mends"]) == (
            b"karya/operator",
            b"report-1",
            at.encode(),
        )
        assert headers["ce_id"] != b"report-1"
        [mending_event] = await probe.read_all(OPERATOR)
        assert isinstance(mending_event.body, LetterMended)
        assert (mending_event.body.original, mending_event.body.letter, mending_event.body.fields) == (
            at,
            place,
            ("qty",),
        )
        assert (mending_event.body.actor, mending_event.body.note, mending_event.body.mended) == (
            "op.kupang",
            "as the sheet says",
            headers["ce_id"].decode(),
        )
        repetition = await karya_dlq("mend", place, "qty=12")
        assert (repetition.exit_code, repetition.stdout.startswith("Mended before")) == (0, True), repetition.output
        other = await karya_dlq("mend", place, "qty=13")
        assert other.exit_code == 1
        assert "was mended already by op.kupang, with another body" in other.stderr
        replayed = await karya_dlq("replay", place)
        assert replayed.exit_code == 1
        assert "is not replayed. It was mended by op.kupang" in replayed.stderr
        assert (await karya_dlq("archive", place, "--reason", "made up")).exit_code == 1
        assert await letters(karya_dlq) == []
        assert [record["status"] for record in await letters(karya_dlq, "--all")] == ["mended"]
        checked = await verify(settings, within=30)
        assert checked.ok, [(check.name, check.broken) for check in checked.broken]
        [notes] = [check.notes for check in checked.checks if check.name == "dead letters"]
        assert notes == [f"production {TERMINAL.name}: 1 × BAD_BODY (1 mended)"]
    assert len(await probe.read_all(OPERATOR)) == 1
    assert await mongo.database("production")["lots"].count_documents({"qty": 12, "report": "report-1"}) == 1
    assert await mongo.database("production")["lots"].count_documents({}) == 1
    assert (await compare(settings, "production")).ok


async def test_a_crash_between_the_copy_and_its_event_is_healed_by_the_same_command(
    production: None, mongo: Mongo, probe: Probe, karya_dlq: Karya, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(probe, "report-1", report("twelve"))
    [place] = await until_letters(probe, karya_dlq, 1)

    async def dies(*_: object) -> None:
        raise NotReached("made up for a test")

    with monkeypatch.context() as patch:
        patch.setattr(mending, "_tell", dies)
        assert (await karya_dlq("mend", place, "qty=12")).exit_code == 1
    await eventually(lambda: accepted(probe), equals=["report-1"])
    assert await letters(karya_dlq) == [], "its copy was worked, so nothing is to be done"
    assert await probe.records(OPERATOR) == []
    healed = await karya_dlq("mend", place, "qty=12")
    assert healed.exit_code == 0, healed.output
    assert [type(event.body) for event in await probe.read_all(OPERATOR)] == [LetterMended]
    assert await mongo.database("production")["lots"].count_documents({}) == 1


async def test_an_archived_letter_leaves_the_list_and_can_still_be_mended(
    production: None, probe: Probe, karya_dlq: Karya, tmp_path: Path
) -> None:
    await send(probe, "report-1", b'{"facility":')
    [place] = await until_letters(probe, karya_dlq, 1)
    assert (await karya_dlq("archive", place, "--reason", "a broken cable")).exit_code == 0
    assert "was archived before" in (await karya_dlq("archive", place, "--reason", "again")).stdout
    assert await letters(karya_dlq) == []
    shown = (await karya_dlq("list", "--all")).stdout
    assert "It was archived by op.kupang: a broken cable" in shown
    [event] = await probe.read_all(OPERATOR)
    assert isinstance(event.body, LetterArchived)
    body = tmp_path / "right.json"
    body.write_bytes(report(3))
    result = await karya_dlq("mend", place, "--body", str(body), "--as", "op.other")
    assert result.exit_code == 0, result.output
    assert MAKER not in result.output
    assert [row["status"] for row in await letters(karya_dlq, "--all")] == ["mended"]


async def test_what_waits_for_a_replay_is_neither_mended_nor_archived(
    probe: Probe, karya_dlq: Karya, run_service: RunService, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.production.handlers import PROCESSORS

    def fails(*_: object) -> Any:
        raise ZeroDivisionError("made up for a test")

    monkeypatch.setattr("services.production.handlers.PROCESSORS", (PROCESSORS[0].with_decide(fails),))
    async with run_service("production"):
        await send(probe, "report-1", report(12))
        [place] = await until_letters(probe, karya_dlq, 1)
    for words in (["mend", place, "qty=1"], ["archive", place, "--reason", "made up"]):
        refused = await karya_dlq(*words)
        assert refused.exit_code == 1
        assert "it is readable, and later events of its key wait for it" in refused.stderr
        assert "`karya dlq replay PR-KPG`" in refused.stderr


async def test_without_the_operators_topic_nothing_is_published(
    production: None, settings: Settings, probe: Probe, karya_dlq: Karya
) -> None:
    await send(probe, "report-1", report("twelve"))
    [place] = await until_letters(probe, karya_dlq, 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic_name(settings, OPERATOR.name)])
    finally:
        await admin.close()
    for words in (["mend", place, "qty=12"], ["archive", place, "--reason", "made up"]):
        refused = await karya_dlq(*words)
        assert refused.exit_code == 1
        assert (
            f"There is no topic {topic_name(settings, OPERATOR.name)} on this Kafka; `karya topics` makes it."
            in refused.stderr
        )
    assert len(await probe.records(TERMINAL)) == 1
    assert len(await letters(karya_dlq)) == 1, "the list needs no such topic"
