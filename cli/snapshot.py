"""The snapshot of the catalogue, fetched over HTTP for a terminal or a till."""

from collections.abc import Callable
from typing import Annotated

import httpx
import typer

from cli import sessions
from cli.console import say, show_json
from edge.snapshot import CatalogueSnapshot
from edge.spool import Spool
from shared.access.session import Bearer
from shared.causes import cause_of
from shared.errors import NotAnswered
from shared.events.language import Topic
from shared.translation import tr
from shared.wording import Message

From = Annotated[
    str | None,
    typer.Option("--from", metavar="URL", envvar="KARYA_PRODUCTION_URL", help="Address of the production service."),
]
_WITHIN = 20.0


def renew(
    spool: Spool, topic: Topic, url: str | None, keep: Callable[[CatalogueSnapshot], int], *, as_json: bool
) -> None:
    """Fetch the snapshot if it has changed, and show how many products the device knows now.

    `keep` puts it into the spool and returns their number. Raises NotAnswered, and the errors of `keep`.
    """
    if not url:
        raise NotAnswered(Message("No production service is known here: say --from, or set KARYA_PRODUCTION_URL."))
    snapshot = _fetch(url, spool.etag(topic, url))
    products = keep(snapshot) if snapshot is not None else None
    if as_json:
        show_json({"changed": snapshot is not None, "revision": snapshot and snapshot.revision, "products": products})
    elif snapshot is None:
        say(tr("Nothing in the catalogue has changed since it was last fetched."))
    else:
        say(
            tr(
                "The catalogue, revision {revision}, is kept on this device: {products:product|products}.",
                revision=snapshot.revision,
                products=products or 0,
            )
        )


def _fetch(url: str, etag: str | None) -> CatalogueSnapshot | None:
    """The snapshot at this address; None if it is still the one with this ETag."""
    headers = {"If-None-Match": etag} if etag is not None else {}
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/catalogue", headers=headers, timeout=_WITHIN, auth=Bearer(sessions.token_source())
        )
    except (httpx.InvalidURL, httpx.TransportError) as fault:
        message = Message(
            "{url} does not answer ({reason}). The copy on this device stays as it is.",
            url=url,
            reason=cause_of(fault),
        )
        raise NotAnswered(message) from None
    if answer.status_code == 304:
        return None
    if answer.status_code == 401:
        message = Message("Sign in first: `karya login`. The copy on this device stays as it is.")
        raise NotAnswered(message, answer.status_code)
    if answer.status_code != 200:
        message = Message(
            "{url} has no catalogue: it answered {status}. The copy on this device stays as it is.",
            url=url,
            status=answer.status_code,
        )
        raise NotAnswered(message, answer.status_code)
    try:
        page = answer.json()
    except ValueError:
        page = None
    return CatalogueSnapshot.of(url, answer.headers.get("ETag", ""), page)
