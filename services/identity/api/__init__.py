"""HTTP pages of identity: sign-in, invitations, accounts and devices."""

from fastapi import APIRouter

from services.identity.api import accounts, devices, invitations, portal_sign_in, provider, sessions
from services.identity.api.callers import Accounts
from services.identity.api.failures import Failures
from services.identity.api.provider_client import provider_of
from services.identity.api.provider_sessions import ProviderSessions
from services.identity.domain.account import AccountCommandStatus
from services.identity.store import ACCOUNT_COMMANDS, SECRETS, Secrets
from shared.events.identity import IDENTITY_COMMANDS, AccountRefusal
from shared.http.commands import CommandOutcome, Commands
from shared.runtime.service import Service
from shared.wording import Message

SOURCE = "karya/identity/http"
# Nobody's account gives these commands: a provider has said who somebody is.
PROVIDER_SOURCE = "karya/identity/provider"


def routes(service: Service) -> APIRouter:
    """The router of the service. Raises BadSettings for settings of a provider that can't be meant."""
    router = APIRouter()
    secrets = Secrets(service.mongo.database(SECRETS))
    commands, failures = _commands(service, SOURCE), Failures()
    views = Accounts(service)
    router.include_router(sessions.routes(service, secrets, views, commands, failures))
    settings, sign_ins = service.settings, secrets.provider_sign_ins
    of_provider = ProviderSessions(
        settings, provider_of(settings), secrets, views, _commands(service, PROVIDER_SOURCE)
    )
    router.include_router(provider.routes(of_provider, sign_ins))
    router.include_router(portal_sign_in.routes(settings, of_provider, sign_ins))
    router.include_router(invitations.routes(secrets, views, commands, failures, passwords=settings.passwords))
    router.include_router(accounts.routes(service, secrets, views, commands))
    router.include_router(devices.routes(service, secrets, views, commands))
    return router


def _commands(service: Service, source: str) -> Commands:
    documents = service.database[ACCOUNT_COMMANDS.name]

    async def find(id: str) -> CommandOutcome | None:
        found = await documents.find({"command": id}).to_list(None)
        if not found:
            return None
        document = next((document for document in found if document["source"] == source), None)
        if document is None:
            message = Message("Another sender used this id for a command. Give each command its own UUID.")
            return CommandOutcome(done=False, field="command", reason=AccountRefusal.ID_TAKEN.value, message=message)
        command = ACCOUNT_COMMANDS.from_document(document)
        if command.status is AccountCommandStatus.DONE or command.rejection is None:
            return CommandOutcome(done=True)
        wrong = command.rejection
        return CommandOutcome(done=False, field=wrong.field, reason=wrong.reason.value, message=wrong.message)

    return Commands(service, IDENTITY_COMMANDS, source, find)
