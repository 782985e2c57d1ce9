"""Every page of the portal, with what the other services answer for it. All quantities are made up."""

import re

from services.portal.api.facilities import MOST_LOTS
from shared.access.rights import Grant
from shared.access.routes import PORTAL, UNCOUNTED
from shared.events.identity import ANY, Role
from tests.support.callers import SUBJECT
from tests.support.festival_pages import (
    LOT,
    MORNING,
    PLACE,
    PROPOSED,
    SERVICES,
    facility_pages,
    operator_pages,
    running_festival,
)
from tests.support.operations_pages import operations_pages
from tests.support.portal import OtherServices
from tests.support.public_events import LOT as PUBLIC_LOT
from tests.support.public_events import a_balance, a_festival, a_part, catalogue_facts

# What a parameter of an address is in these tests.
VALUES = {
    "festival": "ODOP",
    "booth": "ODOP.B1",
    "plan": "R3",
    "shipment": "S1",
    "transfer": "T1",
    "refill": "R2",
    "facility": "PR-KPG",
    "lot": PUBLIC_LOT,
    "number": "1",
    "topic": "karya.terminal.production.v1.dlq",
    "partition": "3",
    "offset": "0",
}
SELL_THROUGH = {
    "booth": "ODOP.B1",
    "name": "Stan Timur",
    "products": [
        {
            "product": "KTI",
            "stocked": 20,
            "sold": 8,
            "lost": 0,
            "moved": 0,
            "unsold": 12,
            "sold_rupiah": 1_200_000,
            "hours": [{"at": f"2026-04-18T{hour:02}:00:00Z", "qty": 1} for hour in range(2, 10)],
        }
    ],
}
# No pages: a stream, files, and addresses that lead to others.
NO_PAGES = re.compile(r"/live|/public/lots|/sign-in/provider.*|.*\.(crt|svg)")
QUERIES = {"/facilities/{facility}/labels": f"?lot={LOT}&copies=240"}

ACCOUNT = {
    "subject": SUBJECT,
    "roles": [{"role": "cashier", "scope": "ODOP.B1"}],
    "opened_at": MORNING,
    "closed_at": None,
    "waits_for_reset": False,
    "login": "kasir",
    "name": "Kasir Satu",
}
AUDITED = {
    "at": MORNING,
    "actor": SUBJECT,
    "command": "OpenBooth",
    "key": "ODOP.B1",
    "id": "c-1",
    "festival": "ODOP",
    "cursor": f"{MORNING} karya/http c-1",
}


def page_addresses() -> list[str]:
    """The address of every page that people see."""
    gets = [
        name.removeprefix("GET ") for name, right in PORTAL.items() if name.startswith("GET ") and right != UNCOUNTED
    ]
    paths = sorted(path for path in gets if not NO_PAGES.fullmatch(path))
    return [re.sub(r"\{(\w+)\}", lambda name: VALUES[name[1]], path) + QUERIES.get(path, "") for path in paths]


def all_pages() -> OtherServices:
    """Services that answer for every page, to a person with every role."""
    roles = (Role.AUDITOR, Role.OPERATOR, Role.ADMINISTRATOR)
    others = OtherServices(
        Grant(Role.ORGANISER, ANY),
        Grant(Role.ORGANISER, "ODOP"),
        Grant(Role.FACILITY_STAFF, "PR-KPG"),
        *(Grant(role) for role in roles),
    )
    others.pages |= running_festival() | operator_pages() | facility_pages() | operations_pages()
    others.pages |= {"identity/devices": [], "identity/accounts": [ACCOUNT]}
    others.pages["sales/sell-through"] = [SELL_THROUGH]
    products = [{"kind": "product", "code": f"K{n}", "name": "Kopi", "products": None} for n in range(200)]
    others.pages["production/catalogue"] = {"entries": products}
    others.pages |= {f"{name}/audit": [AUDITED] for name in (*SERVICES, "operations")}
    others.pages |= {f"{PLACE}/requests/{name}": PROPOSED for name in ("R1", "R2")}
    [lot] = others.pages["inventory/lots"]
    others.pages["inventory/lots"] = [lot, *({**lot, "lot": f"{LOT}{n}"} for n in range(10 * MOST_LOTS))]
    for body in (*catalogue_facts(), a_festival(), a_balance(), *(a_part(f"s{n}", 1) for n in range(50))):
        others.stream.take(body)
    return others
