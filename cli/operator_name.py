"""The name of an operator, as it stands in operators' events."""

from pydantic import TypeAdapter, ValidationError

from cli.sessions import session_file
from shared.credentials import read_credentials
from shared.errors import NotMendable
from shared.events.language import Id
from shared.faults import fault_message
from shared.settings import Settings
from shared.wording import Message

# Without a session, `--as`, KARYA_OPERATOR and credentials of Kafka.
UNNAMED = "operator"


def operator_name(settings: Settings, option: str | None) -> str:
    """The operator's name. Raises NotMendable for a name that is no id.

    The name at this machine would often be a person's, and no event has one.
    """
    name = option or settings.operator or _signed_in() or _kafka_user(settings) or UNNAMED
    try:
        return TypeAdapter(Id).validate_python(name)
    except ValidationError as error:
        raise NotMendable(
            Message(
                "{name!r} can't be an operator's name. {reason} Say another one with {setting}.",
                name=name,
                setting="--as" if option else "KARYA_OPERATOR",
                reason=fault_message(error.errors(include_url=False)[0]),
            )
        ) from None


def _signed_in() -> str | None:
    """The subject of the account that is signed in here."""
    file = session_file()
    session = file.read() if file is not None else None
    return None if session is None else session.subject


def _kafka_user(settings: Settings) -> str | None:
    file = settings.kafka_credentials
    return read_credentials(file).user if file is not None else None
