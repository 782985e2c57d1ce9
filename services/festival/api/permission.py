"""The rights that a command needs because of what it says, beyond the right of its route."""

from fastapi import Request

from services.festival.store import FESTIVALS
from shared.access.rights import Action, Limit
from shared.events.festival import LossPlace, MoveStray, RecordLoss
from shared.events.language import Body
from shared.http.access import caller_of, facility_limit, require
from shared.http.problems import PageRefused
from shared.runtime.service import Service
from shared.wording import Message


class Permission:
    """Asks for these rights. Raises PageRefused 403, and PyMongoError."""

    def __init__(self, service: Service) -> None:
        self._festivals = service.database[FESTIVALS.name]

    async def __call__(self, request: Request, body: Body) -> None:
        if isinstance(body, RecordLoss):
            _permit_loss(request, body)
        elif isinstance(body, MoveStray):
            await self._permit_stray(request, body)

    async def _permit_stray(self, request: Request, body: MoveStray) -> None:
        """A booth that a festival has yet to open is that festival's. A name that is no festival's is anybody's."""
        festival = body.stray.partition(".")[0]
        if caller_of(request).may(Action.RUN_FESTIVAL, {Limit.FESTIVAL: festival}):
            return
        if await self._festivals.find_one({"_id": festival}) is not None:
            message = Message(
                "{stray} is a booth of {festival}: only an organiser of {festival} can move its sales.",
                stray=body.stray,
                festival=festival,
            )
            raise PageRefused(403, message)


def _permit_loss(request: Request, body: RecordLoss) -> None:
    """Only one field of the place limits each kind of loss, though the body may name both."""
    if body.place is LossPlace.FACILITY:
        require(request, Action.RECORD_FACILITY_LOSS, facility_limit(body.lot))
    else:
        booth = {} if body.booth is None else {Limit.BOOTH: body.booth}
        require(request, Action.RUN_BOOTH, {Limit.FESTIVAL: body.festival, **booth})
