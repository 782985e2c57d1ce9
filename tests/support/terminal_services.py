"""A facility's terminals behind the portal, in memory: production decides by its own rules, inventory agrees."""

from datetime import UTC, datetime
from typing import Any

from services.gateway.api.records import TakenRecord
from shared.events.catalogue import FACILITY_CATALOGUE, FacilityListed, ProductListed
from shared.events.identity import Role
from shared.events.language import Body, Topic
from shared.events.production import ANSWERS, CorrectionRequested, ReportAccepted, ReportRejected, WithdrawalRequested
from tests.support.builders.production import (
    Production,
    an_accepted_correction,
    facility_listed,
    gone,
    product_listed,
)
from tests.support.device_services import DeviceServices

FACILITY = "PR-KPG"
NAME = "Perempuan Kupang"


class TerminalServices(DeviceServices):
    """One facility and its terminals. `answers`: whether production works; else reports wait."""

    place = FACILITY
    role = Role.TERMINAL
    news_path = f"/facilities/{FACILITY}/news"

    def __init__(self) -> None:
        catalogue = (facility_listed(FACILITY, name=NAME), product_listed("KTI"), product_listed("KBS"))
        self.production = Production()
        self.answers = True
        self._decided: set[str] = set()
        super().__init__(*catalogue)

    def _told_by(self, body: Body) -> tuple[Topic, str | None]:
        if isinstance(body, FacilityListed | ProductListed):
            return FACILITY_CATALOGUE, None
        return ANSWERS, getattr(body, "report", None)

    def _judged(self, item: Any, caller: Any) -> dict[str, Any]:
        answer = super()._judged(item, caller)
        if answer["status"] == "stored" and self.answers:
            self.decide(self.records[-1])
        return answer

    def decide(self, record: TakenRecord) -> None:
        """Production's answer to a record, once."""
        if record.id in self._decided:
            return
        self._decided.add(record.id)
        now = datetime.now(UTC)
        published = self.production.give(record.body, id=record.id, at=now)
        for body in published:
            match body:
                case CorrectionRequested():
                    published += self.production.give(
                        an_accepted_correction(body.lot, body.correction, body.change), at=now
                    )
                case WithdrawalRequested():
                    published += self.production.give(gone(body.lot, body.withdrawal), at=now)
        self.say(*(body for body in published if isinstance(body, ReportAccepted | ReportRejected)))
