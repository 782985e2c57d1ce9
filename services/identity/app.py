"""Wiring of the identity service."""

import gc

if __name__ == "__main__":
    # What is imported stays, and searching it for garbage takes a tenth of a start. `serve` turns it on again.
    gc.disable()

from functools import partial

from services.identity.api import routes
from services.identity.handlers import PROCESSORS
from services.identity.store import SECRETS, Secrets
from services.identity.store.upkeep import keep_up
from shared import log
from shared.http.server import application, serve
from shared.runtime.service import Service
from shared.settings import Settings


def main() -> None:
    """Run the service until it is told to stop."""
    settings = Settings()
    log.configure(settings, "identity")
    service = Service("identity", PROCESSORS, settings)
    secrets = Secrets(service.mongo.database(SECRETS))
    service.add_chore("upkeep", partial(keep_up, service.database, secrets, service.readiness_failures))
    serve(application(service, "Karya identity", routes(service), signing_keys=secrets.keys), service)


if __name__ == "__main__":
    main()
