"""The rights of a secured stack's administrator, for commands that operators have not the rights for."""

from cli.local_stack import FOLDER
from deploy.secure.files import ADMINISTRATOR, KAFKA, OPERATOR
from deploy.secure.users import ServerSecrets
from shared.settings import Settings


def as_administrator(settings: Settings) -> Settings:
    """The settings of this checkout's stack with the rights of its administrator; those of another stack as they
    are."""
    secrets = ServerSecrets(FOLDER / "secrets")
    if settings.kafka_credentials != secrets.credentials_file(KAFKA, OPERATOR):
        return settings
    return secrets.of(ADMINISTRATOR, settings)
