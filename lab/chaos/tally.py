"""Counters of what the load has done."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counters of one run. `refused_by_spool`: records that a full disk refused at once. `vanished`: records that
    were lost with a till."""

    recorded: int = 0
    refused_by_spool: int = 0
    vanished: int = 0
    syncs_failed: int = 0
    commands: int = 0
    festivals_opened: int = 0
    festivals_closed: int = 0
