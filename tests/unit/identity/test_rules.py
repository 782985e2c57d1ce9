"""Accounts and their roles: what each command leads to, and why it is refused."""

from typing import Any

import pytest

from services.identity.domain.account import Account, AccountCommand, AccountCommandStatus, HeldRole, command_key
from services.identity.domain.rules import MAX_ROLES, wrong_scope
from services.identity.handlers import ANNOUNCEMENTS
from services.identity.store import ACCOUNT_COMMANDS, ACCOUNTS
from shared.events.festival import FESTIVAL, FestivalAnnounced, FestivalCancelled
from shared.events.identity import (
    DEVICE_ROLES,
    IDENTITY_GRANTS,
    SCOPES,
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
from shared.events.language import Body
from tests.support.identity_rules import ACCOUNT, NOW, OTHER, IdentityRules

pytestmark = pytest.mark.unit

GOOD_SCOPES = {
    Role.FACILITY_STAFF: "PR-KPG",
    Role.CASHIER: "ODOP.B1",
    Role.ORGANISER: "ODOP",
    Role.SUBSCRIBER: "karya.public.sales.v1",
}


@pytest.fixture
def identity() -> IdentityRules:
    identity = IdentityRules()
    identity.give(OpenAccount(subject=ACCOUNT, credential="c-1"))
    return identity


def a_grant(role: Role = Role.CASHIER, scope: str | None = "ODOP.B1", subject: str = ACCOUNT) -> GrantRole:
    return GrantRole(subject=subject, role=role, scope=scope)


def a_withdrawal(role: Role = Role.CASHIER, scope: str | None = "ODOP.B1") -> WithdrawRole:
    return WithdrawRole(subject=ACCOUNT, role=role, scope=scope)


def announced(by: str | None, festival: str = "ODOP") -> FestivalAnnounced:
    day = NOW.date()
    return FestivalAnnounced(
        festival=festival, name="F", place="P", zone="Asia/Makassar", first_day=day, last_day=day, announced_by=by
    )


def test_an_account_is_opened_once() -> None:
    identity = IdentityRules()
    [opened] = identity.give(OpenAccount(subject=ACCOUNT, credential="c-1"))
    assert opened == AccountOpened(subject=ACCOUNT, credential="c-1", actor=OTHER, opened_at=identity.now)
    assert identity.account == Account(ACCOUNT, "c-1", identity.now)
    again = OpenAccount(subject=ACCOUNT, credential="c-2")
    assert identity.refused(again) == ("subject", AccountRefusal.ACCOUNT_EXISTS)
    assert identity.account.credential == "c-1"


@pytest.mark.parametrize(
    "command",
    [
        a_grant(),
        a_withdrawal(),
        CloseAccount(subject=ACCOUNT),
        ReplaceCredential(subject=ACCOUNT, credential="c-9"),
    ],
    ids=lambda command: type(command).__name__,
)
def test_an_unknown_account_and_a_closed_one_take_nothing(command: Body) -> None:
    identity = IdentityRules()
    assert identity.refused(command) == ("subject", AccountRefusal.UNKNOWN_ACCOUNT)
    identity.give(OpenAccount(subject=ACCOUNT, credential="c-1"))
    identity.give(a_grant())
    identity.give(CloseAccount(subject=ACCOUNT))
    assert identity.refused(command) == ("subject", AccountRefusal.ACCOUNT_CLOSED)
    again = OpenAccount(subject=ACCOUNT, credential="c-2")
    assert identity.refused(again) == ("subject", AccountRefusal.ACCOUNT_EXISTS), "a subject is never given again"


def test_a_closed_account_keeps_its_roles_on_record(identity: IdentityRules) -> None:
    identity.give(a_grant())
    [closed] = identity.give(CloseAccount(subject=ACCOUNT, reason="moved"))
    assert closed == AccountClosed(subject=ACCOUNT, actor=OTHER, reason="moved", closed_at=identity.now)
    assert (identity.account.closed_at, len(identity.account.roles)) == (identity.now, 1)


def test_a_role_is_granted_once_and_withdrawn_once(identity: IdentityRules) -> None:
    [granted] = identity.give(a_grant())
    assert granted == RoleGranted(
        subject=ACCOUNT, role=Role.CASHIER, scope="ODOP.B1", actor=OTHER, granted_at=identity.now
    )
    assert identity.give(a_grant(), id="again") == [], "it is so already"
    assert identity.kept[AccountCommand, command_key(ACCOUNT, "again")].status is AccountCommandStatus.DONE
    identity.give(a_grant(scope="ODOP.B2"))
    [withdrawn] = identity.give(a_withdrawal())
    assert isinstance(withdrawn, RoleWithdrawn)
    assert identity.account.roles == (HeldRole(Role.CASHIER, "ODOP.B2"),)
    assert identity.refused(a_withdrawal()) == ("role", AccountRefusal.NO_SUCH_ROLE)
    assert identity.give(a_grant()) != []


def test_a_credential_is_replaced(identity: IdentityRules) -> None:
    [replaced] = identity.give(ReplaceCredential(subject=ACCOUNT, credential="c-2"))
    assert replaced == CredentialReplaced(subject=ACCOUNT, credential="c-2", actor=OTHER, replaced_at=identity.now)
    assert identity.account.credential == "c-2"
    assert identity.give(ReplaceCredential(subject=ACCOUNT, credential="c-2")) == []


@pytest.mark.parametrize("role", DEVICE_ROLES)
def test_no_account_has_a_role_of_devices(role: Role, identity: IdentityRules) -> None:
    for scope in ("PR-KPG", "ODOP.B1", None):
        assert identity.refused(a_grant(role, scope)) == ("scope", AccountRefusal.BAD_SCOPE)
        assert identity.give(GrantAsked(subject=ACCOUNT, role=role, scope=scope)) == []
    assert identity.account.roles == ()


@pytest.mark.parametrize("role", [role for role in Role if role not in DEVICE_ROLES])
def test_a_scope_fits_its_role(role: Role, identity: IdentityRules) -> None:
    good = GOOD_SCOPES.get(role)
    assert (good is not None) == (role in SCOPES)
    assert wrong_scope(role, good) is None
    assert identity.give(a_grant(role, good)) != []
    wrong = {*GOOD_SCOPES.values(), None, "*", "a.b.c"} - {good}
    if role is Role.ORGANISER:
        # The scope of those who may announce any festival; and a code of a facility has the form of a festival's id.
        wrong -= {"*", "PR-KPG"}
    if role is Role.SUBSCRIBER:
        # All streams. The name of a topic that is not public is none of them.
        wrong = wrong - {"*"} | {"karya.sales.v1", "karya.public.sales"}
    for scope in wrong:
        assert identity.refused(a_grant(role, scope)) == ("scope", AccountRefusal.BAD_SCOPE), scope


def test_the_number_of_roles_is_bounded(identity: IdentityRules) -> None:
    for number in range(MAX_ROLES):
        assert identity.give(a_grant(scope=f"ODOP.B{number}")) != []
    assert identity.refused(a_grant(scope="ODOP.more")) == ("role", AccountRefusal.TOO_MANY)
    assert identity.give(a_grant(scope="ODOP.B0")) == [], "it has that one"
    identity.give(a_withdrawal(scope="ODOP.B0"))
    assert identity.give(a_grant(scope="ODOP.more")) != []


def test_an_id_that_is_taken_is_refused_and_the_first_outcome_stays(identity: IdentityRules) -> None:
    identity.give(a_grant(), id="same")
    assert identity.refused(a_withdrawal(), id="same") == ("command", AccountRefusal.ID_TAKEN)
    kept = identity.kept[AccountCommand, command_key(ACCOUNT, "same")]
    assert (kept.name, kept.status) == ("GrantRole", AccountCommandStatus.DONE)
    assert identity.account.roles == (HeldRole(Role.CASHIER, "ODOP.B1"),)


@pytest.mark.parametrize(
    ("actor", "source", "shown"),
    [(OTHER, "karya/identity/http", OTHER), (None, "karya/seed", "karya/seed"), (None, "~no id~", None)],
)
def test_an_event_says_who_asked_for_it(
    actor: str | None, source: str, shown: str | None, identity: IdentityRules
) -> None:
    [granted] = identity.give(a_grant(), actor=actor, source=source, id="who")
    assert isinstance(granted, RoleGranted)
    assert granted.actor == shown
    assert identity.kept[AccountCommand, command_key(ACCOUNT, "who")].actor == shown


def test_who_announces_a_festival_is_granted_it(identity: IdentityRules) -> None:
    [asked] = identity.give(announced(ACCOUNT), processor=ANNOUNCEMENTS)
    assert asked == GrantAsked(subject=ACCOUNT, role=Role.ORGANISER, scope="ODOP")
    assert IDENTITY_GRANTS.key_of(asked) == ACCOUNT, "the lane of the account"
    [granted] = identity.give(asked, source="karya/identity", actor=None)
    assert isinstance(granted, RoleGranted)
    assert (granted.scope, granted.actor) == ("ODOP", "karya/identity")
    assert identity.give(asked, source="karya/identity", actor=None) == []


@pytest.mark.parametrize("by", [None, "karya/seed", "op.kupang"])
def test_a_festival_that_no_account_announced_grants_nothing(by: str | None, identity: IdentityRules) -> None:
    assert identity.give(announced(by), processor=ANNOUNCEMENTS) == []


def test_other_events_of_festivals_are_passed_over(identity: IdentityRules) -> None:
    assert identity.give(FestivalCancelled(festival="ODOP", reason="rain"), processor=ANNOUNCEMENTS) == []
    assert {handler.body for handler in ANNOUNCEMENTS.handlers} == set(FESTIVAL.bodies)


def test_nothing_is_granted_to_a_closed_or_unknown_account_or_beyond_the_bound(identity: IdentityRules) -> None:
    asked = GrantAsked(subject=ACCOUNT, role=Role.ORGANISER, scope="ODOP")
    assert identity.give(asked.model_copy(update={"subject": OTHER})) == []
    for number in range(MAX_ROLES):
        identity.give(a_grant(scope=f"ODOP.B{number}"))
    assert identity.give(asked) == []
    identity.give(a_withdrawal(scope="ODOP.B0"))
    identity.give(CloseAccount(subject=ACCOUNT))
    assert identity.give(asked) == []
    assert HeldRole(Role.ORGANISER, "ODOP") not in identity.account.roles


def test_documents_give_the_same_entities_back(identity: IdentityRules) -> None:
    identity.give(a_grant())
    identity.give(a_grant(Role.AUDITOR, None))
    identity.refused(a_grant(Role.AUDITOR, "PR-KPG"))
    identity.give(CloseAccount(subject=ACCOUNT))
    for (kind, id), entity in identity.kept.items():
        collection: Any = ACCOUNTS if kind is Account else ACCOUNT_COMMANDS
        assert collection.from_document({"_id": id, **collection.to_document(entity)}) == entity
