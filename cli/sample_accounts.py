"""The sample accounts of this checkout's stack, one of each role, with passwords that were made for it."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.errors import WrongEntry
from shared.events.identity import Role
from shared.private_file import replace_private
from shared.wording import Message

FILE = "accounts.json"
PASSWORD_BYTES = 12
# Made up, like all quantities: facilities of the seed, booths of the examples, a public stream.
SAMPLE_ROLES: Mapping[Role, Sequence[str]] = {
    Role.FACILITY_STAFF: ["facility-staff:LP-KPG", "facility-staff:PR-KPG"],
    Role.CASHIER: ["cashier:ODOP.B1", "cashier:TRIAL.B1"],
    Role.ORGANISER: ["organiser:*"],
    Role.AUDITOR: ["auditor"],
    Role.OPERATOR: ["operator"],
    Role.SUBSCRIBER: ["subscriber:karya.public.sales.v1"],
    Role.ADMINISTRATOR: ["administrator"],
}


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """An account for trying out. Its login is the name of its role."""

    login: str
    password: str
    roles: tuple[str, ...]

    def __repr__(self) -> str:
        return f"SampleAccount({self.login!r})"  # no password in a log or traceback


def sample_accounts(folder: Path) -> list[SampleAccount]:
    """The sample accounts of the stack in this folder. Their passwords are made once, for the owner of the folder."""
    if (kept := kept_accounts(folder)) is not None:
        return kept
    accounts = [new_account(role.value, roles) for role, roles in SAMPLE_ROLES.items()]
    folder.mkdir(parents=True, exist_ok=True)
    replace_private(folder / FILE, json.dumps([asdict(account) for account in accounts], indent=2).encode())
    return accounts


def new_account(login: str, roles: Sequence[str]) -> SampleAccount:
    """An account with a new password."""
    return SampleAccount(login, secrets.token_urlsafe(PASSWORD_BYTES), tuple(roles))


def kept_accounts(folder: Path) -> list[SampleAccount] | None:
    """The sample accounts that were made for the stack in this folder, or None if there are none."""
    try:
        rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return [SampleAccount(row["login"], row["password"], tuple(row["roles"])) for row in rows]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def sample_of(folder: Path, role: Role) -> SampleAccount:
    """The sample account with this role. Raises WrongEntry where no stack has made one."""
    for account in kept_accounts(folder) or ():
        if account.login == role.value:
            return account
    raise WrongEntry(
        Message("This checkout has no sample account {role}. `karya up` makes one of each role.", role=role.value)
    )
