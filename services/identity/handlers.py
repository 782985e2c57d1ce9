"""Identity's two processors: accounts and devices by their subjects, and what festival announces."""

from services.identity.domain import enrolment, rules
from services.identity.domain.account import Account, AccountCommand, command_key
from services.identity.domain.device import EnrolledDevice
from services.identity.domain.rules import AboutAccount, about_account, pass_over
from services.identity.store import ACCOUNT_COMMANDS, ACCOUNTS, DEVICES
from shared.events.festival import FESTIVAL, FestivalAnnounced
from shared.events.identity import (
    IDENTITY_COMMANDS,
    IDENTITY_GRANTS,
    CloseAccount,
    EnrolDevice,
    GrantAsked,
    GrantRole,
    OpenAccount,
    ReplaceCredential,
    RevokeDevice,
    WithdrawRole,
)
from shared.events.language import Body, Event
from shared.http.command_handler import CommandHandler
from shared.runtime.processor import Processor, on
from shared.runtime.state import Ref


def _of_command(event: Event, body: AboutAccount) -> tuple[Ref, ...]:
    return Ref(Account, body.subject), Ref(AccountCommand, command_key(body.subject, event.id))


def _of_device(event: Event, body: EnrolDevice | RevokeDevice) -> tuple[Ref, ...]:
    return Ref(EnrolledDevice, body.subject), Ref(AccountCommand, command_key(body.subject, event.id))


def _of_grant(_event: Event, body: GrantAsked) -> tuple[Ref, ...]:
    return (Ref(Account, body.subject),)


def _nothing(_event: Event, _body: Body) -> tuple[()]:
    return ()


CLOSE = CommandHandler(
    "/accounts/{subject}/close",
    "Close an account for good",
    on(CloseAccount, about_account(rules.close), reads=_of_command),
)
GRANT = CommandHandler(
    "/accounts/{subject}/roles/grant",
    "Grant a role to an account",
    on(GrantRole, about_account(rules.grant), reads=_of_command),
)
WITHDRAW = CommandHandler(
    "/accounts/{subject}/roles/withdraw",
    "Withdraw a role from an account",
    on(WithdrawRole, about_account(rules.withdraw), reads=_of_command),
)
REVOKE = CommandHandler(
    "/devices/{subject}/revoke",
    "Revoke a device for good",
    on(RevokeDevice, enrolment.revoke, reads=_of_device),
)
SUBJECT = Processor(
    service="identity",
    key="subject",
    topics=(IDENTITY_COMMANDS, IDENTITY_GRANTS),
    collections=(ACCOUNTS, DEVICES, ACCOUNT_COMMANDS),
    handlers=(
        on(OpenAccount, rules.open_account, reads=_of_command),
        on(ReplaceCredential, about_account(rules.replace_credential), reads=_of_command),
        *(command.handler for command in (CLOSE, GRANT, WITHDRAW, REVOKE)),
        on(EnrolDevice, enrolment.enrol, reads=_of_device),
        on(GrantAsked, rules.grant_asked, reads=_of_grant),
    ),
)
ANNOUNCEMENTS = Processor(
    service="identity",
    key="festival",
    topics=(FESTIVAL,),
    collections=(),
    handlers=(
        on(FestivalAnnounced, rules.ask_for_organiser, reads=_nothing),
        *(on(body, pass_over, reads=_nothing) for body in FESTIVAL.bodies if body is not FestivalAnnounced),
    ),
)
PROCESSORS = (SUBJECT, ANNOUNCEMENTS)
