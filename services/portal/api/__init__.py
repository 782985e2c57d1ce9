"""Pages for people, their files, and what is passed on for devices."""

import httpx
from fastapi import FastAPI

from services.portal.api import (
    apps,
    assets,
    audit,
    catalogue,
    checks,
    design,
    facilities,
    facility_losses,
    festival,
    festivals,
    forwarding,
    held,
    home,
    install,
    join,
    labels,
    letters,
    live,
    operator,
    provider_sign_in,
    public,
    public_lots,
    sign_in,
)
from services.portal.api.assets import Assets
from services.portal.api.festival.desk import Desk
from services.portal.api.forwarding import DeviceForwarding
from services.portal.api.organiser import Organiser
from services.portal.api.outcomes import add_outcome_page
from services.portal.api.pages import HEADERS, Pages, add_fault_pages, form_rules
from services.portal.api.people import People
from services.portal.api.reader import ReaderLanguage
from services.portal.clients import Identity, Services
from services.portal.store import PortalSessions, PublicStream, Statements
from shared.http.access import SigningKeys
from shared.http.identity_keys import IdentityKeys
from shared.http.server import bare_application
from shared.runtime.plain_service import PlainService


def portal(
    service: PlainService,
    signing_keys: SigningKeys | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    stream: PublicStream | None = None,
) -> FastAPI:
    """The application of the portal. `signing_keys`: where the keys of access tokens come from, if not from identity
    over HTTP. `transport`: how the other services are reached, if not over HTTP. `stream`: what strangers may see."""
    settings, stream = service.settings, stream or PublicStream()
    sessions, identity = PortalSessions(service.database), Identity(settings.identity_url, transport)
    statements = Statements(service.database)
    service.add_preparation(sessions.prepare)
    service.add_preparation(statements.prepare)
    services, devices = Services(settings, transport), DeviceForwarding(settings, transport)
    for client in (identity, services, devices):
        service.add_closing(client.close)
    keys = signing_keys or IdentityKeys(settings.identity_url)
    people = People(sessions, identity, keys, settings.issuer)
    files = Assets()
    pages, organiser = Pages(files), Organiser(services)
    parts = (
        # Before the files: these are made here.
        apps.routes(files, settings.identity_url),
        assets.routes(files),
        design.routes(pages),
        sign_in.routes(pages, people, identity, settings),
        provider_sign_in.routes(people, identity, settings),
        join.routes(pages, people, services, identity),
        home.routes(pages, organiser, stream),
        *festival.routes(Desk(pages, organiser, services, stream.names), people),
        festivals.routes(pages, organiser),
        catalogue.routes(pages, services, stream.names),
        operator.routes(pages, services, stream),
        held.routes(pages, services),
        letters.routes(pages, services),
        checks.routes(pages, services),
        audit.routes(pages, services),
        live.routes(organiser, service.stopping),
        install.routes(pages, settings),
        public.routes(pages, stream),
        public_lots.routes(pages, stream),
        facilities.routes(pages, organiser, services, statements, stream),
        facility_losses.routes(pages, organiser, services, stream.names),
        labels.routes(pages, organiser, stream),
    )
    app = bare_application(service, "Karya", parts, people.caller, rules=form_rules, security=HEADERS)
    # The service that gets such a request knows its parameters.
    app.include_router(forwarding.routes(devices))
    app.add_middleware(ReaderLanguage)
    add_fault_pages(app, pages)
    add_outcome_page(app, pages)
    return app
