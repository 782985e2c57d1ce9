"""The first accounts of a stack: their credentials are kept, and then their commands are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.identity.domain.account import HeldRole
from services.identity.domain.sign_in import login_of, wrong_login, wrong_password
from services.identity.store import Secrets
from services.identity.store.credentials import Credential, new_credential_id, new_subject
from shared.errors import WrongEntry
from shared.events.identity import GrantRole, OpenAccount
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """An account to be made, with its password in clear. Without a `name` the login is shown."""

    login: str
    password: str
    roles: tuple[HeldRole, ...]
    name: str = ""

    def __repr__(self) -> str:
        return f"FirstAccount({self.login!r})"


@dataclass(frozen=True, slots=True)
class SeedCommand:
    """A command with an id that follows from the credential: given again it changes nothing."""

    id: str
    body: OpenAccount | GrantRole


async def keep(secrets: Secrets, account: FirstAccount, now: datetime) -> Credential:
    """The credential of the account. One that has the login already is kept as it is, with its password.

    Raises WrongEntry for a login or password that can't be, and PyMongoError.
    """
    login = login_of(account.login)
    wrong = wrong_login(login) or wrong_password(login, account.password)
    if wrong is not None:
        raise WrongEntry(Message("{login}: {reason}", login=account.login, reason=wrong))
    if (known := await secrets.credentials.first_of(login)) is not None:
        return known
    credential = Credential(
        id=new_credential_id(),
        subject=new_subject(),
        login=login,
        name=account.name or login,
        password=await secrets.passwords.hash(account.password),
        made_at=now,
    )
    if not await secrets.credentials.add(credential):
        raise WrongEntry(Message("{login}: somebody else makes this account at this moment.", login=account.login))
    return credential


def commands(credential: Credential, roles: Sequence[HeldRole]) -> list[SeedCommand]:
    """The commands that open the account of a credential and grant its roles."""
    opening = OpenAccount(subject=credential.subject, credential=credential.id)
    grants = [GrantRole(subject=credential.subject, role=held.role, scope=held.scope) for held in roles]
    return [
        SeedCommand(f"{credential.id}.open", opening),
        *(SeedCommand(f"{credential.id}.{body.role.value}.{body.scope or ''}", body) for body in grants),
    ]
