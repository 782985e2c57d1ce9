"""The grammar of the published language: value types, `Body`, `Topic`, `Publication`, `Unchanged`, `Deadline`.

Within a `.v1` a model only gains fields that have defaults. Readers ignore unknown fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.wording import Message, WrongValue

MAX_QTY = 1_000_000
MAX_TEXT = 500
MAX_PRICE_RUPIAH = 1_000_000_000
MAX_WHOLE = 2**53  # the largest whole number that every JSON reader keeps exact
MAX_VALUE_BYTES = 256 * 1024  # of a body's JSON: what is larger is a dead letter at every reader


# A clock that has lost its time shows 1970, and its records are still useful. Both limits are far from the ends of
# `datetime`, so that every time zone and every added deadline is possible.
FIRST_YEAR = 1970
LAST_YEAR = 2099
OUTSIDE = f"outside the years {FIRST_YEAR} to {LAST_YEAR}"
_OUTSIDE = Message("It is outside the years {first} to {last}.", first=FIRST_YEAR, last=LAST_YEAR)


def as_utc(moment: datetime) -> datetime:
    """The moment in UTC, in whole milliseconds, as databases keep it. A state read back is then the same.

    Raises OverflowError outside the years FIRST_YEAR to LAST_YEAR.
    """
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    if not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise OverflowError(OUTSIDE)
    beyond = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - beyond) if beyond else utc


def _checked_utc(moment: datetime) -> datetime:
    try:
        return as_utc(moment)
    except OverflowError:
        raise WrongValue(_OUTSIDE) from None


def _checked_day(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise WrongValue(_OUTSIDE)
    return day


Utc = Annotated[AwareDatetime, AfterValidator(_checked_utc)]
Day = Annotated[date, AfterValidator(_checked_day)]
Qty = Annotated[int, Field(ge=1, le=MAX_QTY)]
Count = Annotated[int, Field(ge=0, le=MAX_WHOLE)]
PriceRupiah = Annotated[int, Field(ge=0, le=MAX_PRICE_RUPIAH)]
Rupiah = Annotated[int, Field(ge=0, le=MAX_WHOLE)]
# Text that a person typed. It may be wrong; the service that knows better answers with advice.
Typed = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
TypedNumber = Annotated[int, Field(ge=-MAX_WHOLE, le=MAX_WHOLE)]
# Pieces more, or fewer if negative.
Change = Annotated[int, Field(ge=-MAX_QTY, le=MAX_QTY)]
# A key made by a program, of characters that are safe in file names, addresses and shells.
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$"
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
# A ce_id, of any visible ASCII characters.
EVENT_ID = r"^[!-~]{1,200}$"
CommandId = Annotated[str, StringConstraints(pattern=EVENT_ID)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]

# The values of a message's fields.
Values = dict[Annotated[str, StringConstraints(max_length=40)], Text | TypedNumber]


# Frozen models block ordinary assignment.
_set = object.__setattr__


class Body(BaseModel):
    """The JSON body of one event.

    It is strict: "5" is not a number, and 1.0 is not a count. Every number has bounds, because JSON allows numbers
    that databases can't keep. Validation errors leave out the value, which may be a person's name.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True, defer_build=True)

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:  # type: ignore[override]
        """A body of values that need no check: all fields, in their order.

        Rules use it when they publish an event for each event that they read. Their values were checked when they
        came in, or are sums within a checked value. It takes a fifth of the time of validation. Tests check it.
        """
        body = cls.__new__(cls)
        _set(body, "__dict__", values)
        _set(body, "__pydantic_fields_set__", set(values) if _fields_set is None else _fields_set)
        _set(body, "__pydantic_extra__", None)
        _set(body, "__pydantic_private__", None)
        return body


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic: its name without prefix, the body field that is its key, and the bodies that it carries."""

    name: str
    key: str
    bodies: tuple[type[Body], ...]

    def __hash__(self) -> int:
        # Faster than the generated hash; caches need it with every record.
        return hash(self.name)

    def of(self, body: Body) -> "Publication":
        """A publication of `body` on this topic. Raises TypeError for a body that the topic does not carry."""
        if type(body) not in self.bodies:
            raise TypeError(f"{type(body).__name__} is no event of {self.name}")
        return Publication(self, body)

    def key_of(self, body: Body) -> str:
        """The Kafka key of the body."""
        key: str = getattr(body, self.key)
        return key

    @property
    def dlq(self) -> str:
        return f"{self.name}.dlq"

    @property
    def by_type(self) -> Mapping[str, type[Body]]:
        """The model of each `ce_type`, e.g. `LotRecorded.v1`."""
        return {event_type(self, body): body for body in self.bodies}


def event_type(topic: Topic, body: type[Body]) -> str:
    """The `ce_type` of a body on this topic: `<Name>.<version of the topic>`, e.g. `LotRecorded.v1`."""
    return f"{body.__name__}.{topic.name.rsplit('.', 1)[1]}"


@dataclass(frozen=True, slots=True)
class Publication:
    """One event that `decide` returns. The step gives it an id and publishes it."""

    topic: Topic
    body: Body


@dataclass(frozen=True, slots=True)
class Unchanged(Publication):
    """A record of another sender, passed on: the step publishes these bytes and headers as they are. `body` is what
    the bytes say. Readers know the record by its own source and id, so that a second copy changes nothing."""

    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A request of `decide` for DeadlineReached to document `key` once `due` (UTC) has passed.

    A repeated `id` moves the deadline. The rules ignore a deadline that no longer matters.
    """

    id: str
    key: str
    due: datetime


class DeadlineReached(Body):
    """A deadline's due time has passed. The document that set the deadline gives it its meaning."""

    key: Id
    deadline: Id
    due: Utc


@dataclass(frozen=True, slots=True)
class Event:
    """One decoded record as `decide` sees it.

    `time` is the writer's time of the event. `logged_at` is Kafka's time of arrival: the only clock of `decide`,
    equal at every replay. `key` is the Kafka key, already compared with the body's own. `subject`: on a mended copy
    the id of the record that it stands for. `actor`: of a command the account that gave it.
    """

    id: str
    source: str
    key: str
    time: datetime
    logged_at: datetime
    body: Body
    subject: str | None = None
    actor: str | None = None

    @property
    def known_as(self) -> str:
        """The id by which documents and other events know what this event records, e.g. a receipt's number."""
        return self.subject or self.id
