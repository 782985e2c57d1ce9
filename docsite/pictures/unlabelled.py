"""The picture of goods without a label: a booth before the sales, with proportional parts, and after its count."""

from docsite.pictures.drawing import Anchor, Picture, Role

# Each maker's pieces, and the top of its first row.
_MAKERS = (("Maker A", 5, 86, Role.EDGE), ("Maker B", 5, 186, Role.READER), ("Maker C", 10, 286, Role.SERVICE))
# Title, pieces sold by maker, and two lines below.
_STAGES = (
    ("1  At the booth", (), "20 pieces, none with a label", "nothing is sold yet"),
    ("2  15 sold without a label", (4, 4, 7), "shared in proportion: 4 + 4 + 7", "provisional, and marked so"),
    ("3  The final count", (0, 5, 10), "A has 5 left, B and C none", "so A sold 0, B 5, C 10"),
)
_LEFT, _STAGE, _PIECE, _ROW, _IN_ROW = 30, 310, 34, 32, 5


def picture() -> str:
    """The picture as SVG."""
    drawn = Picture(
        960,
        470,
        "Goods of three makers at a booth, 15 pieces sold without a label: shared in proportion to what each has "
        "there, then by what a count shows to be gone",
    )
    for number, (title, sold, *lines) in enumerate(_STAGES):
        left = _LEFT + _STAGE * number
        drawn.text(left, 36, title, anchor=Anchor.START, kind="title")
        _makers(drawn, left, sold)
        for y, line in zip((386, 408), lines, strict=True):
            drawn.text(left, y, line, anchor=Anchor.START)
        if number:
            drawn.arrow((left - 62, 200), (left - 30, 200))
    for x, is_sold, words in (
        (_LEFT, False, "a piece that is there"),
        (_LEFT + 210, True, "a piece that counts as sold. All quantities are made up."),
    ):
        drawn.piece(x, 430, Role.SERVICE, is_sold=is_sold)
        drawn.text(x + 38, 448, words, anchor=Anchor.START, kind="soft")
    return drawn.svg()


def _makers(drawn: Picture, left: int, sold: tuple[int, ...]) -> None:
    for number, (maker, pieces, top, role) in enumerate(_MAKERS):
        drawn.text(left, top - 10, maker, anchor=Anchor.START)
        gone = sold[number] if sold else 0
        for piece in range(pieces):
            row, column = divmod(piece, _IN_ROW)
            drawn.piece(left + _PIECE * column, top + _ROW * row, role, is_sold=piece < gone)
        if sold:
            drawn.text(left + _PIECE * _IN_ROW + 12, top + 20, f"sold {gone}", anchor=Anchor.START, kind="label")
