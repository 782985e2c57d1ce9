"""Wiring of the portal."""

import gc

if __name__ == "__main__":
    # What is imported stays, and searching it for garbage takes a tenth of a start. `serve` turns it on again.
    gc.disable()

from services.portal.api import portal
from services.portal.store import PublicStream
from shared import log
from shared.events.public import SHOWN_TO_STRANGERS
from shared.http.server import serve
from shared.runtime.follower import TopicFollower
from shared.runtime.plain_service import PlainService
from shared.settings import Settings


def main() -> None:
    """Run the portal until it is told to stop."""
    settings = Settings()
    log.configure(settings, "portal")
    service = PlainService("portal", settings)
    stream = PublicStream()
    service.add_chore(
        "public stream", TopicFollower(settings, SHOWN_TO_STRANGERS, stream.take, stream.mark_whole).run
    )
    serve(portal(service, stream=stream), service)


if __name__ == "__main__":
    main()
