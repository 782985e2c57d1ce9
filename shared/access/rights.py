"""The table of rights: which role may do what, and which field limits it. What is not in the table is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.events.identity import ANY, Role


class Limit(StrEnum):
    """The field that limits a right to the scope of the role."""

    FACILITY = "facility"
    FESTIVAL = "festival"
    BOOTH = "booth"


class Action(StrEnum):
    """What a request does."""

    READ_CATALOGUE = "read the catalogue"
    KEEP_CATALOGUE = "keep the catalogue"
    KEEP_FACILITY = "keep a facility's entry in the catalogue"
    READ_FESTIVALS = "read which festivals there are"
    ANNOUNCE_FESTIVAL = "announce a festival"
    RUN_FESTIVAL = "run a festival"
    RUN_BOOTH = "count goods at a booth"
    SEND_SHIPMENT = "send goods of a facility to a booth"
    RECEIVE_RETURN = "count goods of a facility that came home from a booth"
    RECORD_FACILITY_LOSS = "record goods of a facility that are spoilt or missing there"
    READ_FESTIVAL = "read a festival's plans and shipments"
    READ_BOOTH = "read a booth's prices, stock, receipts and takings"
    READ_STOCK = "read the stock of facilities"
    READ_LOTS = "read lots and reports of a facility"
    READ_SETTLEMENTS = "read settlements and demand of a facility"
    READ_STRAYS = "read sales sent to booths that do not exist"
    READ_AUDIT = "read which account gave which command or record"
    READ_COMMANDS = "read what became of a command"
    REPORT_PRODUCTION = "send records of a facility's terminals"
    RECORD_SALES = "send records of a booth's tills"
    READ_FACILITY_NEWS = "read what is said to the terminals of a facility"
    READ_BOOTH_NEWS = "read what is said to the tills of a booth"
    BRING_RECORDS = "bring records that any enrolled device has signed"
    READ_BACKLOG = "read what a service has still to work"
    READ_HELD = "read which records of revoked devices are held"
    DECIDE_HELD = "release or refuse records of revoked devices"
    READ_LETTERS = "read dead letters"
    REPAIR_LETTERS = "replay, mend and archive dead letters"
    READ_CHECKS = "read what verifications and rebuilds have found"
    RUN_CHECKS = "verify all services, and rebuild a database beside the live one"
    KEEP_ACCOUNTS = "open, close and reset accounts"
    READ_ACCOUNTS = "read accounts and their roles"
    GRANT_ORGANISER = "let others organise a festival"
    GRANT_CASHIER = "let others sell at a booth"
    GRANT_FACILITY_STAFF = "let others report for a facility"
    GRANT_ANY = "grant any role"
    ENROL_TERMINAL = "enrol and revoke terminals of a facility"
    ENROL_TILL = "enrol and revoke tills of a booth"
    READ_DEVICES = "read which devices there are"
    USE_OWN_ACCOUNT = "change one's own password"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that an account has, with the scope of the role if it has one."""

    role: Role
    scope: str | None = None

    def __str__(self) -> str:
        return self.role.value if self.scope is None else f"{self.role.value}:{self.scope}"

    @classmethod
    def parse(cls, text: str) -> "Grant | None":
        """The grant in a token's `roles` claim, or None for a role that is not known here."""
        role, colon, scope = text.partition(":")
        try:
            return cls(Role(role), scope if colon else None)
        except ValueError:
            return None


_EVERYBODY = (Action.READ_CATALOGUE, Action.READ_FESTIVALS, Action.READ_COMMANDS, Action.USE_OWN_ACCOUNT)
_READING = (
    Action.READ_FESTIVAL,
    Action.READ_BOOTH,
    Action.READ_STOCK,
    Action.READ_LOTS,
    Action.READ_SETTLEMENTS,
    Action.READ_STRAYS,
)

