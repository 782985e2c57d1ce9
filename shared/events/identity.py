"""Who may do what: accounts with their roles, and devices with their keys, as commands and as facts.

An account is known by its subject, a pseudonym. Names, passwords and signing keys are in no event. `credential` is
the random id under which a database of identity's own keeps a name and a password. The subject of a device follows
from its public key.
"""

import json
import re
from base64 import b32encode
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Self

from pydantic import StringConstraints, model_validator

from shared.events import names
from shared.events.language import Body, CommandId, Id, Text, Topic, Utc, Values
from shared.events.names import NameRule
from shared.events.public import PUBLIC
from shared.wording import Message, WrongValue

SUBJECT = re.compile(r"s-[a-z2-7]{16,32}")
Subject = Annotated[str, StringConstraints(pattern=rf"^{SUBJECT.pattern}$")]
DEVICE = re.compile(r"d-[a-z2-7]{52}")
DeviceSubject = Annotated[str, StringConstraints(pattern=rf"^{DEVICE.pattern}$")]
ANY_SUBJECT = re.compile(rf"(?:{SUBJECT.pattern}|{DEVICE.pattern})")
AnySubject = Annotated[str, StringConstraints(pattern=rf"^{ANY_SUBJECT.pattern}$")]
# A coordinate of 32 bytes, as base64url without padding.
COORDINATE_PATTERN = r"^[A-Za-z0-9_-]{43}$"
Coordinate = Annotated[str, StringConstraints(pattern=COORDINATE_PATTERN)]
SCOPE_PATTERN = r"^[A-Za-z0-9*][A-Za-z0-9._-]{0,119}$"
Scope = Annotated[str, StringConstraints(pattern=SCOPE_PATTERN)]

# The scope of an organiser who may announce any festival, and of a subscriber of all streams.
ANY = "*"


class Role(StrEnum):
    """The roles of people, programs and devices. A role with a scope names one facility, booth, festival or
    stream."""

    FACILITY_STAFF = "facility-staff"
    CASHIER = "cashier"
    ORGANISER = "organiser"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    SUBSCRIBER = "subscriber"
    ADMINISTRATOR = "administrator"
    TERMINAL = "terminal"
    TILL = "till"


_STREAMS = sorted(topic.name for topic in PUBLIC)
STREAM = NameRule(
    re.compile("|".join(map(re.escape, (*_STREAMS, ANY)))),
    Message(
        "A subscriber's scope is a public topic, or `*` for all of them: {streams}.", streams=", ".join(_STREAMS)
    ),
)
_ANY_FESTIVAL = NameRule(
    re.compile(rf"(?:{names.FESTIVAL.pattern.pattern}|\*)"),
    Message("An organiser's scope is a festival's id, e.g. ODOP, or `*` for whoever may announce festivals."),
)
# The form of each role's scope. A role that is missing here has none.
SCOPES: Mapping[Role, NameRule] = {
    Role.FACILITY_STAFF: names.FACILITY,
    Role.CASHIER: names.BOOTH,
    Role.ORGANISER: _ANY_FESTIVAL,
    Role.SUBSCRIBER: STREAM,
    Role.TERMINAL: names.FACILITY,
    Role.TILL: names.BOOTH,
}
# The roles that devices alone have, with the form of the device's name. No account is granted one.
DEVICE_ROLES: Mapping[Role, NameRule] = {Role.TERMINAL: names.TERMINAL, Role.TILL: names.TILL}


class KeyKind(StrEnum):
    """The kinds of keys (`kty`)."""

    EC = "EC"
    OKP = "OKP"


class Curve(StrEnum):
    """The curves (`crv`): P-256 for signatures by ES256, and Ed25519."""

    P256 = "P-256"
    ED25519 = "Ed25519"


class PublicKey(Body):
    """The public half of a device's key, as RFC 7517 and RFC 8037 write it. A key of Ed25519 has no `y`."""

    kty: KeyKind
    crv: Curve
    x: Coordinate
    y: Coordinate | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.kty is KeyKind.EC) != (self.crv is Curve.P256) or (self.kty is KeyKind.EC) != (self.y is not None):
            raise WrongValue(Message("A device's key is one of P-256 with x and y, or one of Ed25519 with x alone."))
        return self

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The key with these members of a JSON Web Key; others are left out. Raises ValidationError."""
        return cls.model_validate_json(json.dumps({name: fields.get(name) for name in cls.model_fields}))

    @property
    def fields(self) -> dict[str, str | list[str]]:
        """The members of the JSON Web Key."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def device(self) -> str:
        """The subject of the device that has this key. It holds the key's thumbprint (RFC 7638)."""
        canonical = json.dumps(self.fields, sort_keys=True, separators=(",", ":"))
        return f"d-{b32encode(sha256(canonical.encode()).digest()).decode().rstrip('=').lower()}"


