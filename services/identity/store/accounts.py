"""The MongoDB documents of accounts and of commands about them."""

from typing import Any

from services.identity.domain.account import (
    Account,
    AccountCommand,
    AccountCommandStatus,
    AccountRejection,
    HeldRole,
)
from shared.events.identity import AccountRefusal, Role
from shared.rejections import rejection_document
from shared.runtime.processor import Collection, Document
from shared.wording import message_of


def _account_document(account: Account) -> dict[str, Any]:
    return {
        "credential": account.credential,
        "opened_at": account.opened_at,
        "roles": [{"role": held.role.value, "scope": held.scope} for held in account.roles],
        "closed_at": account.closed_at,
    }


def _account(document: Document) -> Account:
    return Account(
        id=document["_id"],
        credential=document["credential"],
        opened_at=document["opened_at"],
        roles=tuple(HeldRole(Role(held["role"]), held["scope"]) for held in document["roles"]),
        closed_at=document["closed_at"],
    )


def _command_document(command: AccountCommand) -> dict[str, Any]:
    return {
        "command": command.command,
        "source": command.source,
        "subject": command.subject,
        "name": command.name,
        "actor": command.actor,
        "given_at": command.given_at,
        "status": command.status.value,
        "wrong": rejection_document(command.rejection),
    }


def _command(document: Document) -> AccountCommand:
    rejection = document["wrong"]
    return AccountCommand(
        id=document["_id"],
        command=document["command"],
        source=document["source"],
        subject=document["subject"],
        name=document["name"],
        actor=document["actor"],
        given_at=document["given_at"],
        status=AccountCommandStatus(document["status"]),
        rejection=rejection
        and AccountRejection(
            rejection["field"],
            AccountRefusal(rejection["reason"]),
            message_of(rejection["template"], rejection["values"]),
        ),
    )


ACCOUNTS = Collection(
    "accounts", Account, _account_document, _account, indexes=("credential",), listed_by=("arrived",)
)
ACCOUNT_COMMANDS = Collection(
    "account_commands", AccountCommand, _command_document, _command, indexes=("command", "subject")
)
