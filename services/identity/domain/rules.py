"""How identity decides about accounts: pure, the same at every replay."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias, TypeVar

from services.identity.domain.account import Account, AccountRejection, HeldRole
from services.identity.domain.commands import Outcome, actor_of, decide
from shared.events.festival import FestivalAnnounced
from shared.events.identity import (
    DEVICE_ROLES,
    IDENTITY,
    IDENTITY_GRANTS,
    SCOPES,
    SUBJECT,
    AccountClosed,
    AccountOpened,
    AccountRefusal,
    CloseAccount,
    CredentialReplaced,
    GrantAsked,
    GrantRole,
    OpenAccount,
    ReplaceCredential,
    Role,
    RoleGranted,
    RoleWithdrawn,
    WithdrawRole,
)
from shared.events.language import Body, Event
from shared.runtime.processor import Decision, Rule
from shared.runtime.state import State
from shared.wording import Message

AboutAccount: TypeAlias = OpenAccount | CloseAccount | ReplaceCredential | GrantRole | WithdrawRole
AccountOutcome: TypeAlias = Outcome[Account]

# All of them are in every token.
MAX_ROLES = 200

C = TypeVar("C", CloseAccount, ReplaceCredential, GrantRole, WithdrawRole)


def wrong_scope(role: Role, scope: str | None) -> Message | None:
    """Why an account can't have this role with this scope, in words; None if it can."""
    if role in DEVICE_ROLES:
        return Message("The role {role} is one of devices. A device gets it when it is enrolled.", role=role.value)
    rule = SCOPES.get(role)
    if rule is None:
        return Message("The role {role} has no scope.", role=role.value) if scope is not None else None
    if scope is None:
        return Message("The role {role} needs a scope. {rule}", role=role.value, rule=rule.words)
    return rule.wrong(scope)


def open_account(state: State, event: Event, body: OpenAccount) -> Decision:
    """An account begins, without roles."""

    def opened(existing: Account | None) -> AccountOutcome:
        if existing is not None:
            message = Message("The account {subject} exists already.", subject=body.subject)
            return AccountRejection("subject", AccountRefusal.ACCOUNT_EXISTS, message)
        account = Account(body.subject, body.credential, event.logged_at)
        fact = AccountOpened(
            subject=body.subject, credential=body.credential, actor=actor_of(event), opened_at=event.logged_at
        )
        return account, fact

    return decide(state, event, body, Account, opened)


def about_account(rule: Callable[[Account, Event, C], AccountOutcome]) -> Rule[C]:
    """The rule for a command about an open account. An unknown or closed one is refused."""

    def of_event(state: State, event: Event, body: C) -> Decision:
        def outcome(account: Account | None) -> AccountOutcome:
            if account is None:
                message = Message("There is no account {subject}.", subject=body.subject)
                return AccountRejection("subject", AccountRefusal.UNKNOWN_ACCOUNT, message)
            if account.closed_at is not None:
                message = Message("The account {subject} is closed.", subject=body.subject)
                return AccountRejection("subject", AccountRefusal.ACCOUNT_CLOSED, message)
            return rule(account, event, body)

        return decide(state, event, body, Account, outcome)

    return of_event


def close(account: Account, event: Event, body: CloseAccount) -> AccountOutcome:
    """The account ends for good. Its roles stay on record."""
    fact = AccountClosed(subject=account.id, actor=actor_of(event), reason=body.reason, closed_at=event.logged_at)
    return replace(account, closed_at=event.logged_at), fact


def replace_credential(account: Account, event: Event, body: ReplaceCredential) -> AccountOutcome:
    """The account has another name or password, and its sessions end with the former one."""
    if account.credential == body.credential:
        return account, None
    fact = CredentialReplaced(
        subject=account.id, credential=body.credential, actor=actor_of(event), replaced_at=event.logged_at
    )
    return replace(account, credential=body.credential), fact


def grant(account: Account, event: Event, body: GrantRole) -> AccountOutcome:
    """The account holds one more role, each once."""
    return _granted(account, event, body)


def withdraw(account: Account, event: Event, body: WithdrawRole) -> AccountOutcome:
    """The account holds a role no longer."""
    role = HeldRole(body.role, body.scope)
    if role not in account.roles:
        message = Message("The account does not have the role {role}.", role=_named(role))
        return AccountRejection("role", AccountRefusal.NO_SUCH_ROLE, message)
    fact = RoleWithdrawn(
        subject=account.id,
        role=body.role,
        scope=body.scope,
        actor=actor_of(event),
        withdrawn_at=event.logged_at,
    )
    return replace(account, roles=tuple(held for held in account.roles if held != role)), fact


def grant_asked(state: State, event: Event, body: GrantAsked) -> Decision:
    """A role that identity itself grants. Nobody waits for an answer if it can't be."""
    account = state.get(Account, body.subject)
    if account is None or account.closed_at is not None:
        return state, []
    outcome = _granted(account, event, body)
    if isinstance(outcome, AccountRejection):
        return state, []
    account, fact = outcome
    return state.put(account), [IDENTITY.of(fact)] if fact is not None else []


def ask_for_organiser(state: State, _event: Event, body: FestivalAnnounced) -> Decision:
    """The account that announces a festival becomes its organiser. Its own lane grants the role."""
    subject = body.announced_by
    if subject is None or not SUBJECT.fullmatch(subject):
        return state, []
    return state, [IDENTITY_GRANTS.of(GrantAsked(subject=subject, role=Role.ORGANISER, scope=body.festival))]


def pass_over(state: State, _event: Event, _body: Body) -> Decision:
    """An event that identity does not need."""
    return state, []


def _granted(account: Account, event: Event, body: GrantRole | GrantAsked) -> AccountOutcome:
    if (message := wrong_scope(body.role, body.scope)) is not None:
        return AccountRejection("scope", AccountRefusal.BAD_SCOPE, message)
    role = HeldRole(body.role, body.scope)
    if role in account.roles:
        return account, None
    if len(account.roles) >= MAX_ROLES:
        message = Message("An account has at most {most} roles. Withdraw one first.", most=MAX_ROLES)
        return AccountRejection("role", AccountRefusal.TOO_MANY, message)
    fact = RoleGranted(
        subject=account.id,
        role=body.role,
        scope=body.scope,
        actor=actor_of(event),
        granted_at=event.logged_at,
    )
    return replace(account, roles=(*account.roles, role)), fact


def _named(role: HeldRole) -> str:
    return role.role.value if role.scope is None else f"{role.role.value}:{role.scope}"
