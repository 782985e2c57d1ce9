"""What is said of a move and of a refill, in English and in Indonesian: one sentence each."""

from typing import NamedTuple


class Bilingual(NamedTuple):
    """One sentence in two languages."""

    en: str
    id: str


def move(*, product: str, giver: str, keeps: int, sells: int, taker: str, has: int, wants: int) -> Bilingual:
    """Of each booth what it has (the giver: after the move) and what it will probably sell until closing."""
    return Bilingual(
        f"{taker} has {has} of {product} and will probably sell {wants} until closing; {giver} keeps {keeps} and "
        f"will probably sell {sells}.",
        f"{taker} punya {has} {product} dan mungkin menjual {wants} sampai tutup; {giver} menyisakan {keeps} dan "
        f"mungkin menjual {sells}.",
    )


def refill(*, product: str, booth: str, has: int, wants: int) -> Bilingual:
    """`has`: with what other booths give."""
    return Bilingual(
        f"{booth} has {has} of {product} with what other booths can give and will probably sell {wants} until "
        "closing.",
        f"{booth} punya {has} {product} termasuk dari stan lain, dan mungkin menjual {wants} sampai tutup.",
    )
