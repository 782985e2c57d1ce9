"""The roles that a provider's claims give, and what a sign-in changes."""

from typing import Any

import pytest

from services.identity.domain.account import HeldRole
from services.identity.domain.provider import RoleChanges, RoleMapping, claim_of, role_changes
from shared.events.identity import Role
from shared.wording import WrongValue

pytestmark = pytest.mark.unit

ADMIN, AUDITOR = HeldRole(Role.ADMINISTRATOR), HeldRole(Role.AUDITOR)
ODOP, ANY = HeldRole(Role.ORGANISER, "ODOP"), HeldRole(Role.ORGANISER, "*")
STAFF = HeldRole(Role.FACILITY_STAFF, "LP-KPG")
MAPPING = RoleMapping.parse(
    "groups", "admins=administrator, admins = auditor,Tim ODOP=organiser:ODOP, a=b=organiser:*"
)


def test_a_value_may_give_several_roles_and_may_have_spaces_and_signs() -> None:
    assert MAPPING.roles == {
        "admins": frozenset({ADMIN, AUDITOR}),
        "Tim ODOP": frozenset({ODOP}),
        "a=b": frozenset({ANY}),
    }
    assert MAPPING.all == {ADMIN, AUDITOR, ODOP, ANY}


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        (["admins", "choir"], {ADMIN, AUDITOR}),
        ("Tim ODOP", {ODOP}),
        ("tim odop", set()),
        (["Admins"], set()),
        ([["admins"]], set()),
        ([1, None, {"admins": True}], set()),
        ({"admins": True}, set()),
        (None, set()),
        (True, set()),
    ],
)
def test_only_a_value_of_the_mapping_gives_a_role(groups: Any, roles: set[HeldRole]) -> None:
    assert MAPPING.of({"groups": groups, "roles": ["admins"]}) == roles


def test_a_claim_is_found_by_its_name_or_by_its_path() -> None:
    assert claim_of({"realm_access": {"roles": ["a"]}}, "realm_access.roles") == ["a"]
    assert claim_of({"https://karya.test/roles": "a"}, "https://karya.test/roles") == "a"
    assert claim_of({"realm_access": ["roles"]}, "realm_access.roles") is None
    assert claim_of({}, "realm_access.roles") is None


@pytest.mark.parametrize("text", ["admins", "=administrator", "admins=", "admins=boss", "admins=till:ODOP.B1", ""])
def test_a_wrong_mapping_is_refused(text: str) -> None:
    with pytest.raises(WrongValue):
        RoleMapping.parse("groups", text)


def test_without_a_claim_no_role_is_given_or_withdrawn() -> None:
    none = RoleMapping.parse("", "")
    assert none.of({"": ["admins"], "groups": ["admins"]}) == frozenset()
    assert role_changes([ADMIN], [], frozenset(), none) == RoleChanges((), ())


def test_the_provider_decides_about_its_roles_and_about_no_other() -> None:
    changes = role_changes([STAFF, ODOP, ADMIN], [], frozenset({ODOP, ANY}), MAPPING)
    assert changes == RoleChanges(withdrawn=(ADMIN,), granted=(ANY,))


def test_a_role_that_a_former_mapping_gave_is_withdrawn() -> None:
    assert role_changes([STAFF, ODOP], [STAFF], frozenset({ODOP}), MAPPING) == RoleChanges((STAFF,), ())
    assert role_changes([ODOP], [STAFF], frozenset({ODOP}), MAPPING) == RoleChanges((), ())
