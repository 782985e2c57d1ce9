"""The explanations of moves and refills, one sentence each, in English and Indonesian."""

from services.festival.domain.bilingual import Bilingual


def move(*, product: str, giver: str, keeps: int, sells: int, taker: str, has: int, wants: int) -> Bilingual:
    """The stock of both booths (the giver's after the move) and their probable sales until closing."""
    return Bilingual(
        f"{taker} has {has} of {product} and will probably sell {wants} until closing; {giver} keeps {keeps} and "
        f"will probably sell {sells}.",
        f"{taker} punya {has} {product} dan mungkin menjual {wants} sampai tutup; {giver} menyisakan {keeps} dan "
        f"mungkin menjual {sells}.",
    )


def refill(*, product: str, booth: str, has: int, wants: int) -> Bilingual:
    """The stock of a booth, with the moves to it, and its probable sales until closing."""
    return Bilingual(
        f"{booth} has {has} of {product} with what other booths can give and will probably sell {wants} until "
        "closing.",
        f"{booth} punya {has} {product} termasuk dari stan lain, dan mungkin menjual {wants} sampai tutup.",
    )
