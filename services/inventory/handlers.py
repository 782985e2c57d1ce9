"""The processor of inventory: everything that changes a lot comes by one subscriber, in one order."""

from services.inventory.domain import Lot
from services.inventory.domain.lot import correct, lift_recall, recall, receive_return, withdraw, write_off
from services.inventory.domain.recount import count_surplus, recount_return
from services.inventory.domain.reservation import dispatch, release, reserve
from services.inventory.domain.rules import change, record
from services.inventory.store import LOTS
from shared.events.inventory import (
    STOCK_ORDERS,
    DispatchOrdered,
    LossRecorded,
    ReleaseRequested,
    ReservationRequested,
    ReturnReceived,
    ReturnRecounted,
    SurplusCounted,
)
from shared.events.language import Body, Event
from shared.events.production import (
    PRODUCTION,
    CorrectionRequested,
    LotRecalled,
    LotRecallLifted,
    LotRecorded,
    WithdrawalRequested,
)
from shared.runtime.processor import Processor, on
from shared.runtime.state import Ref


def _lot(event: Event, _body: Body) -> tuple[Ref]:
    return (Ref(Lot, event.key),)


LOT = Processor(
    service="inventory",
    key="lot",
    topics=(PRODUCTION, STOCK_ORDERS),
    collections=(LOTS,),
    handlers=(
        on(LotRecorded, record, reads=_lot),
        on(CorrectionRequested, change(correct), reads=_lot),
        on(LotRecalled, change(recall), reads=_lot),
        on(LotRecallLifted, change(lift_recall), reads=_lot),
        on(WithdrawalRequested, change(withdraw), reads=_lot),
        on(ReservationRequested, change(reserve), reads=_lot),
        on(ReleaseRequested, change(release), reads=_lot),
        on(DispatchOrdered, change(dispatch), reads=_lot),
        on(ReturnReceived, change(receive_return), reads=_lot),
        on(ReturnRecounted, change(recount_return), reads=_lot),
        on(SurplusCounted, change(count_surplus), reads=_lot),
        on(LossRecorded, change(write_off), reads=_lot),
    ),
)
PROCESSORS = (LOT,)
