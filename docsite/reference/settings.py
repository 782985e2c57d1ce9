"""The reference page of settings, generated from their model."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from pydantic.fields import FieldInfo

from shared.settings import Settings

_INTRODUCTION = """# Settings

Generated from the code by `python -m docsite`; change the code, not this page.

A setting is an environment variable. Services, agents and commands read the same ones. A whole number may have a dot
before each group of three digits: `1.000` is one thousand. `make up` needs no setting.

| variable | default | meaning |
|---|---|---|
"""


def page() -> str:
    """The page as Markdown: one row for each field of the settings, in their order."""
    return _INTRODUCTION + "\n".join(_rows()) + "\n"


def _rows() -> Iterator[str]:
    prefix = Settings.model_config.get("env_prefix", "")
    for name, field in Settings.model_fields.items():
        yield f"| `{prefix}{name.upper()}` | {_default(field)} | {_meaning(field)} |"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is None:
        return "not set"
    return f"`{value.value if isinstance(value, StrEnum) else value}`" if value != "" else "empty"


def _meaning(field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    bounds = {type(bound).__name__: bound for bound in field.metadata}
    least, most = bounds.get("Ge"), bounds.get("Le")
    if least is not None and most is not None:
        return f"{meaning}; {least.ge} to {most.le}"
    return f"{meaning}; at least {least.ge}" if least is not None else meaning
