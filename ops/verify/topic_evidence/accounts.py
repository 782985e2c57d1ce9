"""The evidence of accounts and devices: what identity's facts say together of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ops.verify.topic_evidence.event import Json, PublishedEvent
from shared.wording import Message

HeldPair = tuple[str, str | None]


@dataclass(slots=True)
class AccountFacts:
    """One account as its facts left it, and sentences on facts that contradict each other."""

    credential: str | None = None
    roles: set[HeldPair] = field(default_factory=set)
    closed: bool = False
    contradictions: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class EnrolmentFacts:
    """One device as its facts left it, and sentences on facts that contradict each other. `place`: its role, scope
    and name."""

    key: Json | None = None
    place: tuple[str, str, str] | None = None
    revoked: bool = False
    contradictions: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class AccountEvidence:
    """The accounts and the devices by their subjects. The topic has the facts of each in their order."""

    accounts: dict[str, AccountFacts] = field(default_factory=dict)
    enrolments: dict[str, EnrolmentFacts] = field(default_factory=dict)

    def add(self, event: PublishedEvent) -> None:
        """Take in a fact about an account or a device; any other event is ignored."""
        if event.type in ("DeviceEnrolled", "DeviceRevoked"):
            self._add_enrolment(event.type, event.json)
        if event.type not in ("AccountOpened", "AccountClosed", "CredentialReplaced", "RoleGranted", "RoleWithdrawn"):
            return
        body = event.json
        facts = self.accounts.setdefault(body["subject"], AccountFacts())
        facts.contradictions.extend(_contradictions(facts, event.type, body))
        match event.type:
            case "AccountOpened" | "CredentialReplaced":
                facts.credential = body["credential"]
            case "AccountClosed":
                facts.closed = True
            case "RoleGranted":
                facts.roles.add(_role(body))
            case "RoleWithdrawn":
                facts.roles.discard(_role(body))

    def _add_enrolment(self, type: str, body: Json) -> None:
        facts = self.enrolments.setdefault(body["subject"], EnrolmentFacts())
        if (type == "DeviceEnrolled") != (facts.key is None):
            facts.contradictions.append(
                Message("{type} of a device that was enrolled before", type=type)
                if facts.key
                else Message("{type} of a device that was not enrolled before", type=type)
            )
        if facts.revoked:
            facts.contradictions.append(Message("{type} of a revoked device", type=type))
        if type == "DeviceRevoked":
            facts.revoked = True
        else:
            facts.key = {name: value for name, value in body["public_key"].items() if value is not None}
            facts.place = body["role"], body["scope"], body["name"]


def _contradictions(facts: AccountFacts, type: str, body: Json) -> Iterator[Message]:
    if (type == "AccountOpened") != (facts.credential is None):
        yield (
            Message("{type} of an account that was open before", type=type)
            if facts.credential
            else Message("{type} of an account that was never opened", type=type)
        )
    if facts.closed:
        yield Message("{type} of a closed account", type=type)
    if type == "RoleGranted" and _role(body) in facts.roles:
        yield Message("a role is granted twice")
    if type == "RoleWithdrawn" and _role(body) not in facts.roles:
        yield Message("a role is withdrawn that was not granted")


def _role(body: Json) -> HeldPair:
    return body["role"], body["scope"]