class OpenAccount(Body):
    """An account is opened. Its name and password are kept under `credential`."""

    subject: Subject
    credential: Id


class CloseAccount(Body):
    """An account is closed: nobody signs in with it any more."""

    subject: Subject
    reason: Text = ""


class ReplaceCredential(Body):
    """The account has another name or password, kept under `credential`."""

    subject: Subject
    credential: Id


class GrantRole(Body):
    """The account gets a role, within a scope if the role has one."""

    subject: Subject
    role: Role
    scope: Scope | None = None


class WithdrawRole(Body):
    """The account loses a role."""

    subject: Subject
    role: Role
    scope: Scope | None = None


class GrantAsked(Body):
    """Identity itself grants a role: whoever announces a festival becomes its organiser."""

    subject: Subject
    role: Role
    scope: Scope | None = None


class EnrolDevice(Body):
    """A device with this key may send records of a facility or booth, under this name."""

    subject: DeviceSubject
    public_key: PublicKey
    role: Role
    scope: Scope
    name: Id


class RevokeDevice(Body):
    """A device is lost or retired: nothing that its key signs counts from now on."""

    subject: DeviceSubject
    reason: Text = ""


class AccountOpened(Body):
    """The account is there. `actor`: who asked for it, as a subject or the name of a program."""

    subject: Subject
    credential: Id
    actor: Id | None = None
    opened_at: Utc


class AccountClosed(Body):
    """The account is closed for good. Its subject is never given again."""

    subject: Subject
    actor: Id | None = None
    reason: Text
    closed_at: Utc


class CredentialReplaced(Body):
    """From now on the account's name and password are those under `credential`."""

    subject: Subject
    credential: Id
    actor: Id | None = None
    replaced_at: Utc


class RoleGranted(Body):
    """The account has the role from now on."""

    subject: Subject
    role: Role
    scope: Scope | None = None
    actor: Id | None = None
    granted_at: Utc


class RoleWithdrawn(Body):
    """The account no longer has the role. A token that was issued before may still name it for five minutes."""

    subject: Subject
    role: Role
    scope: Scope | None = None
    actor: Id | None = None
    withdrawn_at: Utc


class DeviceEnrolled(Body):
    """The device may send records from now on. What its key signed before is accepted too. `actor`: who gave the code
    for it."""

    subject: DeviceSubject
    public_key: PublicKey
    role: Role
    scope: Scope
    name: Id
    actor: Id | None = None
    enrolled_at: Utc


class DeviceRevoked(Body):
    """The device is revoked for good. Its key is never enrolled again."""

    subject: DeviceSubject
    reason: Text
    actor: Id | None = None
    revoked_at: Utc


class AccountRefusal(StrEnum):
    """The reason why a command about an account or a device was refused."""

    UNKNOWN_ACCOUNT = "unknown_account"
    ACCOUNT_EXISTS = "account_exists"
    ACCOUNT_CLOSED = "account_closed"
    BAD_SCOPE = "bad_scope"
    NO_SUCH_ROLE = "no_such_role"
    TOO_MANY = "too_many"
    ID_TAKEN = "id_taken"
    UNKNOWN_DEVICE = "unknown_device"
    BAD_DEVICE = "bad_device"
    DEVICE_ENROLLED = "device_enrolled"
    DEVICE_REVOKED = "device_revoked"


class AccountCommandRefused(Body):
    """A command about an account or a device is refused, and changes nothing. `message`, `template` and `values` as
    in EntryCommandRefused."""

    subject: AnySubject
    command: CommandId
    field: Id
    reason: AccountRefusal
    message: Text
    template: Text
    values: Values


IDENTITY_COMMANDS = Topic(
    "karya.identity-commands.v1",
    "subject",
    (OpenAccount, CloseAccount, ReplaceCredential, GrantRole, WithdrawRole, EnrolDevice, RevokeDevice),
)
IDENTITY_GRANTS = Topic("karya.identity-grants.v1", "subject", (GrantAsked,))
IDENTITY = Topic(
    "karya.identity.v1",
    "subject",
    (
        AccountOpened,
        AccountClosed,
        CredentialReplaced,
        RoleGranted,
        RoleWithdrawn,
        DeviceEnrolled,
        DeviceRevoked,
        AccountCommandRefused,
    ),
)
