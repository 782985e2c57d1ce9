"""Pieces and money as a cashier types them, and money as it is shown."""

import re

from shared.errors import WrongEntry

_WHOLE = re.compile(r"[0-9]{1,12}|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,4}")


def whole(text: str) -> int:
    """A whole number from 0 on: `1250`, `1.250`. Raises WrongEntry."""
    bare = text.strip()
    if not _WHOLE.fullmatch(bare):
        raise WrongEntry(f"{text!r} was not understood as a whole number. Write 1250 or 1.250.")
    return int(bare.replace(".", ""))


def rupiah(text: str) -> int:
    """An amount from 0 on: `150000`, `150.000`, `Rp150.000`. Raises WrongEntry."""
    return whole(text.strip().removeprefix("Rp"))


def shown_rupiah(amount: int) -> str:
    """`Rp1.250.000`, below zero `-Rp1.250`."""
    return f"{'-' if amount < 0 else ''}Rp{abs(amount):,}".replace(",", ".")
