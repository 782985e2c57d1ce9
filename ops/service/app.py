"""Wiring of operations."""

from ops.service.api import NAME, operations
from shared import log
from shared.http.server import serve
from shared.runtime.plain_service import PlainService
from shared.settings import Settings

# It has no database. It notices by one that operators may read whether the server is there.
READABLE = "production"


def main() -> None:
    """Run operations until it is told to stop."""
    settings = Settings()
    log.configure(settings, NAME)
    service = PlainService(NAME, settings, database=READABLE)
    serve(operations(service), service)


if __name__ == "__main__":
    main()
