"""Each HTTP route of each service with the action that it needs. A route that is not here is refused to everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from shared.access.rights import Action


@dataclass(frozen=True, slots=True)
class RouteRight:
    """What a route needs. `action` None: the route is open to strangers. `others`: actions of which any one opens the
    route too. `checked_later`: the limiting field is known only once the function of the route has read it, so that
    the function asks for the right. `counted`: whether requests to an open route use up what strangers have."""

    action: Action | None
    checked_later: bool = False
    others: tuple[Action, ...] = ()
    counted: bool = True


# `METHOD /path` of one service, with the names of path parameters as they are.
Routes: TypeAlias = dict[str, RouteRight]

PUBLIC = RouteRight(None)
# Files of pages, and requests that another service checks and counts.
UNCOUNTED = RouteRight(None, counted=False)

# What every service has, and then what each API has.
_HEALTH: Routes = {
    "GET /health/live": PUBLIC,
    "GET /health/started": PUBLIC,
    "GET /health/ready": PUBLIC,
}
_DOCS: Routes = {
    "GET /docs": PUBLIC,
    "GET /docs/{asset}": PUBLIC,
    "GET /openapi.json": PUBLIC,
}
_AUDIT = RouteRight(Action.READ_AUDIT)
COMMON: Routes = _HEALTH | _DOCS | {"GET /backlog": RouteRight(Action.READ_BACKLOG), "GET /audit": _AUDIT}
_CATALOGUE = RouteRight(Action.READ_CATALOGUE)
_KEEP = RouteRight(Action.KEEP_CATALOGUE)
_COMMANDS = RouteRight(Action.READ_COMMANDS)
_RUN = RouteRight(Action.RUN_FESTIVAL)
_BOOTH = RouteRight(Action.RUN_BOOTH)
_RETURN = RouteRight(Action.RECEIVE_RETURN)
_FESTIVAL = RouteRight(Action.READ_FESTIVAL)
_AT_BOOTH = RouteRight(Action.READ_BOOTH)
_STOCK = RouteRight(Action.READ_STOCK)
_SETTLEMENTS = RouteRight(Action.READ_SETTLEMENTS)

PRODUCTION: Routes = {
    "POST /entries/{entry}/set-term": _KEEP,
    "POST /entries/{entry}/set-product": _KEEP,
    "POST /entries/{entry}/set-facility": RouteRight(Action.KEEP_FACILITY),
    "POST /entries/{entry}/set-lead-time": _KEEP,
    "POST /entries/{entry}/retire": _KEEP,
    "GET /catalogue": _CATALOGUE,
    "GET /catalogue/{entry}": _CATALOGUE,
    "GET /catalogue/{entry}/history": _CATALOGUE,
    "GET /facilities": _CATALOGUE,
    "GET /products": _CATALOGUE,
    "GET /commands/{command}": _COMMANDS,
    "GET /lots/{lot}": RouteRight(Action.READ_LOTS),
    "GET /reports/{report}": RouteRight(Action.READ_LOTS, checked_later=True),
    "GET /waiting-reports": RouteRight(Action.READ_LOTS),
}
INVENTORY: Routes = {
    "GET /lots": RouteRight(Action.READ_LOTS),
    "GET /lots/{lot}": RouteRight(Action.READ_LOTS),
}
FESTIVAL: Routes = {
    "POST /festivals": RouteRight(Action.ANNOUNCE_FESTIVAL),
    "GET /festivals": RouteRight(Action.READ_FESTIVALS),
    "GET /festivals/{festival}": RouteRight(Action.READ_FESTIVALS),
    "GET /commands/{command}": _COMMANDS,
    "POST /festivals/{festival}/change": _RUN,
    "POST /festivals/{festival}/cancel": _RUN,
    "POST /festivals/{festival}/close": _RUN,
    "POST /festivals/{festival}/booths": _RUN,
    "POST /festivals/{festival}/booths/{booth}/name": _RUN,
    "POST /festivals/{festival}/booths/{booth}/prices": _RUN,
    "POST /festivals/{festival}/booths/{booth}/products": _RUN,
    "POST /festivals/{festival}/booths/{booth}/tills": _RUN,
    "POST /festivals/{festival}/booths/{booth}/tills/{till}/strike": _RUN,
    "POST /festivals/{festival}/booths/{booth}/strays": _RUN,
    "POST /festivals/{festival}/booths/{booth}/merge": _RUN,
    "POST /festivals/{festival}/booths/{booth}/close": _RUN,
    "POST /festivals/{festival}/booths/{booth}/reopen": _RUN,
    "POST /festivals/{festival}/requests": _RUN,
    "POST /festivals/{festival}/requests/{request}/accept": _RUN,
    "POST /festivals/{festival}/requests/{request}/revise": _RUN,
    "POST /festivals/{festival}/replenishments": _RUN,
    "POST /festivals/{festival}/shipments": RouteRight(Action.SEND_SHIPMENT),
    "POST /festivals/{festival}/shipments/{shipment}/receive": _BOOTH,
    "POST /festivals/{festival}/shipments/{shipment}/recount": _BOOTH,
    "POST /festivals/{festival}/transfers": _BOOTH,
    "POST /festivals/{festival}/transfers/{transfer}/receive": _BOOTH,
    "POST /festivals/{festival}/transfers/{transfer}/recount": _BOOTH,
    "POST /festivals/{festival}/returns": _RETURN,
    "POST /festivals/{festival}/returns/recount": _RETURN,
    # The place of the loss decides which of the two is needed.
    "POST /festivals/{festival}/losses": RouteRight(Action.RUN_BOOTH, others=(Action.RECORD_FACILITY_LOSS,)),
    "POST /festivals/{festival}/disputes/{sale}/resolve": _RUN,
    "POST /festivals/{festival}/receipts/{receipt}/void": _BOOTH,
    "GET /festivals/{festival}/booths": _FESTIVAL,
    "GET /festivals/{festival}/booths/{booth}": _AT_BOOTH,
    "GET /festivals/{festival}/requests": _FESTIVAL,
    "GET /festivals/{festival}/requests/{request}": _FESTIVAL,
    "GET /festivals/{festival}/requests/{request}/what-if": _FESTIVAL,
    "GET /festivals/{festival}/replenishments/{request}": _FESTIVAL,
    "GET /festivals/{festival}/shipments": _FESTIVAL,
    "GET /festivals/{festival}/shipments/{shipment}": _FESTIVAL,
    "GET /festivals/{festival}/transfers": _FESTIVAL,
    "GET /festivals/{festival}/transfers/{transfer}": _FESTIVAL,
    "GET /festivals/{festival}/missing": _FESTIVAL,
    # Its share alone: the rest of a plan is for its festival's organisers.
    "GET /facilities/{facility}/shares": RouteRight(Action.READ_LOTS),
    "GET /stock": _STOCK,
    "GET /stock/{product}": _STOCK,
}
SALES: Routes = {
    "GET /booths": RouteRight(Action.READ_BOOTH),
    "GET /booths/{booth}": _AT_BOOTH,
    "GET /booths/{booth}/receipts": _AT_BOOTH,
    "GET /booths/{booth}/receipts/{receipt}": _AT_BOOTH,
    "GET /booths/{booth}/takings": _AT_BOOTH,
    "GET /disputes": _AT_BOOTH,
    "GET /sell-through": _AT_BOOTH,
    "GET /strays": RouteRight(Action.READ_STRAYS),
    "GET /settlements": _SETTLEMENTS,
    "GET /settlements/{facility}/{festival}": _SETTLEMENTS,
    "GET /facilities/{facility}/demand": _SETTLEMENTS,
}
IDENTITY: Routes = {
    "POST /sessions": PUBLIC,
    "POST /sessions/refresh": PUBLIC,
    "POST /sessions/end": PUBLIC,
    # A sign-in at another provider: out with a state, back with it, and a code for the client that has the verifier.
    "GET /sessions/provider": PUBLIC,
    "GET /sessions/provider/callback": PUBLIC,
    "POST /sessions/provider": PUBLIC,
    # The same for a browser at the portal: the portal has the verifier, as the browser's cookie.
    "POST /sessions/provider/begin": PUBLIC,
    "POST /sessions/provider/finish": PUBLIC,
    "GET /jwks": PUBLIC,
    "GET /.well-known/oauth-authorization-server": PUBLIC,
    # A code that its owner was given opens these: nobody has an account yet who uses them.
    "POST /invitations/{code}/account": PUBLIC,
    "POST /resets/{code}/password": PUBLIC,
    "POST /invitations/{code}/accept": RouteRight(Action.USE_OWN_ACCOUNT),
    "POST /password": RouteRight(Action.USE_OWN_ACCOUNT),
    "GET /me": RouteRight(Action.USE_OWN_ACCOUNT),
    # The role to be granted decides which right is needed: the functions of these pages ask for it.
    "POST /invitations": RouteRight(Action.USE_OWN_ACCOUNT, checked_later=True),
    "POST /accounts/{subject}/roles/grant": RouteRight(Action.USE_OWN_ACCOUNT, checked_later=True),
    "POST /accounts/{subject}/roles/withdraw": RouteRight(Action.USE_OWN_ACCOUNT, checked_later=True),
    "POST /accounts/{subject}/close": RouteRight(Action.KEEP_ACCOUNTS),
    "POST /accounts/{subject}/reset": RouteRight(Action.KEEP_ACCOUNTS),
    # The role of the device decides which right is needed.
    "POST /device-codes": RouteRight(Action.ENROL_TERMINAL, checked_later=True, others=(Action.ENROL_TILL,)),
    "POST /devices/{subject}/revoke": RouteRight(
        Action.ENROL_TERMINAL, checked_later=True, others=(Action.ENROL_TILL,)
    ),
    # A device shows a code, or what its key has signed.
    "POST /device-codes/{code}/device": PUBLIC,
    "POST /device-challenges": PUBLIC,
    "POST /device-tokens": PUBLIC,
    "GET /devices": RouteRight(Action.READ_DEVICES),
    "GET /devices/{subject}": RouteRight(Action.READ_DEVICES, checked_later=True),
    "GET /accounts": RouteRight(Action.READ_ACCOUNTS),
    "GET /accounts/{subject}": RouteRight(Action.READ_ACCOUNTS),
    "GET /commands/{command}": _COMMANDS,
}
GATEWAY: Routes = {
    # Each record names its own facility or booth.
    "POST /intake": RouteRight(
        Action.REPORT_PRODUCTION, checked_later=True, others=(Action.RECORD_SALES, Action.BRING_RECORDS)
    ),
    "GET /facilities/{facility}/news": RouteRight(Action.READ_FACILITY_NEWS),
    "GET /booths/{booth}/news": RouteRight(Action.READ_BOOTH_NEWS),
    "GET /held": RouteRight(Action.READ_HELD),
    "POST /held/{place}/release": RouteRight(Action.DECIDE_HELD),
    "POST /held/{place}/refuse": RouteRight(Action.DECIDE_HELD),
    "GET /commands/{command}": _COMMANDS,
}
_REPAIR = RouteRight(Action.REPAIR_LETTERS)
OPERATIONS: Routes = {
    "GET /audit": _AUDIT,
    "GET /letters": RouteRight(Action.READ_LETTERS),
    "GET /letters/{letter}": RouteRight(Action.READ_LETTERS),
    "POST /letters/{letter}/replay": _REPAIR,
    "POST /letters/{letter}/mend": _REPAIR,
    "POST /letters/{letter}/archive": _REPAIR,
    "GET /verification": RouteRight(Action.READ_CHECKS),
    "POST /verification": RouteRight(Action.RUN_CHECKS),
    "GET /rebuilds": RouteRight(Action.READ_CHECKS),
    "POST /rebuilds/{service}": RouteRight(Action.RUN_CHECKS),
}
_SIGNED_IN = RouteRight(Action.USE_OWN_ACCOUNT)
# Pages show what the other services answer to the person's own token: the rights are decided there.
PORTAL: Routes = {
    "GET /assets/{name}": UNCOUNTED,
    "GET /apps/{path}": UNCOUNTED,
    "GET /apps/identity.json": UNCOUNTED,
    "GET /apps/{app}/words.json": UNCOUNTED,
    "GET /apps/{app}/files.js": UNCOUNTED,
    "POST /gateway/intake": UNCOUNTED,
    "GET /gateway/facilities/{facility}/news": UNCOUNTED,
    "GET /gateway/booths/{booth}/news": UNCOUNTED,
    "GET /production/catalogue": UNCOUNTED,
    "GET /identity/.well-known/oauth-authorization-server": UNCOUNTED,
    "POST /identity/device-codes/{code}/device": UNCOUNTED,
    "POST /identity/device-challenges": UNCOUNTED,
    "POST /identity/device-tokens": UNCOUNTED,
    "GET /design": PUBLIC,
    # Nobody has signed in yet on a phone that does not trust the portal's certificate.
    "GET /install": PUBLIC,
    "GET /install/karya.crt": PUBLIC,
    "GET /public": PUBLIC,
    "GET /public/lots": PUBLIC,
    "GET /public/lots/{lot}": PUBLIC,
    "GET /public/lots/{lot}/qr.svg": PUBLIC,
    "GET /sign-in": PUBLIC,
    "GET /sign-in/provider": PUBLIC,
    "GET /sign-in/provider/callback": PUBLIC,
    "POST /sign-in": PUBLIC,
    "POST /sign-out": PUBLIC,
    "POST /language": PUBLIC,
    # A code that its owner was given opens these.
    "GET /join": PUBLIC,
    "POST /join": PUBLIC,
    "GET /restore": PUBLIC,
    "POST /restore": PUBLIC,
    "POST /join/accept": _SIGNED_IN,
    "GET /live": _SIGNED_IN,
    "GET /operator": _SIGNED_IN,
    "GET /operator/held": _SIGNED_IN,
    "POST /operator/held": _SIGNED_IN,
    "GET /operator/letters": _SIGNED_IN,
    "GET /operator/letters/{topic}/{partition}/{offset}": _SIGNED_IN,
    "POST /operator/letters/{topic}/{partition}/{offset}": _SIGNED_IN,
    "GET /operator/checks": _SIGNED_IN,
    "POST /operator/checks": _SIGNED_IN,
    "GET /operator/rebuilds": _SIGNED_IN,
    "POST /operator/rebuilds": _SIGNED_IN,
    "GET /audit": _SIGNED_IN,
    "GET /accounts": _SIGNED_IN,
    "POST /accounts": _SIGNED_IN,
    "GET /": _SIGNED_IN,
    "GET /catalogue": _SIGNED_IN,
    "GET /festivals": _SIGNED_IN,
    "GET /festivals/{festival}": _SIGNED_IN,
    "GET /festivals/announce": _SIGNED_IN,
    "POST /festivals/announce": _SIGNED_IN,
    "GET /festivals/{festival}/booths": _SIGNED_IN,
    "POST /festivals/{festival}/booths": _SIGNED_IN,
    "GET /festivals/{festival}/booths/{booth}": _SIGNED_IN,
    "POST /festivals/{festival}/booths/{booth}": _SIGNED_IN,
    "GET /festivals/{festival}/plans": _SIGNED_IN,
    "POST /festivals/{festival}/plans": _SIGNED_IN,
    "GET /festivals/{festival}/plans/{plan}": _SIGNED_IN,
    "GET /festivals/{festival}/plans/{plan}/what-if": _SIGNED_IN,
    "POST /festivals/{festival}/plans/{plan}/accept": _SIGNED_IN,
    "POST /festivals/{festival}/plans/{plan}/revise": _SIGNED_IN,
    "GET /festivals/{festival}/parcels": _SIGNED_IN,
    "POST /festivals/{festival}/parcels": _SIGNED_IN,
    "POST /festivals/{festival}/parcels/all": _SIGNED_IN,
    "GET /festivals/{festival}/parcels/packing-lists": _SIGNED_IN,
    "GET /festivals/{festival}/parcels/{shipment}/paper": _SIGNED_IN,
    "GET /festivals/{festival}/parcels/{shipment}": _SIGNED_IN,
    "POST /festivals/{festival}/parcels/{shipment}": _SIGNED_IN,
    "POST /festivals/{festival}/parcels/{shipment}/recount": _SIGNED_IN,
    "GET /festivals/{festival}/transfers": _SIGNED_IN,
    "POST /festivals/{festival}/transfers": _SIGNED_IN,
    "GET /festivals/{festival}/transfers/{transfer}": _SIGNED_IN,
    "POST /festivals/{festival}/transfers/{transfer}": _SIGNED_IN,
    "POST /festivals/{festival}/transfers/{transfer}/recount": _SIGNED_IN,
    "GET /festivals/{festival}/refills": _SIGNED_IN,
    "POST /festivals/{festival}/refills": _SIGNED_IN,
    "GET /festivals/{festival}/refills/{refill}": _SIGNED_IN,
    "GET /festivals/{festival}/booths/{booth}/receipts": _SIGNED_IN,
    "POST /festivals/{festival}/booths/{booth}/receipts": _SIGNED_IN,
    "GET /festivals/{festival}/strays": _SIGNED_IN,
    "POST /festivals/{festival}/strays": _SIGNED_IN,
    "GET /festivals/{festival}/change": _SIGNED_IN,
    "POST /festivals/{festival}/change": _SIGNED_IN,
    "POST /festivals/{festival}/cancel": _SIGNED_IN,
    "GET /festivals/{festival}/people": _SIGNED_IN,
    "POST /festivals/{festival}/people": _SIGNED_IN,
    "GET /festivals/{festival}/sales": _SIGNED_IN,
    "POST /festivals/{festival}/sales": _SIGNED_IN,
    "GET /festivals/{festival}/close": _SIGNED_IN,
    "POST /festivals/{festival}/close": _SIGNED_IN,
    "POST /festivals/{festival}/returns": _SIGNED_IN,
    "POST /festivals/{festival}/returns/all": _SIGNED_IN,
    "POST /festivals/{festival}/returns/recount": _SIGNED_IN,
    "GET /festivals/{festival}/stock": _SIGNED_IN,
    "GET /facilities/{facility}": _SIGNED_IN,
    "GET /facilities/{facility}/losses": _SIGNED_IN,
    "POST /facilities/{facility}/losses": _SIGNED_IN,
    "POST /facilities/{facility}/people": _SIGNED_IN,
    "GET /facilities/{facility}/people": _SIGNED_IN,
    "GET /facilities/{facility}/labels": _SIGNED_IN,
    "POST /facilities/{facility}/statements": _SIGNED_IN,
    "GET /facilities/{facility}/statements/{number}": _SIGNED_IN,
}
ROUTES: Mapping[str, Routes] = {
    "production": COMMON | PRODUCTION,
    "inventory": COMMON | INVENTORY,
    "festival": COMMON | FESTIVAL,
    "sales": COMMON | SALES,
    "identity": COMMON | IDENTITY,
    "gateway": COMMON | GATEWAY,
    "operations": _HEALTH | _DOCS | OPERATIONS,
    "portal": _HEALTH | PORTAL,
}
