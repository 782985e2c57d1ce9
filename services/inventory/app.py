"""Wiring of the inventory service."""

import gc

if __name__ == "__main__":
    # What is imported stays, and searching it for garbage takes a tenth of a start. `serve` turns it on again.
    gc.disable()

from services.inventory.api import routes
from services.inventory.handlers import PROCESSORS
from shared import log
from shared.http.server import application, serve
from shared.runtime.service import Service
from shared.settings import Settings


def main() -> None:
    """Run the service until it is told to stop."""
    settings = Settings()
    log.configure(settings, "inventory")
    service = Service("inventory", PROCESSORS, settings)
    serve(application(service, "Karya inventory", routes(service)), service)


if __name__ == "__main__":
    main()
