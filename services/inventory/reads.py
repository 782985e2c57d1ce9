"""Which lot an event of inventory may read or change."""

from collections.abc import Iterable

from services.inventory.domain import Lot
from shared.events.language import Event
from shared.runtime.state import Ref


def touches(event: Event) -> Iterable[Ref]:
    """Every event that inventory reads is keyed by its lot."""
    return (Ref(Lot, event.key),)
