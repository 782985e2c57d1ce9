"""The base of pages that show an entity."""

from pydantic import BaseModel, ConfigDict


class EntityPage(BaseModel):
    """A page read from an entity, attribute by attribute."""

    model_config = ConfigDict(from_attributes=True)
