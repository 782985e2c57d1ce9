import java.util.ArrayList;
import java.util.List;

/** Inventory's rules for the five kinds of event in the backlog: answers are said first, then the new balance. */
final class Rules {
    private Rules() {}

    /** The changed lot, null if nothing changes, and what is published. */
    record Decision(Lot lot, List<Events.Output> outputs) {}

    static Decision decide(String id, Lot lot, Events.Input input) {
        if (input instanceof Events.LotRecorded recorded) {
            return changed(id, Lot.of(recorded), null);
        }
        if (lot == null) {
            return refused(unknownLot(id, input));
        }
        if (input instanceof Events.CorrectionRequested request) {
            return correct(id, lot, request);
        }
        if (input instanceof Events.ReservationRequested request) {
            return reserve(id, lot, request);
        }
        if (input instanceof Events.ReleaseRequested request) {
            return release(id, lot, request);
        }
        return dispatch(id, lot, (Events.DispatchOrdered) input);
    }

    private static Decision correct(String id, Lot lot, Events.CorrectionRequested request) {
        long onHand = lot.onHand() + request.change();
        if (lot.withdrawn() || onHand < 0) {
            return refused(
                    new Events.CorrectionRefused(
                            lot.facility(), id, request.correction(), request.change(), lot.onHand()));
        }
        Lot after = lot.revised(onHand, lot.corrected() + request.change(), lot.reservations());
        return changed(
                id,
                after,
                new Events.LotCorrected(lot.facility(), id, request.correction(), request.change(), onHand));
    }

    private static Decision reserve(String id, Lot lot, Events.ReservationRequested request) {
        if (lot.reservation(request.reservation()) != null) {
            return new Decision(null, List.of());
        }
        if (lot.recalled() || request.qty() > lot.onHand()) {
            return refused(
                    new Events.ReservationRefused(
                            request.festival(),
                            request.request(),
                            request.reservation(),
                            id,
                            lot.product(),
                            request.booth(),
                            request.qty(),
                            lot.recalled() ? 0 : lot.onHand(),
                            lot.recalled() ? Events.Refusal.recalled : Events.Refusal.SHORT));
        }
        List<Lot.Reservation> reservations = new ArrayList<>(lot.reservations());
        reservations.add(
                new Lot.Reservation(
                        request.reservation(),
                        request.festival(),
                        request.request(),
                        request.booth(),
                        request.qty(),
                        Lot.Standing.held));
        return changed(
                id,
                lot.revised(lot.onHand() - request.qty(), lot.corrected(), reservations),
                new Events.StockReserved(
                        request.festival(),
                        request.request(),
                        request.reservation(),
                        id,
                        request.booth(),
                        request.qty()));
    }

    private static Decision release(String id, Lot lot, Events.ReleaseRequested request) {
        Lot.Reservation held = lot.reservation(request.reservation());
        if (held != null && held.standing() == Lot.Standing.released) {
            return new Decision(null, List.of());
        }
        if (held == null || held.standing() != Lot.Standing.held) {
            return refused(
                    new Events.StockOrderRefused(
                            request.festival(),
                            request.reservation(),
                            id,
                            Events.Refusal.no_reservation,
                            lot.onHand()));
        }
        return changed(
                id,
                lot.revised(
                        lot.onHand() + held.qty(), lot.corrected(), lot.with(held.standing(Lot.Standing.released))),
                new Events.ReservationReleased(
                        held.festival(), held.request(), held.id(), id, held.booth(), held.qty(), "ordered"));
    }

    private static Decision dispatch(String id, Lot lot, Events.DispatchOrdered order) {
        Lot.Reservation held = lot.reservation(order.reservation());
        if (held == null || held.standing() != Lot.Standing.held) {
            return refused(
                    new Events.StockOrderRefused(
                            order.festival(),
                            order.reservation(),
                            id,
                            lot.recalled() ? Events.Refusal.recalled : Events.Refusal.no_reservation,
                            lot.onHand()));
        }
        return changed(
                id,
                lot.revised(lot.onHand(), lot.corrected(), lot.with(held.standing(Lot.Standing.dispatched))),
                new Events.StockDispatched(
                        held.festival(),
                        held.request(),
                        held.id(),
                        order.shipment(),
                        id,
                        held.booth(),
                        held.qty()));
    }

    private static Events.Output unknownLot(String id, Events.Input input) {
        if (input instanceof Events.ReservationRequested request) {
            return new Events.ReservationRefused(
                    request.festival(),
                    request.request(),
                    request.reservation(),
                    id,
                    null,
                    request.booth(),
                    request.qty(),
                    0,
                    Events.Refusal.unknown_lot);
        }
        if (input instanceof Events.ReleaseRequested request) {
            return new Events.StockOrderRefused(
                    request.festival(), request.reservation(), id, Events.Refusal.unknown_lot, 0);
        }
        if (input instanceof Events.DispatchOrdered order) {
            return new Events.StockOrderRefused(
                    order.festival(), order.reservation(), id, Events.Refusal.unknown_lot, 0);
        }
        throw new IllegalStateException(input + " came before its LotRecorded");
    }

    private static Decision refused(Events.Output refusal) {
        return new Decision(null, List.of(refusal));
    }

    private static Decision changed(String id, Lot lot, Events.Output answer) {
        Events.StockChanged balance =
                new Events.StockChanged(
                        id,
                        lot.revision(),
                        lot.facility(),
                        lot.product(),
                        lot.category(),
                        lot.madeOn(),
                        lot.bestBefore(),
                        lot.recalled(),
                        lot.recorded(),
                        lot.corrected(),
                        lot.onHand(),
                        lot.pieces(Lot.Standing.held),
                        lot.pieces(Lot.Standing.dispatched),
                        lot.returned(),
                        lot.writtenOff(),
                        0,
                        lot.withdrawn());
        return new Decision(lot, answer == null ? List.of(balance) : List.of(answer, balance));
    }
}
