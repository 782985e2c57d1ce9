"""Wiring of the inventory service."""

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
