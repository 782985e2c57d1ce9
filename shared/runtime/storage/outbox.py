"""The codec of the outbox: entries to documents and back."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import bson

from shared.errors import UnknownVersion
from shared.mongo import Document
from shared.runtime.storage.types import OutboxEntry, OutboxRecord, outbox_id

# The bounds of one page. With the largest dead letter at its end it stays well below MongoDB's limit of 16 MiB.
FULL_RECORDS = 1000
FULL_BYTES = 1024 * 1024


# How a page's records are written. A page without a number is of codec 0, which had the same bytes.
CODEC = 1
READABLE = (0, CODEC)


def to_outbox(outbox: Iterable[OutboxEntry]) -> Iterator[Document]:
    """The pages of these entries: one document per lane, or several if they are many.

    A document per entry cost as much as everything else that a batch writes.
    """
    for _, run in groupby(outbox, key=attrgetter("lane")):
        page: list[list[Any]] = []
        first = size = 0
        for lane, number, (topic, partition, key, value, headers) in run:
            if not page:
                first = number
            # Arrays, because names of fields would be half of the size. Encoded to bytes, because only this module
            # reads them, and a server takes several times as long for arrays.
            flat = list(chain.from_iterable(headers))
            page.append([number, topic, partition, key, value, flat])
            # Headers count, too: a dead letter has any headers that its sender chose.
            size += sum(map(len, filter(None, (key, value, *flat))))
            if len(page) == FULL_RECORDS or size >= FULL_BYTES:
                yield _page(lane, first, page)
                page, size = [], 0
        if page:
            yield _page(lane, first, page)


def _page(lane: str, first: int, records: list[list[Any]]) -> Document:
    return {"_id": outbox_id(lane, first), "codec": CODEC, "records": bson.encode({"records": records})}


def from_outbox(document: Mapping[str, Any]) -> Iterator[OutboxEntry]:
    """The entries of a page, in number order. Raises UnknownVersion for a page that a newer Karya wrote."""
    codec = document.get("codec", 0)
    if codec not in READABLE:
        raise UnknownVersion(
            f"The outbox page {document['_id']} has codec {codec}, and this version reads codecs up to {CODEC}: "
            "use the newer version."
        )
    lane = document["_id"].rsplit("/", 1)[0]
    for number, topic, partition, key, value, flat in bson.decode(document["records"])["records"]:
        headers = list(zip(flat[::2], flat[1::2], strict=True))
        yield OutboxEntry(lane, number, OutboxRecord(topic, partition, key, value, headers))
