"""The table of rights, beside the same table written a second time."""

import pytest

from shared.access.rights import RIGHTS, Action, Grant, Limit, may
from shared.events.identity import SCOPES, Role
from tests.support.rights import expected


def test_the_table_is_what_people_agreed_on() -> None:
    assert expected() == {role: dict(rights) for role, rights in RIGHTS.items()}
    assert set(RIGHTS) == set(Role)
    assert {action for rights in RIGHTS.values() for action in rights} == set(Action), "an action that nobody may do"


@pytest.mark.parametrize("role", Role)
def test_a_limit_is_the_kind_of_the_roles_scope(role: Role) -> None:
    kinds = {
        Role.FACILITY_STAFF: Limit.FACILITY,
        Role.CASHIER: Limit.BOOTH,
        Role.ORGANISER: Limit.FESTIVAL,
        Role.TERMINAL: Limit.FACILITY,
        Role.TILL: Limit.BOOTH,
    }
    assert {limit for limit in RIGHTS[role].values() if limit is not None} <= {kinds.get(role)}
    assert (role in kinds) <= (role in SCOPES)


def test_a_limited_right_holds_for_its_scope_only() -> None:
    cashier = [Grant(Role.CASHIER, "ODOP.B1")]
    assert may(cashier, Action.RUN_BOOTH, {Limit.BOOTH: "ODOP.B1", Limit.FESTIVAL: "ODOP"})
    assert not may(cashier, Action.RUN_BOOTH, {Limit.BOOTH: "ODOP.B10", Limit.FESTIVAL: "ODOP"})
    assert not may(cashier, Action.RUN_BOOTH, {Limit.FESTIVAL: "ODOP"}), "a request that names no booth"
    assert not may(cashier, Action.RUN_FESTIVAL, {Limit.FESTIVAL: "ODOP"})
    assert may([*cashier, Grant(Role.CASHIER, "ODOP.B2")], Action.RUN_BOOTH, {Limit.BOOTH: "ODOP.B2"})
    assert not may([Grant(Role.ORGANISER)], Action.RUN_FESTIVAL, {}), "a role without the scope that it needs"
    assert not may([], Action.READ_CATALOGUE, {})


def test_whoever_may_announce_any_festival_runs_none_of_others() -> None:
    founder = [Grant(Role.ORGANISER, "*")]
    assert may(founder, Action.ANNOUNCE_FESTIVAL, {Limit.FESTIVAL: "ODOP"})
    assert not may(founder, Action.RUN_FESTIVAL, {Limit.FESTIVAL: "ODOP"})
    assert not may(founder, Action.RUN_FESTIVAL, {Limit.FESTIVAL: "*"})
    assert not may(founder, Action.READ_FESTIVAL, {})


@pytest.mark.parametrize("text", ["organiser:ODOP", "auditor", "cashier:ODOP.B1", "facility-staff:LP-KPG"])
def test_a_grant_is_read_as_it_was_written(text: str) -> None:
    grant = Grant.parse(text)
    assert grant is not None
    assert str(grant) == text
