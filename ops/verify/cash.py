"""Checks of voids, and of the money in drawers: takings by hour and payment kind, and refunds."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TypeAlias

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from ops.verify.topic_evidence.sales import VoidStep
from ops.verify.topic_evidence.tills import ReportedDrawer, RequestedVoid, SaleLine
from services.sales.domain import Booth, Receipt
from services.sales.domain.receipt import parse_sale_id
from services.sales.domain.shelf import HOUR, epoch_seconds
from shared.events.sales import PaymentKind
from shared.wording import Message

_Takings: TypeAlias = dict[tuple[str, str], dict[tuple[int, PaymentKind], tuple[int, int, int]]]


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about voids and cash."""
    yield voids(evidence)
    yield cash(evidence)


def voids(evidence: Evidence) -> Check:
    """Every requested void was carried out, was refused, or waits for a receipt that never came."""
    check = Check(
        "voids", "each void of pieces was carried out once or refused, or waits for a receipt that never came"
    )
    returned: Counter[str] = Counter()
    tills = evidence.published.tills
    steps = _steps(evidence)
    early = _early(evidence)
    for line in tills.voids.keys() | steps.keys() | early.keys() | tills.refused.keys():
        subject = Message("line {line} of receipt {receipt} at {booth}", line=line[2], receipt=line[1], booth=line[0])
        requested = tills.voids.get(line, [])
        carried_out, unasked, undone = _matched(requested, steps.get(line, []))
        returned[line[0]] += sum(rupiah for void, rupiah in carried_out if void.till is not None)
        check.expect(
            not unasked,
            "{subject}: {unasked} pieces are voided, but no such void was requested",
            subject=subject,
            unasked=unasked,
        )
        check.expect_equal(
            Counter((void.till, void.qty) for void in undone),
            tills.refused.get(line, Counter()) + early.get(line, Counter()),
            "{subject}: {first} not carried out, but refused or early were {second}",
            subject=subject,
        )
    receipts = {(receipt.booth, receipt.receipt) for receipt in evidence.of(Receipt).values()}
    for booth_id, receipt, _ in sorted(early):
        if (booth_id, receipt) in receipts:
            check.fail(
                "a void of receipt {receipt} at {booth} waits, though the receipt is there",
                receipt=receipt,
                booth=booth_id,
            )
        else:
            check.note(
                "a void at {booth} waits for receipt {receipt}, which never came",
                booth=booth_id,
                receipt=receipt,
            )
    _note_refunds(check, evidence, returned)
    return check


def _note_refunds(check: Check, evidence: Evidence, returned: Mapping[str, int]) -> None:
    """Note refunds that differ from the returned rupiah: a till may refund a refused void, or round differently."""
    paid: Counter[str] = Counter()
    for refund, rupiah in evidence.published.tills.refunds.items():
        paid[refund.booth] += rupiah
    for booth in sorted(paid.keys() | returned.keys()):
        if paid[booth] != returned.get(booth, 0):
            check.note(
                "tills of {booth} paid back {paid:rupiah}, its voids return {returned:rupiah}",
                booth=booth,
                paid=paid[booth],
                returned=returned.get(booth, 0),
            )


def cash(evidence: Evidence) -> Check:
    """The takings of each drawer by hour and payment kind are the sums of its receipts and refunds."""
    check = Check(
        "cash", "per booth, drawer, hour and payment kind: taken = its receipts, paid back = as reported; counts too"
    )
    takings = _takings(evidence)
    reported = evidence.published.tills.drawers
    for booth in evidence.of(Booth).values():
        for drawer in booth.drawers:
            subject = Message("drawer {drawer} at {booth}", drawer=drawer.id, booth=booth.id)
            kept_takings = {
                (hour.hour, hour.kind): (hour.receipts, hour.net_rupiah, hour.refunded_rupiah)
                for hour in drawer.takings
                if hour.receipts or hour.net_rupiah or hour.refunded_rupiah
            }
            check.expect_equal(
                kept_takings,
                takings.pop((booth.id, drawer.id), {}),
                "{subject}: {first} receipts, rupiah taken and paid back, by receipts and voids {second}",
                subject=subject,
            )
            if len({(hour.hour, hour.kind) for hour in drawer.takings}) < len(drawer.takings):
                check.fail("{subject} has an hour twice", subject=subject)
            kept_drawer = ReportedDrawer(
                drawer.cashier,
                drawer.opened_at,
                drawer.float_rupiah,
                drawer.dropped_rupiah,
                drawer.counted_rupiah,
                drawer.counted_at,
            )
            check.expect(
                kept_drawer == reported.get((booth.id, drawer.id), ReportedDrawer()),
                "{subject}: float, drops or count are not what its till reported",
                subject=subject,
            )
    kept_ids = {(booth.id, drawer.id) for booth in evidence.of(Booth).values() for drawer in booth.drawers}
    for booth_id, drawer_id in sorted((reported.keys() | takings.keys()) - kept_ids):
        check.fail(
            "drawer {drawer} at {booth} was reported, but sales does not have it",
            drawer=drawer_id,
            booth=booth_id,
        )
    return check


def _steps(evidence: Evidence) -> dict[SaleLine, list[tuple[int, int, str]]]:
    """By line, in their order: pieces voided, rupiah returned for them, and the event that caused it."""
    steps: dict[SaleLine, list[tuple[int, int, str]]] = {}
    for (booth, sale), steps_told in evidence.published.sales.void_steps.items():
        receipt, line = parse_sale_id(sale)
        ordered = sorted({step.revision: step for step in steps_told}.values())
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
    requested: list[RequestedVoid], steps: list[tuple[int, int, str]]
) -> tuple[list[tuple[RequestedVoid, int]], list[int], list[RequestedVoid]]:
    """The requested voids with the rupiah that each returned; the pieces of steps without a request; and the voids
    without a step."""
    remaining, carried_out, unexplained = list(requested), [], []
    for pieces, rupiah, cause in steps:
        void = next((void for void in remaining if (void.event, void.qty) == (cause, pieces)), None)
        if void is None:
            unexplained.append((pieces, rupiah))
            continue
        remaining.remove(void)
        carried_out.append((void, rupiah))
    # The receipt causes the steps of voids that came before it, in the order of their arrival.
    unasked = []
    for pieces, rupiah in unexplained:
        void = next((void for void in remaining if void.qty == pieces), None)
        if void is None:
            unasked.append(pieces)
            continue
        remaining.remove(void)
        carried_out.append((void, rupiah))
    return carried_out, unasked, remaining


def _takings(evidence: Evidence) -> _Takings:
    takings: _Takings = defaultdict(dict)
    for receipt in evidence.of(Receipt).values():
        hours = takings[receipt.booth, receipt.drawer]
        place = (epoch_seconds(receipt.sold_at) // HOUR, receipt.payment)
        receipts, net, refunded = hours.get(place, (0, 0, 0))
        hours[place] = (receipts + 1, net + sum(sale.net_rupiah for sale in receipt.sales), refunded)
    for (booth, drawer, hour, kind), rupiah in evidence.published.tills.refunds.items():
        if rupiah:
            hours = takings[booth, drawer]
            receipts, net, refunded = hours.get((hour, kind), (0, 0, 0))
            hours[hour, kind] = (receipts, net, refunded + rupiah)
    return takings
