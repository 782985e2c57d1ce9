"""The evidence of accounts: what identity's facts say together of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ops.verify.topic_evidence.event import Json, PublishedEvent

HeldPair = tuple[str, str | None]


@dataclass(slots=True)
class AccountFacts:
    """One account as its facts left it, and sentences on facts that contradict each other."""

    credential: str | None = None
    roles: set[HeldPair] = field(default_factory=set)
    closed: bool = False
    contradictions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AccountEvidence:
    """The accounts by their subjects. The topic has the facts of an account in their order."""

    accounts: dict[str, AccountFacts] = field(default_factory=dict)

    def add(self, event: PublishedEvent) -> None:
        """Take in a fact about an account; any other event is ignored."""
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


def _contradictions(facts: AccountFacts, type: str, body: Json) -> Iterator[str]:
    if (type == "AccountOpened") != (facts.credential is None):
        yield f"{type} of an account that {'was open before' if facts.credential else 'was never opened'}"
    if facts.closed:
        yield f"{type} of a closed account"
    if type == "RoleGranted" and _role(body) in facts.roles:
        yield "a role is granted twice"
    if type == "RoleWithdrawn" and _role(body) not in facts.roles:
        yield "a role is withdrawn that was not granted"


def _role(body: Json) -> HeldPair:
    return body["role"], body["scope"]
