"""The table of rights as people agreed on it, written a second time. A right that changes has to change here too."""

import pytest

from shared.access.rights import RIGHTS, Action, Grant, Limit, may
from shared.events.identity import SCOPES, Role

# `all`: without a limit. Else the field that must be the role's scope.
EXPECTED = """
                        facility-staff cashier  organiser auditor operator subscriber administrator
read catalogue          all            all      all       all     all      all        all
keep catalogue          -              -        -         -       -        -          all
keep facility           facility       -        -         -       -        -          all
read festivals          all            all      all       all     all      all        all
announce festival       -              -        festival  -       -        -          -
run festival            -              -        festival  -       -        -          -
run booth               -              booth    festival  -       -        -          -
send shipment           facility       -        festival  -       -        -          -
read festival           -              -        festival  all     all      -          -
read booth              -              booth    festival  all     all      -          -
read stock              -              -        all       all     all      -          -
read lots               facility       -        -         all     all      -          -
read settlements        facility       -        festival  all     all      -          -
read strays             -              -        all       all     all      -          -
read commands           all            all      all       all     all      all        all
report production       facility       -        -         -       -        -          -
record sales            -              booth    festival  -       -        -          -
read facility_news      facility       -        -         -       -        -          -
read booth_news         -              booth    festival  -       -        -          -
keep accounts           -              -        -         -       -        -          all
read accounts           -              -        -         all     -        -          all
grant organiser         -              -        festival  -       -        -          all
grant cashier           -              -        festival  -       -        -          all
grant facility_staff    facility       -        -         -       -        -          all
grant any               -              -        -         -       -        -          all
use own_account         all            all      all       all     all      all        all
"""


def expected() -> dict[Role, dict[Action, Limit | None]]:
    """The table above."""
    head, *lines = EXPECTED.strip("\n").splitlines()
    roles = [Role(name) for name in head.split()]
    table: dict[Role, dict[Action, Limit | None]] = {role: {} for role in roles}
    for line in lines:
        verb, noun, *cells = line.split()
        action = Action[f"{verb}_{noun}".upper()]
        for role, cell in zip(roles, cells, strict=True):
            if cell != "-":
                table[role][action] = None if cell == "all" else Limit(cell)
    return table


def test_the_table_is_what_people_agreed_on() -> None:
    assert expected() == {role: dict(rights) for role, rights in RIGHTS.items()}
    assert set(RIGHTS) == set(Role)
    assert {action for rights in RIGHTS.values() for action in rights} == set(Action), "an action that nobody may do"


@pytest.mark.parametrize("role", Role)
def test_a_limit_is_the_kind_of_the_roles_scope(role: Role) -> None:
    kinds = {Role.FACILITY_STAFF: Limit.FACILITY, Role.CASHIER: Limit.BOOTH, Role.ORGANISER: Limit.FESTIVAL}
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
