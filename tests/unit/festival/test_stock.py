"""The stock view keeps the highest revision of each lot, whatever order balances come in."""

from datetime import UTC, date, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain.stock import StockView
from services.festival.handlers import LOT, PROCESSORS
from shared.events.inventory import StockChanged
from shared.events.language import Event
from shared.runtime.state import Ref, State

NOON = datetime(2023, 4, 18, 4, 0, tzinfo=UTC)


def a_balance(revision: int, on_hand: int, *, recalled: bool = False) -> StockChanged:
    return StockChanged(
        lot="LA",
        revision=revision,
        facility="LP-AAA",
        product="KTI",
        category="tenun",
        made_on=date(2023, 4, 1),
        best_before=None,
        recalled=recalled,
        recorded=100,
        corrected=0,
        on_hand=on_hand,
        reserved=0,
        dispatched=0,
        returned=0,
        written_off=0,
    )


def view_after(*balances: StockChanged) -> StockView:
    state = State.of(absent=(Ref(StockView, "LA"),))
    for number, balance in enumerate(balances):
        state, publications = LOT.decide(state, Event(f"e{number}", "inventory", "LA", NOON, NOON, balance))
        assert not publications
    view = state.get(StockView, "LA")
    assert view is not None
    return view


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_highest_revision_is_kept(on_hand: list[int], random: Random) -> None:
    balances = [a_balance(revision, qty) for revision, qty in enumerate(on_hand)]
    shuffled = random.sample(balances, len(balances))
    assert view_after(*shuffled) == view_after(*balances)
    assert view_after(*shuffled).on_hand == on_hand[-1]


def test_only_what_has_something_and_is_not_recalled_can_be_planned() -> None:
    assert view_after(a_balance(1, 3)).plannable == "KTI"
    assert view_after(a_balance(1, 0)).plannable is None
    assert view_after(a_balance(1, 3, recalled=True)).plannable is None


def test_the_processors_read_what_concerns_them() -> None:
    assert [(processor.group, [topic.name for topic in processor.topics]) for processor in PROCESSORS] == [
        ("karya.festival.lot", ["karya.inventory.v1"]),
        ("karya.festival.entry", ["karya.catalogue.v1"]),
        (
            "karya.festival.festival",
            [
                "karya.organiser.v1",
                "karya.reservations.v1",
                "karya.booth-reports.v1",
                "karya.festival.deadlines.v1",
            ],
        ),
    ]
