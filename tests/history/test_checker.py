"""The checker and the model of a lot: good histories pass, and the classic faults are found."""

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from tests.support.history.checker import HistoryVerdict, Operation, check
from tests.support.history.spec import Answer, Kind, Order, Stock, step

Op: TypeAlias = Operation[Order, Answer]


def op(order: Order, called: float, answered: float | None = None, *answer: str | int | bool) -> Op:
    return Operation(order, called, answer or None, answered)


def reserve(id: str, qty: int) -> Order:
    return Order(Kind.RESERVE, id, qty)


def release(id: str) -> Order:
    return Order(Kind.RELEASE, id)


def dispatch(id: str) -> Order:
    return Order(Kind.DISPATCH, id)


READ = Order(Kind.READ)
RECALL = Order(Kind.RECALL)


def verdict_of(on_hand: int, *history: Op) -> HistoryVerdict[Order, Answer]:
    return check(history, Stock(on_hand), step)


def good(on_hand: int, *history: Op) -> bool:
    return verdict_of(on_hand, *history).linearizable


def test_one_after_the_other_is_linearizable() -> None:
    assert good(
        10,
        op(reserve("a", 4), 0, 1, "reserved", 4),
        op(READ, 2, 3, "seen", 6, 4, 0, 0, False),
        op(dispatch("a"), 4, 5, "dispatched", 4),
        op(Order(Kind.RETURN, qty=1), 6, 7, "returned", 1),
        op(Order(Kind.LOSE, qty=2), 8, 9, "written_off", 2),
        op(Order(Kind.CORRECT, qty=-6), 10, 11, "correction_refused", 5),
        op(READ, 12, 13, "seen", 5, 0, 4, 1, False),
    )


def test_answers_of_overlapping_orders_may_come_in_either_order() -> None:
    history = [op(reserve("a", 4), 0, 9, "refused", "short", 2), op(reserve("b", 4), 1, 8, "reserved", 4)]
    assert good(6, *history)
    assert verdict_of(6, *history).order == (history[1], history[0])


def test_a_double_reserve_is_found() -> None:
    assert not good(6, op(reserve("a", 4), 0, 9, "reserved", 4), op(reserve("b", 4), 1, 8, "reserved", 4))


def test_a_lost_update_is_found() -> None:
    verdict = verdict_of(
        10,
        op(reserve("a", 4), 0, 1, "reserved", 4),
        op(Order(Kind.CORRECT, qty=5), 2, 3, "corrected", 15),
    )
    assert not verdict.linearizable
    assert [operation.what.kind for operation in verdict.order] == [Kind.RESERVE]
    assert [operation.what.kind for operation in verdict.stuck] == [Kind.CORRECT]


def test_a_stale_read_is_found() -> None:
    stale = op(READ, 2, 3, "seen", 10, 0, 0, 0, False)
    assert not good(10, op(reserve("a", 4), 0, 1, "reserved", 4), stale)
    assert good(10, op(reserve("a", 4), 0, 2.5, "reserved", 4), stale), "the two overlap"


def test_two_reads_that_go_back_in_time_are_found() -> None:
    assert not good(
        10,
        op(reserve("a", 4), 0, 9, "reserved", 4),
        op(READ, 1, 2, "seen", 6, 4, 0, 0, False),
        op(READ, 3, 4, "seen", 10, 0, 0, 0, False),
    )


def test_a_reservation_that_was_released_twice_is_found() -> None:
    assert not good(
        10,
        op(reserve("a", 4), 0, 1, "reserved", 4),
        op(release("a"), 2, 5, "released", 4),
        op(release("a"), 3, 4, "released", 4),
    )


def test_a_reservation_both_released_and_dispatched_is_found() -> None:
    assert not good(
        10,
        op(reserve("a", 4), 0, 1, "reserved", 4),
        op(release("a"), 2, 5, "released", 4),
        op(dispatch("a"), 3, 4, "dispatched", 4),
    )