# Each role's actions with the field that must equal the role's scope; None: the action has no limit.
RIGHTS: Mapping[Role, Mapping[Action, Limit | None]] = {
    Role.FACILITY_STAFF: {
        **dict.fromkeys(_EVERYBODY),
        Action.READ_LOTS: Limit.FACILITY,
        Action.READ_SETTLEMENTS: Limit.FACILITY,
        Action.SEND_SHIPMENT: Limit.FACILITY,
        Action.RECEIVE_RETURN: Limit.FACILITY,
        Action.RECORD_FACILITY_LOSS: Limit.FACILITY,
        Action.KEEP_FACILITY: Limit.FACILITY,
        Action.GRANT_FACILITY_STAFF: Limit.FACILITY,
        Action.REPORT_PRODUCTION: Limit.FACILITY,
        Action.READ_FACILITY_NEWS: Limit.FACILITY,
        Action.ENROL_TERMINAL: Limit.FACILITY,
        Action.READ_DEVICES: Limit.FACILITY,
    },
    Role.CASHIER: {
        **dict.fromkeys(_EVERYBODY),
        Action.READ_BOOTH: Limit.BOOTH,
        Action.RUN_BOOTH: Limit.BOOTH,
        Action.RECORD_SALES: Limit.BOOTH,
        Action.READ_BOOTH_NEWS: Limit.BOOTH,
    },
    Role.ORGANISER: {
        **dict.fromkeys(_EVERYBODY),
        Action.ANNOUNCE_FESTIVAL: Limit.FESTIVAL,
        Action.RUN_FESTIVAL: Limit.FESTIVAL,
        Action.RUN_BOOTH: Limit.FESTIVAL,
        Action.SEND_SHIPMENT: Limit.FESTIVAL,
        Action.RECEIVE_RETURN: Limit.FESTIVAL,
        Action.READ_SETTLEMENTS: Limit.FESTIVAL,
        Action.READ_FESTIVAL: Limit.FESTIVAL,
        Action.READ_BOOTH: Limit.FESTIVAL,
        Action.READ_STOCK: None,
        Action.READ_STRAYS: None,
        Action.GRANT_ORGANISER: Limit.FESTIVAL,
        Action.GRANT_CASHIER: Limit.FESTIVAL,
        Action.RECORD_SALES: Limit.FESTIVAL,
        Action.READ_BOOTH_NEWS: Limit.FESTIVAL,
        Action.ENROL_TILL: Limit.FESTIVAL,
        Action.READ_DEVICES: Limit.FESTIVAL,
    },
    Role.AUDITOR: dict.fromkeys(
        (
            *_EVERYBODY,
            *_READING,
            Action.READ_AUDIT,
            Action.READ_ACCOUNTS,
            Action.READ_DEVICES,
            Action.READ_HELD,
            Action.READ_BACKLOG,
            Action.READ_LETTERS,
            Action.READ_CHECKS,
        )
    ),
    Role.OPERATOR: dict.fromkeys(
        (
            *_EVERYBODY,
            *_READING,
            Action.READ_DEVICES,
            Action.BRING_RECORDS,
            Action.READ_HELD,
            Action.DECIDE_HELD,
            Action.READ_BACKLOG,
            Action.READ_LETTERS,
            Action.REPAIR_LETTERS,
            Action.READ_CHECKS,
            Action.RUN_CHECKS,
        )
    ),
    Role.SUBSCRIBER: dict.fromkeys(_EVERYBODY),
    Role.ADMINISTRATOR: dict.fromkeys(
        (
            *_EVERYBODY,
            Action.KEEP_CATALOGUE,
            Action.KEEP_FACILITY,
            Action.KEEP_ACCOUNTS,
            Action.READ_AUDIT,
            Action.READ_ACCOUNTS,
            Action.GRANT_ORGANISER,
            Action.GRANT_CASHIER,
            Action.GRANT_FACILITY_STAFF,
            Action.GRANT_ANY,
            Action.ENROL_TERMINAL,
            Action.ENROL_TILL,
            Action.READ_DEVICES,
        )
    ),
    Role.TERMINAL: {
        Action.READ_CATALOGUE: None,
        Action.REPORT_PRODUCTION: Limit.FACILITY,
        Action.READ_FACILITY_NEWS: Limit.FACILITY,
    },
    Role.TILL: {
        Action.READ_CATALOGUE: None,
        Action.RECORD_SALES: Limit.BOOTH,
        Action.READ_BOOTH_NEWS: Limit.BOOTH,
    },
}


def may(grants: Iterable[Grant], action: Action, place: Mapping[Limit, str]) -> bool:
    """Whether one of the grants permits the action at this place. `place` has the fields that the request names.

    A limited right needs its field: a list of everything is refused to a role with a scope.
    """
    return any(_permits(grant, action, place) for grant in grants)


def _permits(grant: Grant, action: Action, place: Mapping[Limit, str]) -> bool:
    rights = RIGHTS[grant.role]
    if action not in rights:
        return False
    limit = rights[action]
    if limit is None:
        return True
    if grant.scope == ANY:
        # Such an organiser may announce, and is granted the festival by announcing it.
        return action is Action.ANNOUNCE_FESTIVAL
    return grant.scope is not None and place.get(limit) == grant.scope
