"""Callers as their accounts are now, and the rights that the grant of a role and a device need."""

from collections.abc import Mapping

from fastapi import Request

from services.identity.domain.account import Account, HeldRole
from services.identity.store import ACCOUNTS
from shared.access.rights import Action, Grant, Limit
from shared.access.tokens import Caller
from shared.events.identity import Role
from shared.http.access import INVALID_TOKEN, NO_RIGHT, caller_of
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message


class Accounts:
    """The accounts as far as the service has worked. All methods raise PyMongoError."""

    def __init__(self, service: Service) -> None:
        self._accounts = service.database[ACCOUNTS.name]

    async def find(self, subject: str) -> Account | None:
        document = await self._accounts.find_one({"_id": subject})
        return ACCOUNTS.from_document(document) if document is not None else None

    async def caller(self, request: Request) -> Caller:
        """The caller with those roles of the token that the account still has. Raises PageRefused 401 for an account
        that is closed.

        A token tells the roles of up to five minutes ago. Nobody may pass a role on that was withdrawn meanwhile.
        """
        caller = caller_of(request)
        if caller.subject is None:
            return caller
        account = await self.find(caller.subject)
        if account is None or account.closed_at is not None:
            raise PageRefused(401, Message("This account is closed."), INVALID_TOKEN)
        held = set(grants_of(account))
        return Caller(caller.subject, tuple(grant for grant in caller.grants if grant in held))

    async def require(self, request: Request, action: Action, place: Mapping[Limit, str]) -> Caller:
        """The caller. Raises PageRefused 403 unless the account has the right now."""
        caller = await self.caller(request)
        if not caller.may(action, place):
            raise PageRefused(403, NO_RIGHT)
        return caller

    async def still_may(self, subject: str | None, action: Action, place: Mapping[Limit, str]) -> bool:
        """Whether this account, which invited somebody, has the right still. None: access control was off."""
        if subject is None:
            return True
        account = await self.find(subject)
        return (
            account is not None
            and account.closed_at is None
            and Caller(subject, grants_of(account)).may(action, place)
        )


def grants_of(account: Account) -> tuple[Grant, ...]:
    """The account's roles as a token tells them."""
    return tuple(Grant(held.role, held.scope) for held in account.roles)


def right_to_grant(role: HeldRole) -> tuple[Action, Mapping[Limit, str]]:
    """The right that whoever grants or withdraws this role needs, and where."""
    scope = role.scope or ""
    match role.role:
        case Role.ORGANISER:
            return Action.GRANT_ORGANISER, {Limit.FESTIVAL: scope}
        case Role.CASHIER:
            # A booth's id begins with its festival's.
            return Action.GRANT_CASHIER, {Limit.BOOTH: scope, Limit.FESTIVAL: scope.partition(".")[0]}
        case Role.FACILITY_STAFF:
            return Action.GRANT_FACILITY_STAFF, {Limit.FACILITY: scope}
        case _:
            return Action.GRANT_ANY, {}


def right_to_enrol(role: Role, scope: str) -> tuple[Action, Mapping[Limit, str]]:
    """The right that whoever enrols or revokes such a device needs, and where."""
    if role is Role.TERMINAL:
        return Action.ENROL_TERMINAL, {Limit.FACILITY: scope}
    return Action.ENROL_TILL, {Limit.BOOTH: scope, Limit.FESTIVAL: scope.partition(".")[0]}
