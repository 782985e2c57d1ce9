"""The sums of public pages are those of the latest revisions, whatever comes in what order and however often."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.portal.store import PublicStream, season_now
from shared.events.festival import FestivalAnnounced
from shared.events.sales import AdjustmentPublished, LotAdjustment, LotShare, SalePublished
from tests.support.examples import examples
from tests.support.public_events import a_festival, a_part, an_adjustment

NOW = datetime(2026, 12, 31, 15, 30, tzinfo=UTC)
FESTIVALS = ("ODOP", "RAYA")
FACILITIES = ("PR-KPG", "LP-ENDE")
PRODUCTS = ("KTI", "KBS")
LOTS = ("L1", "L2", "L3")
ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
SEASONS = (2025, 2026, 2027)
# Some hours around New Year, in which the places of one moment have two years, and days on which nothing is "today".
MOMENTS = st.sampled_from(
    [NOW + timedelta(minutes=30 * step) for step in range(-6, 7)] + [NOW - timedelta(days=days) for days in (2, 370)]
)
PIECES = st.lists(st.tuples(st.sampled_from(LOTS), st.integers(1, 9)), max_size=3, unique_by=lambda share: share[0])

Published: TypeAlias = SalePublished | AdjustmentPublished
Group: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True)
class Told:
    """What a stream or a fold says of one season."""

    qty: dict[Group, int]
    rupiah: dict[Group, int]
    today: dict[Group, int]


@st.composite
def parts(draw: st.DrawFn) -> list[Published]:
    """Revisions of a few sales and adjustments: none of two has the same name, facility and number."""
    told: list[Published] = []
    for name in ("s1", "s2", "s3", "s4"):
        for facility in FACILITIES:
            for revision in range(1, 1 + draw(st.integers(0, 3))):
                shares = draw(PIECES)
                qty = sum(pieces for _, pieces in shares)
                told.append(
                    a_part(
                        name,
                        qty,
                        facility=facility,
                        revision=revision,
                        festival=draw(st.sampled_from(FESTIVALS)),
                        product=draw(st.sampled_from(PRODUCTS)),
                        lots=tuple(LotShare(lot=lot, qty=pieces, amount_rupiah=1) for lot, pieces in shares),
                        amount_rupiah=draw(st.integers(0, 5)) * qty,
                        sold_at=draw(MOMENTS),
                    )
                )
    for facility in FACILITIES:
        for revision in range(1, 1 + draw(st.integers(0, 2))):
            qty = draw(st.integers(-5, 5))
            lots = (LotAdjustment(lot=draw(st.sampled_from(LOTS)), qty=qty, amount_rupiah=qty),) if qty else ()
            told.append(
                an_adjustment(
                    "s1",
                    qty,
                    facility=facility,
                    revision=revision,
                    festival=draw(st.sampled_from(FESTIVALS)),
                    lots=lots,
                    amount_rupiah=qty,
                )
            )
    return told


ANNOUNCEMENTS = st.lists(
    st.builds(
        lambda festival, zone, last_day: a_festival().model_copy(
            update={"festival": festival, "zone": zone, "last_day": last_day}
        ),
        st.sampled_from(FESTIVALS),
        st.sampled_from(ZONES),
        st.sampled_from([date(2026, 12, 31), date(2027, 1, 2)]),
    ),
    max_size=4,
)


def newest(told: Sequence[Published]) -> list[Published]:
    """The highest revision of each name and facility."""
    known: dict[tuple[type[Published], str, str], Published] = {}
    for body in told:
        name = body.sale if isinstance(body, SalePublished) else body.adjustment
        key = type(body), name, body.facility
        if key not in known or known[key].revision < body.revision:
            known[key] = body
    return list(known.values())


def folded(told: Sequence[Published], announced: dict[str, FestivalAnnounced], season: int) -> Told:
    """What the naive fold over all that was told says of the season."""
    qty: Counter[Group] = Counter()
    rupiah: Counter[Group] = Counter()
    today: Counter[Group] = Counter()
    for body in newest(told):
        festival = announced.get(body.festival)
        zone = ZoneInfo(festival.zone if festival is not None else "Asia/Jakarta")
        if isinstance(body, SalePublished):
            day = body.sold_at.astimezone(zone).date()
            year = day.year
        else:
            day, year = None, festival.last_day.year if festival is not None else season_now(NOW)
        if year != season:
            continue
        group = body.facility, body.festival, body.product
        qty[group] += body.qty
        rupiah[group] += body.amount_rupiah
        today[group] += body.qty if day == NOW.astimezone(zone).date() else 0
    return Told(*({group: count for group, count in counts.items() if count} for counts in (qty, rupiah, today)))


def told_by(stream: PublicStream, season: int) -> Told:
    rows = {(row.facility, row.festival, row.product): row for row in stream.sums(NOW, season)}
    return Told(
        {group: row.qty for group, row in rows.items() if row.qty},
        {group: row.rupiah for group, row in rows.items() if row.rupiah},
        {group: row.today_qty for group, row in rows.items() if row.today_qty},
    )


@given(parts(), ANNOUNCEMENTS, st.data())
@examples(200)
def test_sums_are_those_of_the_latest_revisions_in_any_order(
    told: list[Published], announcements: list[FestivalAnnounced], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    bodies: list[Published | FestivalAnnounced] = list(data.draw(st.permutations([*told, *again])))
    # A festival's announcements come in their order, between all others.
    places = sorted(data.draw(st.lists(st.integers(0, len(bodies)), min_size=4, max_size=4)))
    for place, body in reversed(list(zip(places, announcements, strict=False))):
        bodies.insert(place, body)
    stream = PublicStream()
    for event in bodies:
        stream.take(event)
    announced = {body.festival: body for body in announcements}
    for season in SEASONS:
        assert told_by(stream, season) == folded(told, announced, season)
    pieces: Counter[tuple[str, str]] = Counter()
    for part in newest(told):
        for share in part.lots:
            pieces[share.lot, part.festival] += share.qty
    for lot in LOTS:
        assert stream.sold_of(lot) == {
            festival: pieces[lot, festival] for festival in FESTIVALS if pieces[lot, festival]
        }
