"""An edge agent's spool: its own records and the events it received, in one SQLite file that survives power cuts.

A record gets its number and id when it is made, and is never deleted. Numbers run from 1 without gaps. Until a sync
begins to send a record, it can be amended, which gives it another id, or taken out. A record that is sent twice has
the same id both times. The file has a device id, made at first use. Each record holds the id of the record before it,
so that two copies of a file that both continue can be told apart. Several processes may use one spool. Numbers are
assigned in a write transaction. Two processes that send at once send some records twice, both in the same order.
Each record is signed when it is made or amended, by a key in a file beside the spool. What a lost key has signed, and
no service knows, an enrolled device sends signed again.
"""

from edge.spool.file import FormerRecord, Migration, Owner
from edge.spool.records import Counts, IntakeRefusal, NewsFeed, ReceivedEvent, RecordPlace, Spool, SpooledRecord

__all__ = [
    "Counts",
    "FormerRecord",
    "IntakeRefusal",
    "Migration",
    "NewsFeed",
    "Owner",
    "ReceivedEvent",
    "RecordPlace",
    "Spool",
    "SpooledRecord",
]
