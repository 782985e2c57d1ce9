"""The committed outline of the islands. `python -m docsite.pictures.islands` makes it."""

from functools import lru_cache
from importlib.resources import files

from pydantic import TypeAdapter

from services.portal.domain.island_map import Outline

_OUTLINE = TypeAdapter(Outline)


@lru_cache(maxsize=1)
def load() -> Outline:
    """The outline of Nusa Tenggara Timur, with its source and licence."""
    return _OUTLINE.validate_json((files("services.portal") / "map" / "ntt.json").read_bytes())
