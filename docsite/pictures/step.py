"""The picture of one step: a batch of Kafka records becomes one MongoDB transaction."""

from docsite.pictures.drawing import Anchor, Box, Picture, Role

_TOP, _HEIGHT = 96, 96
_PARTS = (
    ("1 decode", "bytes become", "events"),
    ("2 load", "one round trip", "for the batch"),
    ("3 decide", "pure rules,", "in memory"),
    ("4 commit", "one transaction", "under the fence"),
    ("6 relay", "publish in order,", "then delete"),
)
_WIDTH, _GAP, _LEFT = 140, 32, 140


def picture() -> str:
    """The picture as SVG."""
    drawn = Picture(
        1100,
        470,
        "A batch from Kafka is decoded, its state is loaded from MongoDB, the rules decide in memory, one "
        "transaction commits everything, and the relay publishes the outbox. Offsets are committed for observers.",
    )
    drawn.box(Box(16, _TOP, 92, _HEIGHT, "Kafka", ("input", "topics"), Role.READER))
    drawn.box(Box(992, _TOP, 92, _HEIGHT, "Kafka", ("output", "topics"), Role.READER))
    xs = [_LEFT + (_WIDTH + _GAP) * number for number in range(len(_PARTS))]
    for x, (title, *lines) in zip(xs, _PARTS, strict=True):
        drawn.box(Box(x, _TOP, _WIDTH, _HEIGHT, title, tuple(lines)))
    middle = _TOP + _HEIGHT / 2
    for start, end in zip((108, *(x + _WIDTH for x in xs)), (*xs, 992), strict=True):
        drawn.arrow((start + 2, middle), (end - 3, middle))
    _store(drawn, *(x + _WIDTH / 2 for x in xs))
    drawn.arrow((xs[3] + 40, _TOP - 2), (xs[3] + 40, 48), (62, 48), (62, _TOP - 4), dashed=True)
    drawn.text(420, 38, "5 commit the offsets, now and then: they only inform observers")
    drawn.text(
        16,
        452,
        "A start, a rebalance or a fault reads the lane's document first: it says where to go on.",
        anchor=Anchor.START,
    )
    return drawn.svg()


def _store(drawn: Picture, *middles: float) -> None:
    """Draw the database below the parts, with their reads and writes."""
    _decode, load, _decide, commit, relay = middles
    top = 330
    drawn.box(
        Box(
            140,
            top,
            828,
            88,
            "MongoDB",
            ("lanes (fence)  ·  ledger  ·  entities  ·  outbox  ·  deadlines  ·  parked keys",),
            Role.EDGE,
        )
    )
    bottom = _TOP + _HEIGHT + 2
    drawn.arrow((load, top - 2), (load, bottom + 1))
    drawn.arrow((commit, bottom), (commit, top - 3))
    drawn.arrow((relay - 18, top - 2), (relay - 18, bottom + 1))
    drawn.arrow((relay + 18, bottom), (relay + 18, top - 3))
    for number, words in enumerate(("ledger entries,", "parked keys,", "entities")):
        drawn.text(load - 12, 240 + 20 * number, words, anchor=Anchor.END)
    for number, words in enumerate(("all of these", "or nothing")):
        drawn.text(commit - 12, 250 + 20 * number, words, anchor=Anchor.END)
    drawn.text(relay - 28, 260, "outbox", anchor=Anchor.END)
    drawn.text(relay + 28, 250, "delete what", anchor=Anchor.START)
    drawn.text(relay + 28, 270, "Kafka has taken", anchor=Anchor.START)
