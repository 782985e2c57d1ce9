"""The page of a revision: its changes, in pieces."""

from pydantic import BaseModel

from services.festival.api.entity_page import EntityPage
from services.festival.domain import Request
from services.festival.domain.planning import explanations
from shared.events.festival import BackReason


class RevisedLinePage(EntityPage):
    reservation: str
    booth: str
    product: str
    facility: str
    lot: str
    qty: int


class GivenBackPage(RevisedLinePage):
    """A line that goes back; `reason` in a sentence (`reason_id`: in Indonesian)."""

    reason: str = ""
    reason_id: str = ""


class ShareMovePage(EntityPage):
    """The pieces that a facility can offer, and those that the plan gives it before and after."""

    facility: str
    offered: int
    before: int
    after: int


class ShortMovePage(EntityPage):
    """The pieces that a booth asked for, and those missing before and after."""

    booth: str
    product: str
    asked: int
    before: int
    after: int


class RevisionPage(BaseModel):
    """The latest revision of a request: `waiting` for acceptance, or `carried_out`.

    `kept` pieces stay as they were. `shares` and `short` list only entries above 0 before or after.
    """

    status: str
    reason: str
    reason_id: str
    without: list[str]
    kept: int
    added: list[RevisedLinePage]
    back: list[GivenBackPage]
    shares: list[ShareMovePage]
    short: list[ShortMovePage]

    @classmethod
    def of(cls, request: Request) -> "RevisionPage | None":
        revision = request.revision
        if revision is None:
            return None
        lines = {line.reservation: line for line in request.lines}
        reasons = {
            BackReason.FACILITY: lambda line: explanations.cannot_send([line.facility]),
            BackReason.BOOTH: lambda line: explanations.closed([line.booth]),
        }
        back = [
            (lines[returning.reservation], reasons[returning.why](lines[returning.reservation]))
            for returning in revision.back
        ]
        return cls(
            status="carried_out" if revision.carried_out else "waiting",
            reason=revision.reason,
            reason_id=revision.reason_id,
            without=list(revision.excluded_facilities),
            kept=revision.kept,
            added=[RevisedLinePage.model_validate(lines[reservation]) for reservation in revision.added],
            back=[
                GivenBackPage.model_validate(line).model_copy(
                    update={"reason": f"{reason.en}.", "reason_id": f"{reason.id}."}
                )
                for line, reason in back
            ],
            shares=[ShareMovePage.model_validate(move) for move in revision.share_moves],
            short=[ShortMovePage.model_validate(move) for move in revision.short_moves],
        )
