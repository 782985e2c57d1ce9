"""What an edge agent has to say and what it has heard, in one SQLite file that a power cut does not harm.

A record is numbered and gets its id when it is made, and stays for good: a record sent twice has the same id,
and numbers run from 1 without gaps. The file has a device id, made at first use, and each record knows the id of
the one before it, so that two copies of a file that both go on are told apart. Several processes may use one
spool: numbers are given in a write transaction, and two who send at once only send some records twice, each in
the same order.
"""

from edge.spool.file import Former, FormerRecord, Owner
from edge.spool.records import Counts, Heard, RecordPlace, Said, Spool

__all__ = ["Counts", "Former", "FormerRecord", "Heard", "Owner", "RecordPlace", "Said", "Spool"]
