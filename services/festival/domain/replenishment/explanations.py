"""The explanations of moves and refills, one sentence each, in English and Indonesian."""

from services.festival.domain.bilingual import Bilingual


def move(
    *, product: str, giver: str, giver_pieces: int, giver_sales: int, taker: str, taker_pieces: int, taker_sales: int
) -> Bilingual:
    """The stock of both booths (the giver's after the move) and their probable sales until closing."""
    return Bilingual(
        f"{taker} has {taker_pieces} of {product} and will probably sell {taker_sales} until closing; "
        f"{giver} keeps {giver_pieces} and will probably sell {giver_sales}.",
        f"{taker} punya {taker_pieces} {product} dan mungkin menjual {taker_sales} sampai tutup; "
        f"{giver} menyisakan {giver_pieces} dan mungkin menjual {giver_sales}.",
    )


def refill(*, product: str, booth: str, pieces: int, sales: int) -> Bilingual:
    """The stock of a booth, with the moves to it, and its probable sales until closing."""
    return Bilingual(
        f"{booth} has {pieces} of {product} with what other booths can give and will probably sell {sales} until "
        "closing.",
        f"{booth} punya {pieces} {product} termasuk dari stan lain, dan mungkin menjual {sales} sampai tutup.",
    )
