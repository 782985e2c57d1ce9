"""A device's connection to the gateway, over HTTP."""

import base64
import gzip
import json
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from edge.spool import IntakeRefusal, NewsFeed, Spool, SpooledRecord
from edge.sync.route import Declined, Received, Sent, Subscription, Unreachable
from shared import envelope
from shared.causes import cause_of
from shared.errors import Unusable
from shared.events.language import Event, Topic
from shared.retry import attempts
from shared.trust import trusted
from shared.wording import Message, as_message, message_of

PATIENCE = 30.0
# A slow line must get some records through before the answer is given up; a fast one soon has large windows.
FIRST_WINDOW = 50
LARGEST_WINDOW = 500
# Of the body before it is compressed. The gateway takes 4 MiB.
MOST_BYTES = 3 * 1024 * 1024
SMALLEST_TO_PACK = 1024
NEWS_PAGE = 500
LONGEST_WAIT = 20.0
# A gateway hears of a new device a moment after identity has enrolled it.
HEARD_WITHIN = 5.0
RECORDS = "application/cloudevents-batch+json"
_PLACES = {"facility": "facilities", "booth": "booths"}
# The gateway's reason for a record whose signer nobody has enrolled.
_UNKNOWN_DEVICE = "unknown_device"
_UNKNOWN_ANSWER = Message("answers in a way that this version does not know; please update karya")


class GatewayRoute:
    """The route to the gateway at `url`. `auth` adds the access token to each request. `transport`: what carries the
    requests, if not the network."""

    def __init__(
        self, url: str, auth: httpx.Auth | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._auth = auth
        self._transport = transport

    @property
    def name(self) -> Message:
        return Message("The gateway")

    @property
    def server(self) -> Message:
        return Message("The gateway at {address}", address=self.url)

    @asynccontextmanager
    async def open(self, spool: Spool, subscriptions: Sequence[Subscription]) -> AsyncIterator["GatewayLink"]:
        try:
            async with httpx.AsyncClient(
                base_url=self.url,
                auth=self._auth,
                transport=self._transport,
                timeout=PATIENCE,
                verify=trusted(),
            ) as client:
                yield GatewayLink(spool, self.url, client, subscriptions)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Unreachable(Message("has no valid address")) from error
        except httpx.RequestError as error:
            raise Unreachable(Message("does not answer ({reason})", reason=cause_of(error))) from error


class GatewayLink:
    """The HTTP client of one synchronisation."""

    def __init__(
        self, spool: Spool, url: str, client: httpx.AsyncClient, subscriptions: Sequence[Subscription]
    ) -> None:
        [(place, key)] = {(subscription.topic.key, subscription.key) for subscription in subscriptions}
        self.window = FIRST_WINDOW
        self._spool = spool
        self._client = client
        self._by_topic = {subscription.topic.name: subscription for subscription in subscriptions}
        self._feed = NewsFeed(url, key, ",".join(sorted(self._by_topic)))
        self._news = f"/{_PLACES[place]}/{quote(key, safe='')}/news"
        self._behind = True
        self._heard_by = time.monotonic() + HEARD_WITHIN

    async def send(self, window: Sequence[SpooledRecord]) -> Sent:
        sent = await self._send(window)
        async for _ in attempts(within=max(0.0, self._heard_by - time.monotonic()), first=0.1, most=0.5):
            unknown = {refusal.number for refusal in sent.refusals if refusal.reason == _UNKNOWN_DEVICE}
            # A lost key that was never enrolled can't be any more. What a revoked key has signed is not among them.
            records = self._spool.signed_again([record for record in window if record.number in unknown])
            if not records or sent.fault is not None:
                break
            try:
                sent = _joined(sent, await self._send(records))
            except (Unreachable, Declined, httpx.RequestError) as fault:
                sent = replace(sent, fault=fault)
        return sent

    async def _send(self, window: Sequence[SpooledRecord]) -> Sent:
        records, body = _packed(window)
        headers = {"Content-Type": RECORDS}
        if len(body) >= SMALLEST_TO_PACK:
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        answer = await self._client.post("/intake", content=body, headers=headers)
        if answer.status_code == 503:
            # The gateway works, and Kafka does not answer it.
            problem = _problem(answer)
            if isinstance(stored := problem.get("stored"), int):
                return _sent(records[:stored], problem.get("records", ()), Unreachable(_why(answer)))
        _check(answer)
        self.window = min(2 * self.window, LARGEST_WINDOW)
        return _sent(records, _list(answer), None)

    async def is_behind(self) -> bool:
        return self._behind

    async def receive(self, seconds: float) -> Received:
        parameters = {"topic": self._feed.topics, "limit": str(NEWS_PAGE), "after": self._spool.cursor(self._feed)}
        wait = math.ceil(min(seconds, LONGEST_WAIT))
        answer = await self._client.get(
            self._news,
            params={name: value for name, value in parameters.items() if value},
            headers={"Prefer": f"wait={wait}"} if wait else {},
            timeout=PATIENCE + wait,
        )
        _check(answer)
        items = _list(answer)
        events, unreadable = self._read(items)
        self._spool.receive_news(self._feed, events, _cursor(answer))
        self._behind = len(items) >= NEWS_PAGE
        return Received(len(events), unreadable)

    def _read(self, items: Sequence[Any]) -> tuple[list[tuple[Topic, Event, str | None]], int]:
        events: list[tuple[Topic, Event, str | None]] = []
        for item in items:
            try:
                subscription = self._by_topic[item["topic"]]
                event = envelope.decode(subscription.topic, _record(item))
            except (Unusable, KeyError, TypeError, ValueError, AttributeError):
                continue
            events.append(
                (
                    subscription.topic,
                    event,
                    getattr(event.body, subscription.about, None) if subscription.about else None,
                )
            )
        return events, len(items) - len(events)


@dataclass(frozen=True, slots=True)
class _Record:
    """A news item as the Kafka record that it was."""

    key: bytes
    value: bytes
    headers: envelope.Headers
    timestamp: int


def _record(item: Mapping[str, Any]) -> _Record:
    attributes = ("specversion", "id", "source", "type", "time")
    recorded_at = datetime.fromisoformat(item["recordedtime"])
    return _Record(
        item["partitionkey"].encode(),
        json.dumps(item["data"]).encode(),
        [(f"ce_{name}", item[name].encode()) for name in attributes],
        round(recorded_at.timestamp() * 1000),
    )


def _packed(window: Sequence[SpooledRecord]) -> tuple[Sequence[SpooledRecord], bytes]:
    """The records of the window that fit into one request, at least the first, and the body of that request."""
    parts: list[bytes] = []
    size = 0
    for record in window:
        part = json.dumps(as_event(record), ensure_ascii=False, separators=(",", ":")).encode()
        size += len(part) + 1
        if parts and size > MOST_BYTES:
            break
        parts.append(part)
    return window[: len(parts)], b"[" + b",".join(parts) + b"]"


def as_event(record: SpooledRecord) -> dict[str, str]:
    """The record as a CloudEvent: its headers as attributes, its bytes in base64."""
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in record.headers}
    attributes["datacontenttype"] = attributes.pop("content-type")
    return {**attributes, "partitionkey": record.key, "data_base64": base64.b64encode(record.value).decode()}


