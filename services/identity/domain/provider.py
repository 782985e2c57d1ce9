"""The roles that people of another provider get, by the claims of that provider."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.identity.domain.account import HeldRole
from services.identity.domain.rules import wrong_scope
from shared.events.identity import Role
from shared.wording import Message, WrongValue


@dataclass(frozen=True, slots=True)
class RoleMapping:
    """The claim that decides about roles, and the roles of each of its values. Without a claim no role is given."""

    claim: str
    roles: Mapping[str, frozenset[HeldRole]]

    @classmethod
    def parse(cls, claim: str, text: str) -> "RoleMapping":
        """The mapping of pairs such as `admins=administrator, kupang=facility-staff:LP-KPG`. Raises WrongValue."""
        roles: dict[str, frozenset[HeldRole]] = {}
        for pair in filter(None, (part.strip() for part in text.split(","))):
            # The value may have a `=`. A role has none.
            value, _, role = pair.rpartition("=")
            value = value.strip()
            if not value:
                raise WrongValue(Message("{pair} is no pair. Write e.g. admins=administrator.", pair=pair))
            roles[value] = roles.get(value, frozenset()) | {_role(role.strip())}
        if bool(claim) != bool(roles):
            raise WrongValue(Message("A claim needs roles by its values, and roles need a claim."))
        return cls(claim, roles)

    @property
    def all(self) -> frozenset[HeldRole]:
        """Every role that the mapping can give."""
        return frozenset().union(*self.roles.values())

    def of(self, claims: Mapping[str, Any]) -> frozenset[HeldRole]:
        """The roles of a person with these claims."""
        given: frozenset[HeldRole] = frozenset()
        for value in _values(claim_of(claims, self.claim)):
            given |= self.roles.get(value, frozenset())
        return given


@dataclass(frozen=True, slots=True)
class RoleChanges:
    """The roles that a sign-in withdraws and grants, each in a fixed order."""

    withdrawn: tuple[HeldRole, ...]
    granted: tuple[HeldRole, ...]


def role_changes(
    held: Iterable[HeldRole], given_before: Iterable[HeldRole], wanted: frozenset[HeldRole], mapping: RoleMapping
) -> RoleChanges:
    """What makes the provider's part of the held roles those that it wants now.

    The part is what the mapping names, and what a former mapping gave. Other roles were granted here, and stay.
    """
    has = frozenset(held)
    managed = mapping.all | frozenset(given_before)
    return RoleChanges(_in_order(has & managed - wanted), _in_order(wanted - has))


def claim_of(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name, or else the one at the end of a path with dots. None if there is none."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _values(claim: Any) -> list[str]:
    values = claim if isinstance(claim, list) else [claim]
    return [value for value in values if isinstance(value, str)]


def _role(text: str) -> HeldRole:
    name, colon, scope = text.partition(":")
    try:
        role = HeldRole(Role(name), scope if colon else None)
    except ValueError:
        raise WrongValue(Message("There is no role {role}.", role=name)) from None
    if (message := wrong_scope(role.role, role.scope)) is not None:
        raise WrongValue(message)
    return role


def _in_order(roles: Iterable[HeldRole]) -> tuple[HeldRole, ...]:
    return tuple(sorted(roles, key=lambda held: (held.role.value, held.scope or "")))