def test_an_order_without_an_answer_may_have_taken_effect_or_not() -> None:
    unheard = op(reserve("a", 4), 0)
    assert good(10, unheard, op(READ, 1, 2, "seen", 6, 4, 0, 0, False))
    assert good(10, unheard, op(READ, 1, 2, "seen", 10, 0, 0, 0, False))
    late = op(READ, 3, 4, "seen", 6, 4, 0, 0, False)
    assert good(10, unheard, op(READ, 1, 2, "seen", 10, 0, 0, 0, False), late)
    assert not good(
        10, unheard, op(READ, 1, 2, "seen", 6, 4, 0, 0, False), op(READ, 3, 4, "seen", 10, 0, 0, 0, False)
    )


def test_an_order_can_not_take_effect_before_it_was_called() -> None:
    assert not good(10, op(READ, 0, 1, "seen", 6, 4, 0, 0, False), op(reserve("a", 4), 2))


def test_an_answer_where_the_model_says_nothing_is_found() -> None:
    reserved = op(reserve("a", 4), 0, 1, "reserved", 4)
    assert good(10, reserved, op(reserve("a", 4), 2))
    assert not good(10, reserved, op(reserve("a", 4), 2, 3, "reserved", 4))


def test_a_recall_lets_go_what_is_held_and_refuses_all_that_follows() -> None:
    assert good(
        10,
        op(reserve("a", 4), 0, 1, "reserved", 4),
        op(RECALL, 2, 3, "recalled", "a"),
        op(release("a"), 4),
        op(dispatch("a"), 5, 6, "refused", "recalled", 10),
        op(reserve("b", 1), 7, 8, "refused", "recalled", 0),
    )
    assert not good(
        10,
        op(reserve("a", 4), 0, 1, "reserved", 4),
        op(RECALL, 2, 3, "recalled", "a"),
        op(dispatch("a"), 4, 5, "dispatched", 4),
    )


orders = st.one_of(
    st.builds(reserve, st.sampled_from("abcdef"), st.integers(1, 6)),
    st.builds(release, st.sampled_from("abcdef")),
    st.builds(dispatch, st.sampled_from("abcdef")),
    st.builds(Order, st.sampled_from([Kind.RETURN, Kind.LOSE]), st.just(""), st.integers(1, 4)),
    st.builds(Order, st.just(Kind.CORRECT), st.just(""), st.integers(-6, 6)),
    st.just(RECALL),
    st.just(READ),
)
spans = st.tuples(st.floats(0, 3), st.floats(0, 3))


@given(st.lists(st.tuples(orders, spans, st.booleans()), max_size=25), st.integers(0, 12))
def test_what_a_lot_really_does_is_always_linearizable(
    given_orders: list[tuple[Order, tuple[float, float], bool]], on_hand: int
) -> None:
    """Each order takes effect at its number, is called some time before and answered some time after that."""
    state, history = Stock(on_hand), list[Op]()
    for at, (order, (before, after), answer_arrives) in enumerate(given_orders):
        state, answer = step(state, order)
        answered = at + after if answer_arrives and answer is not None else None
        history.append(Operation(order, at - before, answer if answered is not None else None, answered))
    assert check(history, Stock(on_hand), step).linearizable


@given(st.lists(orders, min_size=1, max_size=25), st.integers(0, 12), st.integers(0, 24), st.integers(1, 3))
def test_one_wrong_number_in_an_undisturbed_history_is_found(
    given_orders: list[Order], on_hand: int, wrong: int, by: int
) -> None:
    """Nothing overlaps, so there is one order alone; every answer with a number in it can be got wrong."""
    state, history = Stock(on_hand), list[Op]()
    for at, order in enumerate(given_orders):
        state, reply = step(state, order)
        history.append(Operation(order, at, reply, at + 0.5 if reply is not None else None))
    numbered = [
        n for n, operation in enumerate(history) if operation.answer is not None and type(operation.answer[-1]) is int
    ]
    if numbered:
        n = numbered[wrong % len(numbered)]
        answer = history[n].answer or ()
        last = answer[-1]
        assert isinstance(last, int)
        history[n] = Operation(history[n].what, history[n].called, (*answer[:-1], last + by), history[n].answered)
        assert not check(history, Stock(on_hand), step).linearizable
