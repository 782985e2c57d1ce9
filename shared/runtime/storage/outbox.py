"""The codec of the outbox: entries to documents and back."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

import bson

from shared.errors import UnknownVersion
from shared.mongo import Document
from shared.runtime.storage.types import OutboxEntry, OutboxRecord, outbox_id

# The bounds of one page. A usual record is about 1 KiB. A page of one record, a dead letter at most, may be larger
# and stays well below MongoDB's limit of 16 MiB.
FULL_RECORDS = 500
FULL_BYTES = 1024 * 1024


# How a page's records are written. A page without a number is of codec 0, which had the same bytes.
CODEC = 1
READABLE = (0, CODEC)


def to_outbox(outbox: Iterable[OutboxEntry]) -> Iterator[Document]:
    """The pages of these entries: one document per lane, or several if they are many.

    A document per entry cost as much as everything else that a batch writes.
    """
    for lane, run in groupby(outbox, key=attrgetter("lane")):
        # Arrays, because names of fields would be half of the size.
        records = [
            [number, topic, partition, key, value, list(chain.from_iterable(headers))]
            for _, number, (topic, partition, key, value, headers) in run
        ]
        for first in range(0, len(records), FULL_RECORDS):
            yield from _pages(lane, records[first : first + FULL_RECORDS])


def _pages(lane: str, records: list[list[Any]]) -> Iterator[Document]:
    """One page, or smaller ones if it would be too large. To count the bytes before would take as long as to encode
    them."""
    # Bytes, because only this module reads them, and a server takes several times as long for arrays.
    content = bson.encode({"records": records})
    if len(content) > FULL_BYTES and len(records) > 1:
        half = len(records) // 2
        yield from _pages(lane, records[:half])
        yield from _pages(lane, records[half:])
    else:
        yield {"_id": outbox_id(lane, records[0][0]), "codec": CODEC, "records": content}


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
