"""Selling again at a booth that was closed, until a settlement that includes the booth is issued.

Each facility's settlement lies in a lane of its own. So a settled booth asks all of its facilities to hold their
settlements, and opens once all of them do. If one was issued before, the booth stays settled and the others go on.
"""

from dataclasses import replace

from services.sales.domain import booth as booths
from services.sales.domain import interim, pool
from services.sales.domain.booth import Booth, BoothStatus, Reopening
from services.sales.domain.device import Device
from services.sales.domain.selling import Change, cover_waiting, wait_again
from shared.events.festival import ReopeningRequested
from shared.events.language import Event, Publication
from shared.events.sales import (
    BOOTH_REPORTS,
    SALE_SHARES,
    SALES,
    BoothReopened,
    BoothSettled,
    ReopeningGranted,
    ReopeningRefused,
    ShareHoldAnswered,
    ShareHoldRequested,
    ShareReopened,
)
from shared.runtime.state import State


def request(state: State, booth: Booth, body: ReopeningRequested, event: Event) -> Change:
    """The booth after festival asked to reopen it: open at once unless facilities may have been settled with."""
    home = tuple((counted.lot, counted.qty) for counted in body.home)
    booth = replace(booth, reopening=Reopening(body.order, body.opening, home))
    if booth.status is BoothStatus.SETTLED:
        booth, publications = _ask(booth)
        if publications:
            return state, booth, publications
    return _open(state, booth, event)


def hear(state: State, booth: Booth, answer: ShareHoldAnswered, event: Event) -> Change:
    """The booth after one facility's settlement was held, or was found to be issued."""
    reopening = booth.reopening
    if reopening is None or reopening.order != answer.order:
        return state, booth, []  # refused already, because of another facility
    if not answer.held:
        return state, *_refuse(booth, reopening, answer.facility)
    booth = replace(booth, reopening=replace(reopening, held=(*reopening.held, answer.facility)))
    # A facility whose first goods were credited meanwhile has been told that the booth is settled.
    booth, publications = _ask(booth)
    if publications or not _all_held(booth):
        return state, booth, publications
    return _open(state, booth, event)


def _all_held(booth: Booth) -> bool:
    return booth.reopening is not None and set(booth.facilities) <= set(booth.reopening.held)


def _ask(booth: Booth) -> tuple[Booth, list[Publication]]:
    """The booth, with a request to each facility that was not asked yet."""
    reopening, festival = booth.reopening, booth.festival
    assert reopening is not None, "festival asked for it"
    assert festival is not None, "festival closed it before"
    unasked = [facility for facility in booth.facilities if facility not in reopening.asked]
    booth = replace(booth, reopening=replace(reopening, asked=(*reopening.asked, *unasked)))
    return booth, [
        SALE_SHARES.of(
            ShareHoldRequested(facility=facility, festival=festival, booth=booth.id, order=reopening.order)
        )
        for facility in unasked
    ]


def _refuse(booth: Booth, reopening: Reopening, issued: str) -> tuple[Booth, list[Publication]]:
    """The booth as settled as before, told to festival and to the facilities that hold their settlements for it."""
    festival = booth.festival
    assert festival is not None, "festival asked for it"
    refusal = ReopeningRefused(festival=festival, booth=booth.id, order=reopening.order, facility=issued)
    publications = [
        SALE_SHARES.of(BoothSettled(facility=facility, festival=festival, booth=booth.id))
        for facility in reopening.asked
        if facility != issued
    ]
    return replace(booth, reopening=None), [BOOTH_REPORTS.of(refusal), *publications]


def _open(state: State, booth: Booth, event: Event) -> Change:
    """The booth as open: its devices may sell on, and disputed sales wait for stock as before the closing."""
    reopening, festival = booth.reopening, booth.festival
    assert reopening is not None, "festival asked for it"
    assert festival is not None, "festival closed it before"
    granted = ReopeningGranted(festival=festival, booth=booth.id, order=reopening.order, opening=reopening.opening)
    publications: list[Publication] = [
        SALES.of(BoothReopened(booth=booth.id, opening=reopening.opening)),
        BOOTH_REPORTS.of(granted),
        *[
            SALE_SHARES.of(ShareReopened(facility=facility, festival=festival, booth=booth.id))
            for facility in booth.facilities
        ],
    ]
    booth = replace(
        booth,
        status=BoothStatus.OPEN,
        deadline=None,
        opening=reopening.opening,
        reopening=None,
        devices=tuple(map(_open_device, booth.devices)),
    )
    for lot, qty in reopening.home:
        booth = booths.move_away(booth, lot, qty, event.time)
    for product in dict.fromkeys(lot.product for lot in booth.lots):
        booth = pool.redistribute(booth, product)
    state, booth, waiting = wait_again(state, booth)
    state, booth, covered = cover_waiting(state, booth)
    booth, reports = interim.publish_sales(booth, event.time)
    return state, booth, [*publications, *waiting, *covered, *reports]


def _open_device(device: Device) -> Device:
    """The device as not closed: it closes again after its last sale."""
    return replace(device, branches=tuple(replace(branch, last_seq=None) for branch in device.branches))
