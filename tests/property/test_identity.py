"""Identity under any commands in any order, with duplicates, crashes and bugs: accounts follow from their facts."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from ops.verify.topic_evidence.accounts import AccountEvidence, AccountFacts, EnrolmentFacts
from ops.verify.topic_evidence.event import PublishedEvent
from services.identity.domain.account import Account, AccountCommand, AccountCommandStatus
from services.identity.domain.device import EnrolledDevice
from services.identity.domain.rules import wrong_scope
from services.identity.handlers import PROCESSORS
from shared.events.festival import FESTIVAL, FestivalAnnounced
from shared.events.identity import (
    IDENTITY,
    IDENTITY_COMMANDS,
    AccountCommandRefused,
    CloseAccount,
    Curve,
    EnrolDevice,
    GrantRole,
    KeyKind,
    OpenAccount,
    PublicKey,
    ReplaceCredential,
    RevokeDevice,
    Role,
    WithdrawRole,
)
from tests.support.examples import examples
from tests.support.machine import Machine, one_of, which
from tests.support.shell import NOON, ServiceShell

subjects = st.sampled_from([f"s-{letter * 16}" for letter in "abc"])
roles = st.sampled_from(
    [
        (Role.CASHIER, "ODOP.B1"),
        (Role.CASHIER, "ODOP.B2"),
        (Role.ORGANISER, "ODOP"),
        (Role.AUDITOR, None),
        (Role.CASHIER, None),
        (Role.AUDITOR, "ODOP"),
    ]
)

# No rule looks into a key.
KEYS = [PublicKey(kty=KeyKind.OKP, crv=Curve.ED25519, x=letter * 43) for letter in "AB"]
places = st.sampled_from(
    [(Role.TILL, "ODOP.B1"), (Role.TERMINAL, "PR-KPG"), (Role.TILL, "LPKA"), (Role.AUDITOR, "O")]
)


class IdentityMachine(Machine):
    """Administrators say anything about three accounts and two devices, and festivals are announced by them and by
    others."""

    def setup(self) -> None:
        self.identity = ServiceShell(self.kafka, PROCESSORS)
        self.services = [self.identity]

    @rule(subject=subjects, n=which)
    def open(self, subject: str, n: int) -> None:
        self.kafka.say(IDENTITY_COMMANDS, OpenAccount(subject=subject, credential=f"c-{n}"))

    @rule(subject=subjects, wanted=st.lists(st.tuples(roles, st.booleans()), min_size=1, max_size=5))
    def change_roles(self, subject: str, wanted: list[tuple[tuple[Role, str | None], bool]]) -> None:
        for (role, scope), granted in wanted:
            body = GrantRole if granted else WithdrawRole
            self.kafka.say(IDENTITY_COMMANDS, body(subject=subject, role=role, scope=scope))

    @rule(subject=subjects, n=which)
    def replace_or_close(self, subject: str, n: int) -> None:
        body = CloseAccount(subject=subject) if n == 0 else ReplaceCredential(subject=subject, credential=f"c-{n}")
        self.kafka.say(IDENTITY_COMMANDS, body)

    @rule(key=st.sampled_from(KEYS), place=places, revoked=st.booleans())
    def enrol_or_revoke(self, key: PublicKey, place: tuple[Role, str], revoked: bool) -> None:
        role, scope = place
        enrolment = EnrolDevice(subject=key.device, public_key=key, role=role, scope=scope, name="T1")
        self.kafka.say(IDENTITY_COMMANDS, RevokeDevice(subject=key.device) if revoked else enrolment)

    @rule(subject=subjects, n=which)
    def an_id_of_another_sender(self, subject: str, n: int) -> None:
        id = one_of([event.id for event in self.kafka.events(IDENTITY_COMMANDS)], n)
        if id is not None:
            body = GrantRole(subject=subject, role=Role.AUDITOR)
            self.kafka.say(IDENTITY_COMMANDS, body, id=id, source=f"other-{self.kafka.next_id()}")

    @rule(subject=st.one_of(st.none(), st.just("op.kupang"), subjects), festival=st.sampled_from(["ODOP", "F2"]))
    def announce(self, subject: str | None, festival: str) -> None:
        day = NOON.date()
        body = FestivalAnnounced(
            festival=festival,
            name="F",
            place="P",
            zone="Asia/Makassar",
            first_day=day,
            last_day=day,
            announced_by=subject,
        )
        self.kafka.say(FESTIVAL, body, source="karya/festival")

    def check(self) -> None:
        for account in self.identity.all(Account):
            assert len(set(account.roles)) == len(account.roles)
            assert all(wrong_scope(held.role, held.scope) is None for held in account.roles)

    def check_at_rest(self) -> None:
        evidence = AccountEvidence()
        for event in self.kafka.events(IDENTITY):
            name, value = type(event.body).__name__, event.body.model_dump_json().encode()
            evidence.add(PublishedEvent(name, event.source, event.id, "", value))
        kept = {
            account.id: AccountFacts(
                account.credential,
                {(held.role.value, held.scope) for held in account.roles},
                account.closed_at is not None,
            )
            for account in self.identity.all(Account)
        }
        assert kept == evidence.accounts, "and no fact contradicts another"
        assert evidence.enrolments == {
            device.id: EnrolmentFacts(
                device.public_key.fields,
                (device.role.value, device.scope, device.name),
                device.revoked_at is not None,
            )
            for device in self.identity.all(EnrolledDevice)
        }
        refused = [
            command for command in self.identity.all(AccountCommand) if command.status is AccountCommandStatus.REFUSED
        ]
        told = self.kafka.bodies(IDENTITY, AccountCommandRefused)
        assert {(command.subject, command.command) for command in refused} <= {
            (refusal.subject, refusal.command) for refusal in told
        }


TestIdentity = IdentityMachine.TestCase
TestIdentity.settings = examples(60)
