"""Requests whose content decides which right they need, and the roles that may make them at their own place.

The place of each is that of `OWN`. A route whose row in the table of rights leaves something open must be here.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from services.identity.domain.device import EnrolledDevice
from services.identity.store import DEVICES
from services.production.domain.entities import ReportKind, ReportOutcome, TerminalReport
from services.production.store import REPORTS
from shared import envelope
from shared.access.rights import Limit
from shared.events.identity import Curve, KeyKind, PublicKey, Role
from shared.events.production import ProductionReported
from shared.events.sales import DeviceIntroduced
from tests.support.callers import SUBJECT

OWN: Mapping[Limit, str] = {Limit.FACILITY: "PR-KPG", Limit.FESTIVAL: "ODOP", Limit.BOOTH: "ODOP.B1"}
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
TERMINAL_DEVICE, TILL_DEVICE = f"d-{'a' * 52}", f"d-{'b' * 52}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A request to the route `row` of a service, with its parameters filled in."""

    service: str
    row: str
    permitted: frozenset[Role]
    body: Any = None
    names: Mapping[str, str] = field(default_factory=dict)


STAFF, CASHIER, ORGANISER, ADMINISTRATOR = (
    Role.FACILITY_STAFF,
    Role.CASHIER,
    Role.ORGANISER,
    Role.ADMINISTRATOR,
)
READERS = (Role.AUDITOR, Role.OPERATOR)
GRANTORS: Mapping[Role, tuple[str | None, frozenset[Role]]] = {
    Role.ORGANISER: ("ODOP", frozenset({ORGANISER, ADMINISTRATOR})),
    Role.CASHIER: ("ODOP.B1", frozenset({ORGANISER, ADMINISTRATOR})),
    Role.FACILITY_STAFF: ("PR-KPG", frozenset({STAFF, ADMINISTRATOR})),
    Role.AUDITOR: (None, frozenset({ADMINISTRATOR})),
    Role.ADMINISTRATOR: (None, frozenset({ADMINISTRATOR})),
}
ENROLLERS = {
    Role.TERMINAL: ("PR-KPG", TERMINAL_DEVICE, frozenset({STAFF, ADMINISTRATOR})),
    Role.TILL: ("ODOP.B1", TILL_DEVICE, frozenset({ORGANISER, ADMINISTRATOR})),
}


def _record(kind: str, body: ProductionReported | DeviceIntroduced, place: str) -> list[dict[str, Any]]:
    return [
        {
            "specversion": "1.0",
            "id": f"{kind}-1",
            "source": f"{kind}/{place}/T1",
            "type": f"{type(body).__name__}.v1",
            "time": "2026-11-30T08:00:00.000Z",
            "data_base64": base64.b64encode(envelope.encode(body)).decode(),
        }
    ]


_LOSS = {"lot": "PR-KPG-KTI-230418-007-4", "qty": 1}
_REPORTED = ProductionReported(facility="PR-KPG", terminal="T1", product="KTI", qty=1, made_on=date(2026, 11, 30))
_INTRODUCED = DeviceIntroduced(booth="ODOP.B1", till="T1", device="d1", seq=1, introduced_at=NOW)
_LOSSES, _INTAKE = "POST /festivals/{festival}/losses", "POST /intake"
_CODES, _REVOKE, _DEVICE = "POST /device-codes", "POST /devices/{subject}/revoke", "GET /devices/{subject}"

SAMPLES = (
    Sample("festival", _LOSSES, frozenset({STAFF}), {"place": "facility", **_LOSS}, {"festival": "ODOP"}),
    Sample(
        "festival",
        _LOSSES,
        frozenset({STAFF}),
        {"place": "facility", "booth": "ODOP.B1", **_LOSS},
        {"festival": "ODOP"},
    ),
    Sample(
        "festival",
        _LOSSES,
        frozenset({CASHIER, ORGANISER}),
        {"place": "booth", "booth": "ODOP.B1", **_LOSS},
        {"festival": "ODOP"},
    ),
    Sample(
        "production",
        "GET /reports/{report}",
        frozenset({STAFF, *READERS}),
        names={"report": "r1"},
    ),
    *(
        Sample("identity", row, permitted, {"role": role.value, **({"scope": scope} if scope else {})}, names)
        for role, (scope, permitted) in GRANTORS.items()
        for row, names in {
            "POST /invitations": {},
            "POST /accounts/{subject}/roles/grant": {"subject": SUBJECT},
            # Of another account: everybody may lay down a role of their own.
            "POST /accounts/{subject}/roles/withdraw": {"subject": "s-zzzzzzzzzzzzzzzz"},
        }.items()
    ),
    *(
        Sample("identity", _CODES, permitted, {"role": role.value, "scope": scope})
        for role, (scope, _, permitted) in ENROLLERS.items()
    ),
    *(Sample("identity", _REVOKE, permitted, {}, {"subject": device}) for _, device, permitted in ENROLLERS.values()),
    *(
        Sample("identity", _DEVICE, permitted | {*READERS}, names={"subject": device})
        for _, device, permitted in ENROLLERS.values()
    ),
    Sample("gateway", _INTAKE, frozenset({STAFF, Role.TERMINAL}), _record("terminal", _REPORTED, "PR-KPG")),
    Sample(
        "gateway",
        _INTAKE,
        frozenset({CASHIER, ORGANISER, Role.TILL}),
        _record("till", _INTRODUCED, "ODOP.B1"),
    ),
)


def documents(service: str) -> Mapping[str, list[dict[str, Any]]]:
    """What the samples of this service read, by collection."""
    if service == "production":
        report = TerminalReport(
            id="r1",
            source="terminal/PR-KPG/T1",
            facility="PR-KPG",
            terminal="T1",
            kind=ReportKind.PRODUCTION,
            outcome=ReportOutcome.ACCEPTED,
            taken_at=NOW,
        )
        return {REPORTS.name: [{"_id": report.id, **REPORTS.to_document(report)}]}
    if service == "identity":
        key = PublicKey(kty=KeyKind.OKP, crv=Curve.ED25519, x="A" * 43)
        devices = [
            EnrolledDevice(device, key, role, scope, "T1", NOW) for role, (scope, device, _) in ENROLLERS.items()
        ]
        return {DEVICES.name: [{"_id": device.id, **DEVICES.to_document(device)} for device in devices]}
    return {}
