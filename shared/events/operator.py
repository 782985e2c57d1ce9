"""What operators did: mended copies, archived and replayed dead letters, and databases made anew."""

from shared.events.language import Body, Id, Text, Topic, Utc
from shared.events.production import ReportId


class LetterMended(Body):
    """An operator published a mended copy of an unusable record.

    `original`: topic, partition and offset of that record, with `/` between. `letter`: the same of its dead letter.
    `reason`, `arrived_at`: why the record was unusable, and when Kafka took it in. `mended`: the `ce_id` of the copy,
    whose `ce_source` is `karya/operator`. `digest`: BLAKE2b of the copy's body, 16 bytes in hex. `fields`: the names
    of the changed fields. `actor`: who did it.
    """

    original: Id
    letter: Id
    reason: Id
    arrived_at: Utc
    mended: ReportId
    digest: Id
    fields: tuple[Id, ...]
    actor: Id
    note: Text = ""


class LetterArchived(Body):
    """An operator took an unusable record from the list of dead letters, for a reason. `original`, `letter`,
    `arrived_at` and `actor` as in LetterMended."""

    original: Id
    letter: Id
    arrived_at: Utc
    actor: Id
    reason: Text


class LetterReplayed(Body):
    """An operator sends a dead letter back to its topic, unchanged. It is told before it is sent, each time.

    `original`, `letter`, `reason`, `arrived_at` and `actor` as in LetterMended. `compared`: the letter is the same as
    the record at `original`. If false, that record was deleted, and the operator sent the letter all the same.
    """

    original: Id
    letter: Id
    reason: Id
    arrived_at: Utc
    actor: Id
    compared: bool


class DatabaseSwitched(Body):
    """An operator lets a service's database become the one that was rebuilt from Kafka. It is told before it is done.

    `original`: the service. `say_missing`: the service shall publish events that no topic has. `actor`: who did it.
    """

    original: Id
    say_missing: bool
    actor: Id


OPERATOR = Topic("karya.operator.v1", "original", (LetterMended, LetterArchived, LetterReplayed, DatabaseSwitched))
