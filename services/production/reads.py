"""Which entities an event of production may read or change."""

from collections.abc import Iterator

from services.production.domain.entities import Counter, Lot, TerminalReport, counter_id
from shared.events import lot_number
from shared.events.language import Event
from shared.events.production import (
    CorrectionRefused,
    LotCorrected,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
)
from shared.runtime.state import Ref


def touches(event: Event) -> Iterator[Ref]:
    match event.body:
        case ProductionReported() as body:
            yield Ref(TerminalReport, event.id)
            yield Ref(Counter, counter_id(body.facility, body.product, body.made_on))
        case ProductionCorrected() | RecallLot() as body:
            yield Ref(TerminalReport, event.id)
            number = lot_number.parse(body.lot)
            # Another facility's lot belongs to another lane and is not needed to refuse it.
            if number and number.facility == body.facility:
                yield Ref(Lot, str(number))
        case LotCorrected() | CorrectionRefused() as body:
            yield Ref(TerminalReport, body.correction)
            yield Ref(Lot, body.lot)
        case _:
            return
