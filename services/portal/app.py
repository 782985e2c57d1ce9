"""Wiring of the portal."""

from services.portal.api import portal
from shared import log
from shared.http.server import serve
from shared.runtime.plain_service import PlainService
from shared.settings import Settings


def main() -> None:
    """Run the portal until it is told to stop."""
    settings = Settings()
    log.configure(settings, "portal")
    service = PlainService("portal", settings)
    serve(portal(service), service)


if __name__ == "__main__":
    main()
