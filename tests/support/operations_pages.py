"""What operations answers to an operator: a dead letter, an invariant that is broken, a rebuild under way."""

from copy import deepcopy
from typing import Any

PLACE = "karya.terminal.production.v1.dlq/3/0"
LETTER_ADDRESS = f"/operator/letters/{PLACE}"
LETTER_PATH = f"operations/letters/{PLACE}"
LETTER_ROW: dict[str, Any] = {
    "letter": PLACE,
    "topic": "karya.terminal.production.v1",
    "service": "production",
    "key": "PR-KPG",
    "status": "unusable",
    "reason": "BAD_BODY",
    "message": "qty: made up",
    "times": 2,
    "at": "2026-04-18T02:30:00Z",
    "arrived_at": "2026-04-18T02:29:00Z",
    "original": "karya.terminal.production.v1/3/17",
    "event": "ProductionReported.v1",
    "repaired_by": None,
    "note": None,
    "is_private": False,
}
LETTER: dict[str, Any] = LETTER_ROW | {
    "headers": [["ce_id", "report-1"], ["ce_type", "ProductionReported.v1"]],
    "body": '{"facility":"PR-KPG","terminal":"T1","product":"KTI","qty":"12"}',
    "is_text": True,
    "is_hidden": False,
    "writer": None,
    "events": ["ProductionReported", "ReportCorrected"],
    "may_replay": True,
    "may_mend": True,
    "may_archive": True,
}
CHECK: dict[str, Any] = {
    "name": "parked keys",
    "about": "no key waits for a fixed rule and a replay",
    "looked_at": 1_250,
    "ok": True,
    "broken": [],
    "broken_total": 0,
    "notes": [],
}
BROKEN = {
    **CHECK,
    "name": "settlements said",
    "about": "the last published settlement of each facility is the kept one",
    "ok": False,
    "broken": [
        {
            "detail": "booth ODOP.B1: 3 by festival, by sales 4",
            "template": "booth {booth}: {first} by festival, by sales {second}",
            "values": {"booth": "ODOP.B1", "first": 3, "second": 4},
        }
    ],
    "broken_total": 1,
}
VERIFICATION: dict[str, Any] = {
    "status": "done",
    "actor": "s-abcdefghijklmnop",
    "started_at": "2026-04-18T02:30:00Z",
    "finished_at": "2026-04-18T02:30:09Z",
    "is_checking": False,
    "ok": False,
    "waits": [],
    "checks": [CHECK, BROKEN],
    "fault": None,
}
REBUILD: dict[str, Any] = {
    "service": "sales",
    "status": "running",
    "actor": "s-abcdefghijklmnop",
    "started_at": "2026-04-18T02:30:00Z",
    "finished_at": None,
    "done": 500,
    "of": 2_000,
    "ok": None,
    "differences": [],
    "fault": None,
}
_BUSY = "festival did not stop changing within 20 s."
_FAULT = {"detail": _BUSY, "template": "{text}", "values": {"text": _BUSY}}


def operations_pages() -> dict[str, Any]:
    """The pages of operations, by `service/path`, to be changed freely."""
    never = {**REBUILD, "status": "never", "actor": None, "started_at": None, "done": None, "of": None}
    failed = {**REBUILD, "service": "festival", "status": "failed", "fault": _FAULT, "done": None, "of": None}
    return deepcopy(
        {
            "operations/health/ready": {"status": "ready"},
            "operations/letters": [LETTER_ROW],
            LETTER_PATH: LETTER,
            "operations/verification": VERIFICATION,
            "operations/rebuilds": [REBUILD, failed, {**never, "service": "production"}],
        }
    )
