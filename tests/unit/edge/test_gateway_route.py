"""A device and a gateway: what is sent, what is kept of the answers, and what a person is told when it fails."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.sync import GatewayRoute, gateway
from edge.terminal.terminal import ReportStatus, Terminal
from shared import envelope
from shared.access.rights import Grant
from shared.access.session import Bearer, GivenToken
from shared.errors import NotReached, WrongEntry
from shared.events.identity import Role
from shared.events.production import ANSWERS, ReportAccepted
from shared.settings import Settings
from tests.support.callers import token_of, with_access
from tests.support.intake import Line, Log, News, an_intake

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
URL = "http://localhost"


@dataclass
class Site:
    """A gateway: its log, its news, and the line to it."""

    log: Log
    line: Line

    @property
    def news(self) -> News:
        return self.line.news

    def route(self, scope: str = "LP-KPG", url: str = URL) -> GatewayRoute:
        """The route of an account of this facility."""
        return GatewayRoute(url, Bearer(GivenToken(token_of(Grant(Role.FACILITY_STAFF, scope)))), self.line)

    def sent(self) -> list[list[dict[str, Any]]]:
        """The records of each request."""
        posts = [request for request in self.line.requests if request.method == "POST"]
        return [json.loads(unpacked(request)) for request in posts]


def unpacked(request: httpx.Request) -> bytes:
    return gzip.decompress(request.content) if "content-encoding" in request.headers else request.content


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    log = Log()
    async with an_intake(log, with_access(Settings())) as app:
        yield Site(log, Line(app))


@pytest.fixture
def terminal(tmp_path: Path) -> Any:
    with Terminal(tmp_path, "LP-KPG", "T1") as terminal:
        yield terminal


def record(terminal: Terminal, count: int = 1) -> list[str]:
    return [
        terminal.record("KRJ", qty, made_on=date(2026, 11, 30), at=NOW, unlisted=True).id
        for qty in range(1, count + 1)
    ]


def an_answer(report: str, id: str = "a1", **changes: Any) -> dict[str, Any]:
    body = ReportAccepted(facility="LP-KPG", terminal="T1", report=report, lot="L1")
    event = {
        "specversion": "1.0",
        "id": id,
        "source": "karya/production",
        "type": "ReportAccepted.v1",
        "time": "2026-11-30T08:00:00.000Z",
        "datacontenttype": "application/json",
        "partitionkey": "LP-KPG",
        "recordedtime": "2026-11-30T08:00:01.234Z",
        "topic": ANSWERS.name,
        "about": report,
        "data": body.model_dump(mode="json"),
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


async def test_records_go_out_with_the_bytes_of_the_spool(site: Site, terminal: Terminal) -> None:
    ids = record(terminal, 3)
    report = await terminal.sync(site.route(), wait=0)
    assert (report.sent, report.refused, terminal.counts().pending) == (3, 0, 0)
    assert site.log.ids == ids
    for spooled, record_ in zip(terminal.spool.records(), site.log.records, strict=True):
        assert record_.value == spooled.value
        own = [pair for pair in record_.headers if pair[0] != envelope.ACTOR]
        assert sorted(own) == sorted(spooled.headers)
    assert (await terminal.sync(site.route(), wait=0)).sent == 0


async def test_windows_grow_so_that_a_slow_line_gets_some_through(site: Site, terminal: Terminal) -> None:
    record(terminal, 400)
    await terminal.sync(site.route(), wait=0)
    assert [len(records) for records in site.sent()] == [50, 100, 200, 50]
    assert all(request.headers["content-encoding"] == "gzip" for request in site.line.requests[:4])
    assert len(set(site.log.ids)) == len(site.log.ids) == 400


async def test_a_request_stays_below_the_bound(
    site: Site, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MOST_BYTES", 1500)
    ids = record(terminal, 9)
    await terminal.sync(site.route(), wait=0)
    assert site.log.ids == ids
    assert all(len(unpacked(request)) <= 1502 for request in site.line.requests if request.method == "POST")
    monkeypatch.setattr(gateway, "MOST_BYTES", 10)
    record(terminal, 2)
    await terminal.sync(site.route(), wait=0)
    assert [len(records) for records in site.sent()][-2:] == [1, 1], "one at least"


async def test_an_answer_is_kept_with_the_cursor(site: Site, terminal: Terminal) -> None:
    [first, second] = record(terminal, 2)
    site.news.items = [an_answer(first)]
    report = await terminal.sync(site.route(), wait=0)
    assert (report.received, report.unanswered) == (1, 1)
    [event] = terminal.spool.received(ANSWERS)
    assert (event.about, event.logged_at) == (first, datetime(2026, 11, 30, 8, 0, 1, 234000, tzinfo=UTC))
    site.news.items.append(an_answer(second, "a2"))
    assert (await terminal.sync(site.route(), wait=0)).received == 1
    assert [row.status for row in terminal.tracked_reports()] == [ReportStatus.ACCEPTED] * 2
    asked = [request.url.params.get("after") for request in site.line.requests if request.method == "GET"]
    assert asked == [None, "1"]


async def test_pages_are_read_until_one_is_not_full(
    site: Site, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "NEWS_PAGE", 2)
    site.news.page = 2
    site.news.items = [an_answer(f"r{n}", f"a{n}") for n in range(5)]
    assert (await terminal.sync(site.route(), wait=0)).received == 5
    assert [event.about for event in terminal.spool.received(ANSWERS)] == [f"r{n}" for n in range(5)]


async def test_news_that_come_again_are_kept_once(site: Site, terminal: Terminal) -> None:
    site.news.items = [an_answer("r1"), an_answer("r1"), an_answer("r2", "a2")]
    await terminal.sync(site.route(), wait=0)
    # This name of the gateway has no cursor yet.
    assert (await terminal.sync(site.route(url="http://127.0.0.1"), wait=0)).received == 3
    assert [event.about for event in terminal.spool.received(ANSWERS)] == ["r1", "r2"]


async def test_each_gateway_and_each_choice_of_topics_has_its_cursor(site: Site, terminal: Terminal) -> None:
    site.news.items = [an_answer("r1")]
    for sales in (False, True, False):
        await terminal.sync(site.route(), wait=0, sales=sales)
    gets = [request.url.params for request in site.line.requests if request.method == "GET"]
    assert [(params.get("after"), len(params["topic"].split(","))) for params in gets] == [
        (None, 2),
        (None, 4),
        ("1", 2),
    ]
    assert len(terminal.spool.received(ANSWERS)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "ReportAccepted.v2"},
        {"topic": "karya.new.v1"},
        {"topic": None},
        {"recordedtime": "now"},
        {"data": {"facility": "LP-KPG"}},
        {"partitionkey": "LP-WKB"},
        {"id": None},
    ],
)
async def test_news_that_can_not_be_read_are_counted_and_passed(
    changes: dict[str, Any], site: Site, terminal: Terminal
) -> None:
    site.news.items = [an_answer("r1", **changes), an_answer("r2", "a2")]
    report = await terminal.sync(site.route(), wait=0)
    assert (report.received, report.unreadable) == (1, 1)
    assert (await terminal.sync(site.route(), wait=0)).unreadable == 0


async def test_a_record_that_is_not_taken_stays_with_its_reason_and_goes_again(
    site: Site, terminal: Terminal
) -> None:
    ids = record(terminal, 3)
    # As a newer version writes it.
    terminal.spool._db.execute(
        "update said set headers = replace(headers, 'Reported.v1', 'Reported.v2') where number = 2"
    )
    report = await terminal.sync(site.route(), wait=0)
    assert (report.sent, report.refused) == (2, 1)
    assert site.log.ids == [ids[0], ids[2]], "those behind it are sent"
    first, second, third = terminal.tracked_reports()
    assert [row.status for row in (first, second, third)] == [
        ReportStatus.SENT,
        ReportStatus.NOT_TAKEN,
        ReportStatus.SENT,
    ]
    assert second.refusal is not None
    assert (second.refusal.status, second.refusal.reason) == ("unusable", "unknown_version")
    assert "not known here" in second.refusal.message.english
    assert terminal.counts().pending == 1
    with pytest.raises(WrongEntry, match="begun to send"):
        terminal.take_out(2)
    # The gateway was updated.
    terminal.spool._db.execute(
        "update said set headers = replace(headers, 'Reported.v2', 'Reported.v1') where number = 2"
    )
    report = await terminal.sync(site.route(), wait=0)
    assert (report.sent, report.refused, site.log.ids[-1]) == (1, 0, ids[1])
    assert terminal.tracked_reports()[1].status is ReportStatus.SENT
    assert terminal.spool.refusals() == {}


async def test_records_of_another_account_wait_for_the_right_one(site: Site, terminal: Terminal) -> None:
    ids = record(terminal, 60)
    report = await terminal.sync(site.route("LP-WKB"), wait=0)
    assert (report.sent, report.refused, site.log.ids) == (0, 60, [])
    assert [len(records) for records in site.sent()] == [50, 10], "each once"
    assert {row.refusal.reason for row in terminal.tracked_reports() if row.refusal} == {"no_right"}
    assert (await terminal.sync(site.route(), wait=0)).sent == 60
    assert site.log.ids == ids


async def test_what_was_stored_before_a_fault_is_acknowledged(site: Site, terminal: Terminal) -> None:
    ids = record(terminal, 70)
    site.log.room = 55
    with pytest.raises(NotReached, match=r"answers 503: Kafka did not answer.* 15 records wait"):
        await terminal.sync(site.route(), wait=0)
    assert (len(site.log.ids), terminal.counts().pending) == (55, 15)
    site.log.room = 1000
    assert (await terminal.sync(site.route(), wait=0)).sent == 15
    assert site.log.ids == ids


async def test_a_lost_answer_sends_again_and_loses_nothing(site: Site, terminal: Terminal) -> None:
    ids = record(terminal, 3)

    def lost(request: httpx.Request) -> None:
        raise httpx.ReadTimeout("", request=request)

    site.line.after = lost
    with pytest.raises(
        NotReached, match=r"The gateway at http://localhost does not answer \(ReadTimeout\)\. 3 records wait"
    ):
        await terminal.sync(site.route(), wait=0)
    site.line.after = lambda _: None
    assert (await terminal.sync(site.route(), wait=0)).sent == 3
    assert site.log.ids == [*ids, *ids]


HTML = httpx.Response(200, html="<h1>Welcome to our network</h1>")
NO_LINK = httpx.Response(200, json=[])
TOO_FEW = httpx.Response(200, json=[{"id": "x", "status": "stored"}])
OTHER = httpx.Response(200, json=[{"no": "status"}, {"no": "status"}])
AWAY = httpx.Response(502, text="bad gateway")
GONE = httpx.Response(404, json={"detail": "no such page", "template": "There is no such page.", "values": {}})


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (HTML, "answers in a way that this version does not know"),
        (NO_LINK, "answers in a way that this version does not know"),
        (TOO_FEW, "answers in a way that this version does not know"),
        (OTHER, "answers in a way that this version does not know"),
        (AWAY, "answers 502: Bad Gateway"),
        (GONE, "refuses: There is no such page"),
    ],
    ids=["a page", "no link", "too few", "other", "away", "gone"],
)
async def test_an_answer_of_somebody_else_marks_nothing(
    answer: httpx.Response, sentence: str, site: Site, terminal: Terminal
) -> None:
    record(terminal, 2)
    site.line.in_its_place = lambda _: answer
    with pytest.raises(NotReached, match=f"{sentence}.*2 records wait"):
        await terminal.sync(site.route(), wait=0)
    assert terminal.counts().pending == 2
    assert terminal.spool.refusals() == {}


async def test_who_is_not_signed_in_is_told_so(site: Site, terminal: Terminal) -> None:
    record(terminal)
    with pytest.raises(NotReached, match=r"refuses: Sign in first: `karya login`.* 1 record waits"):
        await terminal.sync(GatewayRoute(URL, transport=site.line), wait=0)
    auditor = Bearer(GivenToken(token_of(Grant(Role.AUDITOR))))
    with pytest.raises(NotReached, match="refuses: Your account may not do this"):
        await terminal.sync(GatewayRoute(URL, auditor, site.line), wait=0)
    assert site.log.ids == []


@pytest.mark.parametrize("url", ["nowhere", "ftp://x", "http://", "http://[", ""])
async def test_an_address_that_is_none_is_said(url: str, terminal: Terminal) -> None:
    record(terminal)
    with pytest.raises(NotReached, match="1 record waits"):
        await terminal.sync(GatewayRoute(url), wait=0)


async def test_a_wait_asks_the_gateway_to_wait(site: Site, terminal: Terminal) -> None:
    [id] = record(terminal)
    answered = site.news.answer

    def late(request: httpx.Request) -> httpx.Response:
        if "prefer" in request.headers:
            site.news.items = [an_answer(id)]
        return answered(request)

    site.news.answer = late  # type: ignore[method-assign]
    report = await terminal.sync(site.route(), wait=7)
    assert (report.received, report.unanswered) == (1, 0)
    waits = [request.headers.get("prefer") for request in site.line.requests if request.method == "GET"]
    assert waits == [None, "wait=7"]
    # Nothing is missing any more, so nobody waits.
    await terminal.sync(site.route(), wait=7)
    assert [request.headers.get("prefer") for request in site.line.requests][-1] is None
