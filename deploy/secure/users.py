"""The users of Kafka and MongoDB, with a file of credentials for each.

A principal, such as the service sales, has two names as a user: `sales.1` and `sales.2`, with equal rights. One of
them is in use. A new password is given to the other, so that both are good until every client has changed.
"""

from __future__ import annotations

import secrets

from deploy.secure.files import KAFKA, MONGO, SecretFiles
from shared.credentials import UserCredentials, read_credentials
from shared.private_file import replace_private
from shared.settings import Settings

_NUMBERS = (1, 2)
_PASSWORD_BYTES = 24


def user_names(principal: str) -> tuple[str, ...]:
    """The names of this principal as a user."""
    return tuple(f"{principal}.{number}" for number in _NUMBERS)


def other_name(user: str) -> str:
    """The principal's other name as a user."""
    [name] = (name for name in user_names(user.rpartition(".")[0]) if name != user)
    return name


class ServerSecrets(SecretFiles):
    """The files of a stack, with the users in them."""

    __slots__ = ()

    def credentials(self, server: str, principal: str) -> UserCredentials:
        """The user in use, made at the first call."""
        if not (file := self.credentials_file(server, principal)).exists():
            self.keep(server, principal, new_credentials(user_names(principal)[0]))
        return read_credentials(file)

    def keep(self, server: str, principal: str, credentials: UserCredentials) -> None:
        """Let clients that start from now on use these credentials."""
        content = f"{credentials.user}\n{credentials.password}\n"
        replace_private(self.credentials_file(server, principal), content.encode())

    def of(self, principal: str, settings: Settings) -> Settings:
        """The settings with the credentials of this principal."""
        return settings.model_copy(
            update={
                "kafka_credentials": self.credentials_file(KAFKA, principal),
                "mongo_credentials": self.credentials_file(MONGO, principal),
                "kafka_ca": self.authorities,
                "mongo_ca": self.authorities,
            }
        )


def new_credentials(user: str) -> UserCredentials:
    """This user with a new random password."""
    return UserCredentials(user, secrets.token_urlsafe(_PASSWORD_BYTES))
