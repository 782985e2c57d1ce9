"""Wiring of the festival service."""

import gc

if __name__ == "__main__":
    # What is imported stays, and searching it for garbage takes a tenth of a start. `serve` turns it on again.
    gc.disable()

from services.festival.api import routes
from services.festival.handlers import PROCESSORS
from shared import log
from shared.http.server import application, serve
from shared.runtime.service import Service
from shared.settings import Settings


def main() -> None:
    """Run the service until it is stopped."""
    settings = Settings()
    log.configure(settings, "festival")
    service = Service("festival", PROCESSORS, settings)
    serve(application(service, "Karya festival", routes(service)), service)


if __name__ == "__main__":
    main()
