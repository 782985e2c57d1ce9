"""The catalogue that festival's rules go by. Only `seed` knows where it comes from."""

from functools import lru_cache
from importlib.resources import files

import yaml

from shared.runtime.state import State


def seed(_state: State) -> dict[str, str]:
    """The products of Karya's reference data: names by code."""
    return _products()


@lru_cache(maxsize=1)
def _products() -> dict[str, str]:
    text = (files("services.production") / "reference.yaml").read_text(encoding="utf-8")
    return {str(product["code"]): str(product["name"]) for product in yaml.safe_load(text)["products"]}
