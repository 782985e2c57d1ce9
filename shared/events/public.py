"""The topics that programs of others may read, and those that pages for strangers are made of."""

from shared.events import catalogue, festival, inventory, sales
from shared.events.language import Topic

PUBLIC: tuple[Topic, ...] = (
    sales.PUBLIC_SALES,
    sales.SETTLEMENTS,
    sales.DEMAND,
    inventory.INVENTORY,
    festival.FESTIVAL,
)

# Of the catalogue such pages show the names of codes, the islands of facilities and the categories of products. Its
# refusals, which repeat what was typed, stay with those who may read the topic.
SHOWN_TO_STRANGERS: tuple[Topic, ...] = (
    sales.PUBLIC_SALES,
    inventory.INVENTORY,
    festival.FESTIVAL,
    catalogue.CATALOGUE,
)
