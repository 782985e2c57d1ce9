"""The table of rights as people agreed on it, written a second time. A right that changes has to change here too."""

from shared.access.rights import Action, Limit
from shared.events.identity import Role

# `all`: without a limit. Else the field that must be the role's scope.
EXPECTED = """
                        facility-staff cashier  organiser auditor operator subscriber administrator terminal till
read catalogue          all            all      all       all     all      all        all           all      all
keep catalogue          -              -        -         -       -        -          all           -        -
keep facility           facility       -        -         -       -        -          all           -        -
read festivals          all            all      all       all     all      all        all           -        -
announce festival       -              -        festival  -       -        -          -             -        -
run festival            -              -        festival  -       -        -          -             -        -
run booth               -              booth    festival  -       -        -          -             -        -
send shipment           facility       -        festival  -       -        -          -             -        -
receive return          facility       -        festival  -       -        -          -             -        -
record facility_loss    facility       -        -         -       -        -          -             -        -
read festival           -              -        festival  all     all      -          -             -        -
read booth              -              booth    festival  all     all      -          -             -        -
read stock              -              -        all       all     all      -          -             -        -
read lots               facility       -        -         all     all      -          -             -        -
read settlements        facility       -        festival  all     all      -          -             -        -
read strays             -              -        all       all     all      -          -             -        -
read commands           all            all      all       all     all      all        all           -        -
report production       facility       -        -         -       -        -          -             facility -
record sales            -              booth    festival  -       -        -          -             -        booth
read facility_news      facility       -        -         -       -        -          -             facility -
read booth_news         -              booth    festival  -       -        -          -             -        booth
bring records           -              -        -         -       all      -          -             -        -
read held               -              -        -         all     all      -          -             -        -
read backlog            -              -        -         all     all      -          -             -        -
decide held             -              -        -         -       all      -          -             -        -
read letters            -              -        -         all     all      -          -             -        -
repair letters          -              -        -         -       all      -          -             -        -
read checks             -              -        -         all     all      -          -             -        -
run checks              -              -        -         -       all      -          -             -        -
read audit              -              -        -         all     -        -          all           -        -
keep accounts           -              -        -         -       -        -          all           -        -
read accounts           -              -        -         all     -        -          all           -        -
grant organiser         -              -        festival  -       -        -          all           -        -
grant cashier           -              -        festival  -       -        -          all           -        -
grant facility_staff    facility       -        -         -       -        -          all           -        -
grant any               -              -        -         -       -        -          all           -        -
enrol terminal          facility       -        -         -       -        -          all           -        -
enrol till              -              -        festival  -       -        -          all           -        -
read devices            facility       -        festival  all     all      -          all           -        -
use own_account         all            all      all       all     all      all        all           -        -
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
