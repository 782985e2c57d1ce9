"""`python -m tests.support.former_version SERVICE`: a service that knows no codec of the outbox and no derivation.

Its pages and lanes have the form that they had before both were numbered, and it passes over what it does not know,
as that version did.
"""

import runpy
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from shared.mongo import Document
from shared.runtime.storage import Lane, OutboxEntry, outbox, store


def install() -> None:
    """Patch this process to the former forms."""
    pages, from_outbox, to_lane = outbox._pages, outbox.from_outbox, store._to_lane

    def former_pages(lane: str, records: list[list[Any]]) -> Iterator[Document]:
        return (_without(page, "codec") for page in pages(lane, records))

    def former_from_outbox(document: Mapping[str, Any]) -> Iterator[OutboxEntry]:
        return from_outbox(_without(document, "codec"))

    def former_lane(lane: Lane) -> Document:
        return _without(to_lane(lane), "derivation")

    outbox._pages = former_pages
    store.from_outbox = former_from_outbox  # type: ignore[attr-defined]
    store._to_lane = former_lane
    store._unmoved = former_lane


def _without(document: Mapping[str, Any], field: str) -> Document:
    return {name: value for name, value in document.items() if name != field}


if __name__ == "__main__":
    install()
    runpy.run_module(f"services.{sys.argv[1]}.app", run_name="__main__")
