"""Every exception class of Karya, one sentence each."""

from shared.wording import Message


class KaryaError(Exception):
    """The root: anything below it has a message that a person can act on. `str` of it is in English."""

    def __init__(self, message: Message | str = "") -> None:
        super().__init__(message)
        self.message = message


# A bug in our own code


class UndeclaredRead(KaryaError):
    """A rule asked for an entity or a query that its event does not declare among its reads."""


class ForeignWrite(KaryaError):
    """A rule put an entity that another processor writes."""


# A record that can't be used


class Unusable(KaryaError):
    """A record can't be decoded: `reason` for programs, the message for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message: str = message


# The surroundings


class PartitionsDiffer(KaryaError):
    """The topics of one processor are missing or have not all the same number of partitions."""


class TopicsRefused(KaryaError):
    """Topics that exist differ from what they must be, in a way that only a person may change."""


class LaneOutOfRange(KaryaError):
    """A lane's document points outside the log that Kafka has: another cluster, or a topic made anew."""


class FenceMoved(KaryaError):
    """Another instance has worked the lane since it was read, so the batch in hand is out of date."""


class NotRelayed(KaryaError):
    """Kafka did not acknowledge a lane's events within the bound."""


class SystemRefused(KaryaError):
    """The operating system refused what a command needs, such as a file or a port."""


class UnknownVersion(KaryaError):
    """A library, or data of another Karya version, has a version that is not known here."""


class BadSettings(KaryaError):
    """A setting is wrong, or settings contradict each other."""


class ServersNotConfigured(KaryaError):
    """A command does not know the addresses of its servers."""


class UnknownLanguage(KaryaError):
    """A language was chosen in which Karya does not speak."""


class BadReference(KaryaError):
    """The reference data (facilities, products, categories) does not hold together."""


class HistoryTruncated(KaryaError):
    """Kafka no longer has the whole history of a service's database."""


class ServiceRunning(KaryaError):
    """A service is running, or ran meanwhile, and the operation needs it stopped."""


class UnpublishedEvents(KaryaError):
    """Events of a service are in no topic, and the operator has not chosen whether to publish them."""


class NotEmpty(KaryaError):
    """A database that must be empty holds documents."""


class NoSuchLetter(KaryaError):
    """No dead letter has this place or this key."""


class NotPermitted(KaryaError):
    """The user of Kafka has no right to write the topic. Another user may."""


class NotMendable(KaryaError):
    """A dead letter can't be mended or archived, or the mended body is wrong."""


# Terminals and tills


class WrongEntry(KaryaError):
    """An entry is wrong, and the agent can tell without asking a service."""


class SpoolFailed(KaryaError):
    """The spool can't take or give a record: no room, no right to write, in use for too long, or damaged."""


class NotReached(KaryaError):
    """Kafka (or a database that a command needs) could not be reached, or did not answer in time."""


# Commands that ask a service


class NotAnswered(KaryaError):
    """A service could not be reached over HTTP, or did not have what was asked for.

    `status`: that of its answer, if there was one.
    """

    def __init__(self, message: Message | str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