def _sent(records: Sequence[SpooledRecord], rows: Sequence[Any], fault: Exception | None) -> Sent:
    """What became of the records, by the gateway's answer for each of them. Raises Unreachable for another answer."""
    stored: list[int] = []
    refusals: list[IntakeRefusal] = []
    try:
        for record, row in zip(records, rows, strict=True):
            if row["status"] == "stored":
                stored.append(record.number)
            else:
                message = message_of(row["template"], row["values"])
                refusals.append(IntakeRefusal(record.number, row["status"], row["reason"], message))
    except (KeyError, TypeError, ValueError):
        raise Unreachable(_UNKNOWN_ANSWER) from None
    return Sent(stored, refusals, fault)


def _joined(sent: Sent, again: Sent) -> Sent:
    """What became of a window of which some records were sent twice."""
    answered = {*again.stored, *(refusal.number for refusal in again.refusals)}
    others = [refusal for refusal in sent.refusals if refusal.number not in answered]
    return Sent([*sent.stored, *again.stored], [*others, *again.refusals], again.fault)


def _check(answer: httpx.Response) -> None:
    """Raise Declined or Unreachable unless the request was answered."""
    if answer.status_code == 200:
        return
    if answer.status_code >= 500:
        raise Unreachable(_why(answer))
    raise Declined(problem_detail(answer))


def _why(answer: httpx.Response) -> Message:
    return Message("answers {status}: {detail}", status=answer.status_code, detail=problem_detail(answer))


def problem_detail(answer: httpx.Response) -> Message:
    """The sentence of a problem. Without a template it stays in English."""
    problem = _problem(answer)
    if isinstance(template := problem.get("template"), str):
        return message_of(template, problem.get("values") or {})
    return as_message(str(problem.get("detail") or answer.reason_phrase or answer.status_code))


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _list(answer: httpx.Response) -> list[Any]:
    try:
        rows = answer.json()
    except ValueError:
        rows = None
    if not isinstance(rows, list):
        # A proxy or a sign-in page of a network may answer in the gateway's place.
        raise Unreachable(_UNKNOWN_ANSWER)
    return rows


def _cursor(answer: httpx.Response) -> str:
    try:
        return parse_qs(urlsplit(answer.links["next"]["url"]).query).get("after", [""])[0]
    except (KeyError, ValueError):
        raise Unreachable(_UNKNOWN_ANSWER) from None
