"""The HTTP API of operations.

What the pages call is imported at the first call: it takes longer than all else of the start.
"""

from collections.abc import Mapping

from aiokafka.errors import KafkaError
from fastapi import APIRouter, FastAPI, Request, Response

from ops.reaching import unreachable
from ops.service import audit, letters, rebuilds, verification
from ops.service.runs import Runs
from shared.errors import KaryaError, NoSuchLetter, NotMendable, NotPermitted, NotReached
from shared.http.access import SigningKeys, bearers
from shared.http.docs import docs
from shared.http.identity_keys import IdentityKeys
from shared.http.problems import TITLE, problem
from shared.http.server import bare_application
from shared.runtime.plain_service import PlainService
from shared.wording import as_message

NAME = "operations"
_STATUSES: Mapping[type[KaryaError], int] = {NoSuchLetter: 404, NotMendable: 409, NotPermitted: 409, NotReached: 503}


def operations(service: PlainService, signing_keys: SigningKeys | None = None) -> FastAPI:
    """The application. `signing_keys`: where the keys of access tokens come from, if not from identity over HTTP."""
    settings = service.settings
    runs = Runs(settings)
    service.add_closing(runs.close)
    keys = signing_keys or IdentityKeys(settings.identity_url)
    app = bare_application(service, NAME, [routes(runs)], bearers(keys, settings.issuer))
    app.include_router(docs(NAME, app.openapi))

    async def on_kafka(_: Request, fault: KafkaError) -> Response:
        return problem(503, TITLE, unreachable(settings, fault))

    async def on_fault(_: Request, fault: Exception) -> Response:
        assert isinstance(fault, KaryaError)
        [status] = [status for kind, status in _STATUSES.items() if isinstance(fault, kind)]
        return problem(status, TITLE, as_message(fault.message))

    app.add_exception_handler(KafkaError, on_kafka)
    for kind in _STATUSES:
        app.add_exception_handler(kind, on_fault)
    return app


def routes(runs: Runs) -> APIRouter:
    """The router of all pages and requests."""
    router = APIRouter()
    for part in (
        letters.routes(runs.settings),
        verification.routes(runs),
        rebuilds.routes(runs),
        audit.routes(runs.settings),
    ):
        router.include_router(part)
    return router
