"""The topics that programs of others may read."""

from shared.events import festival, inventory, sales
from shared.events.language import Topic

PUBLIC: tuple[Topic, ...] = (
    sales.PUBLIC_SALES,
    sales.SETTLEMENTS,
    sales.DEMAND,
    inventory.INVENTORY,
    festival.FESTIVAL,
)
