"""How a revision looks over HTTP: the difference that it makes, in pieces."""

from pydantic import BaseModel, ConfigDict

from services.festival.domain import Request
from services.festival.domain.planning import explanations
from shared.events.festival import BackReason


class RevisionPart(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RevisedLinePage(RevisionPart):
    reservation: str
    booth: str
    product: str
    facility: str
    lot: str
    qty: int


class GivenBackPage(RevisedLinePage):
    """`reason` in a sentence (`reason_id`: in Indonesian)."""

    reason: str = ""
    reason_id: str = ""


class ShareMovePage(RevisionPart):
    """What a facility can offer, and what the plan gives it before and after."""

    facility: str
    offered: int
    before: int
    after: int


class ShortMovePage(RevisionPart):
    """What a booth asked for, and what is missing before and after."""

    booth: str
    product: str
    asked: int
    before: int
    after: int


class RevisionPage(BaseModel):
    """The latest revision of a request: `waiting` to be accepted, or `carried_out`. `kept` pieces stay as they were;
    `shares` and `short` hold only what was or is more than nothing."""

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
        why = {
            BackReason.FACILITY: lambda line: explanations.cannot_send([line.facility]),
            BackReason.BOOTH: lambda line: explanations.closed([line.booth]),
        }
        back = [(lines[one.reservation], why[one.why](lines[one.reservation])) for one in revision.back]
        return cls(
            status="carried_out" if revision.carried_out else "waiting",
            reason=revision.reason,
            reason_id=revision.reason_id,
            without=list(revision.without),
            kept=revision.kept,
            added=[RevisedLinePage.model_validate(lines[reservation]) for reservation in revision.added],
            back=[
                GivenBackPage.model_validate(line).model_copy(
                    update={"reason": f"{said.en}.", "reason_id": f"{said.id}."}
                )
                for line, said in back
            ],
            shares=[ShareMovePage.model_validate(one) for one in revision.share_moves],
            short=[ShortMovePage.model_validate(one) for one in revision.short_moves],
        )
