"""The money in drawers: what receipts brought in by hour and payment kind, and what voids paid back."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TypeAlias

from ops.verify.evidence import Evidence
from ops.verify.heard.sales import VoidStep
from ops.verify.heard.tills import AskedVoid, DrawerTold, SaleLine
from ops.verify.report import Check
from services.sales.domain import Booth, Receipt
from services.sales.domain.receipt import parse_sale_id
from services.sales.domain.shelf import HOUR, epoch_seconds
from shared.events.sales import PaymentKind
from shared.shown import rupiah as rupiah_shown

_Taken: TypeAlias = dict[tuple[str, str], dict[tuple[int, PaymentKind], tuple[int, int, int]]]


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about voids and cash."""
    yield voids(evidence)
    yield cash(evidence)


def voids(evidence: Evidence) -> Check:
    """Every void that was asked for was carried out, was refused, or came early for a receipt that never came."""
    check = Check("voids", "each void of pieces was carried out once or refused, or waits for a receipt never heard")
    returned: Counter[str] = Counter()
    tills = evidence.heard.tills
    steps = _steps(evidence)
    early = _early(evidence)
    for line in tills.voids.keys() | steps.keys() | early.keys() | tills.refused.keys():
        what = f"line {line[2]} of receipt {line[1]} at {line[0]}"
        asked = tills.voids.get(line, [])
        done, unasked, undone = _matched(asked, steps.get(line, []))
        returned[line[0]] += sum(rupiah for void, rupiah in done if void.till is not None)
        check.expect(not unasked, f"{what}: {unasked} pieces are voided, but no such void was heard")
        check.same(
            what,
            Counter((void.till, void.qty) for void in undone),
            tills.refused.get(line, Counter()) + early.get(line, Counter()),
            "not carried out, but refused or too early were",
        )
    receipts = {(receipt.booth, receipt.receipt) for receipt in evidence.of(Receipt).values()}
    for booth_id, receipt, _ in sorted(early):
        if (booth_id, receipt) in receipts:
            check.wrong(f"a void of receipt {receipt} at {booth_id} waits, though the receipt is there")
        else:
            check.notes.append(f"a void at {booth_id} waits for receipt {receipt}, which was never heard")
    _paid_back(check, evidence, returned)
    return check


def _paid_back(check: Check, evidence: Evidence, returned: Mapping[str, int]) -> None:
    """For people to know: a till may pay back for a void that is refused, or a rupiah more than the books return."""
    paid: Counter[str] = Counter()
    for refund, rupiah in evidence.heard.tills.refunds.items():
        paid[refund.booth] += rupiah
    for booth in sorted(paid.keys() | returned.keys()):
        if paid[booth] != returned.get(booth, 0):
            check.notes.append(
                f"tills of {booth} paid back {rupiah_shown(paid[booth])}, its voids return "
                f"{rupiah_shown(returned.get(booth, 0))}"
            )


def cash(evidence: Evidence) -> Check:
    """A drawer holds what its receipts brought, less what its tills paid back; so do the hours and days of a
    booth."""
    check = Check(
        "cash", "per booth, drawer, hour and payment kind: taken = its receipts, paid back = as told; counts too"
    )
    taken = _taken(evidence)
    told = evidence.heard.tills.drawers
    for booth in evidence.of(Booth).values():
        for drawer in booth.drawers:
            what = f"drawer {drawer.id} at {booth.id}"
            kept = {
                (one.hour, one.kind): (one.receipts, one.net_rupiah, one.refunded_rupiah)
                for one in drawer.takings
                if one.receipts or one.net_rupiah or one.refunded_rupiah
            }
            check.same(
                what,
                kept,
                taken.pop((booth.id, drawer.id), {}),
                "receipts, rupiah taken and paid back, by receipts and voids",
            )
            if len({(one.hour, one.kind) for one in drawer.takings}) < len(drawer.takings):
                check.wrong(f"{what} has an hour twice")
            here = DrawerTold(
                drawer.cashier,
                drawer.opened_at,
                drawer.float_rupiah,
                drawer.dropped_rupiah,
                drawer.counted_rupiah,
                drawer.counted_at,
            )
            check.expect(
                here == told.get((booth.id, drawer.id), DrawerTold()),
                f"{what}: float, drops or count are not what its till told",
            )
    kept_ids = {(booth.id, drawer.id) for booth in evidence.of(Booth).values() for drawer in booth.drawers}
    for booth_id, drawer_id in sorted((told.keys() | taken.keys()) - kept_ids):
        check.wrong(f"drawer {drawer_id} at {booth_id} was told of, but is not there")
    return check


def _steps(evidence: Evidence) -> dict[SaleLine, list[tuple[int, int, str]]]:
    """By line, in their order: pieces voided, rupiah returned for them, and the event that caused it."""
    steps: dict[SaleLine, list[tuple[int, int, str]]] = {}
    for (booth, sale), told in evidence.heard.sales.void_steps.items():
        receipt, line = parse_sale_id(sale)
        ordered = sorted({step.revision: step for step in told}.values())
        steps[booth, receipt, line] = [
            (after.voided - before.voided, after.returned_rupiah - before.returned_rupiah, after.cause)
            for before, after in pairwise((VoidStep(0, 0, 0, ""), *ordered))
            if after.voided != before.voided
        ]
    return steps


def _early(evidence: Evidence) -> Mapping[SaleLine, Counter[tuple[str | None, int]]]:
    early: dict[SaleLine, Counter[tuple[str | None, int]]] = defaultdict(Counter)
    for booth in evidence.of(Booth).values():
        for void in booth.early_voids:
            early[booth.id, void.receipt, void.line][void.till, void.qty] += 1
    return early


def _matched(
    asked: list[AskedVoid], steps: list[tuple[int, int, str]]
) -> tuple[list[tuple[AskedVoid, int]], list[int], list[AskedVoid]]:
    """Which void made which step, with the rupiah returned by it; pieces of steps that nobody asked for; and the
    voids that made none."""
    left, done, unexplained = list(asked), [], []
    for pieces, rupiah, cause in steps:
        void = next((void for void in left if (void.event, void.qty) == (cause, pieces)), None)
        if void is None:
            unexplained.append((pieces, rupiah))
            continue
        left.remove(void)
        done.append((void, rupiah))
    # What came before its receipt was carried out because of that, in the order in which it was heard.
    unasked = []
    for pieces, rupiah in unexplained:
        void = next((void for void in left if void.qty == pieces), None)
        if void is None:
            unasked.append(pieces)
            continue
        left.remove(void)
        done.append((void, rupiah))
    return done, unasked, left


def _taken(evidence: Evidence) -> _Taken:
    taken: _Taken = defaultdict(dict)
    for receipt in evidence.of(Receipt).values():
        hours = taken[receipt.booth, receipt.drawer]
        place = (epoch_seconds(receipt.sold_at) // HOUR, receipt.payment)
        receipts, net, refunded = hours.get(place, (0, 0, 0))
        hours[place] = (receipts + 1, net + sum(sale.net_rupiah for sale in receipt.sales), refunded)
    for (booth, drawer, hour, kind), rupiah in evidence.heard.tills.refunds.items():
        if rupiah:
            hours = taken[booth, drawer]
            receipts, net, refunded = hours.get((hour, kind), (0, 0, 0))
            hours[hour, kind] = (receipts, net, refunded + rupiah)
    return taken
