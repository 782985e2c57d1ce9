import java.util.ArrayList;
import java.util.List;

/** The document of a lot, with the fields of inventory's own. Dates stay text, since no rule counts with them. */
record Lot(
        String facility,
        String product,
        String category,
        String madeOn,
        String bestBefore,
        long recorded,
        long onHand,
        long corrected,
        long returned,
        long writtenOff,
        boolean recalled,
        boolean withdrawn,
        long revision,
        List<Reservation> reservations) {
    private static final long KNOWN_PIECES = 100_000;
    private static final int FACILITIES = 500, PRODUCTS = 40;

    enum Standing {
        held,
        released,
        dispatched
    }

    record Reservation(String id, String festival, String request, String booth, long qty, Standing standing) {
        Reservation standing(Standing standing) {
            return new Reservation(id, festival, request, booth, qty, standing);
        }
    }

    static Lot of(Events.LotRecorded recorded) {
        return new Lot(
                recorded.facility(),
                recorded.product(),
                recorded.category(),
                recorded.madeOn(),
                recorded.bestBefore(),
                recorded.qty(),
                recorded.qty(),
                0,
                0,
                0,
                false,
                false,
                1,
                List.of());
    }

    /** A lot of the backlog that was known before the first event; null for any other. */
    static Lot atFirst(String id) {
        if (!id.startsWith("L")) {
            return null;
        }
        int number = Integer.parseInt(id.substring(1));
        return Lot.of(
                new Events.LotRecorded(
                        id,
                        String.format("F%03d", number % FACILITIES),
                        String.format("P%02d", number % PRODUCTS),
                        "kerajinan",
                        KNOWN_PIECES,
                        "2023-04-01",
                        null));
    }

    Lot revised(long onHand, long corrected, List<Reservation> reservations) {
        return new Lot(
                facility,
                product,
                category,
                madeOn,
                bestBefore,
                recorded,
                onHand,
                corrected,
                returned,
                writtenOff,
                recalled,
                withdrawn,
                revision + 1,
                reservations);
    }

    Reservation reservation(String id) {
        for (Reservation reservation : reservations) {
            if (reservation.id().equals(id)) {
                return reservation;
            }
        }
        return null;
    }

    List<Reservation> with(Reservation changed) {
        List<Reservation> all = new ArrayList<>(reservations);
        all.replaceAll(reservation -> reservation.id().equals(changed.id()) ? changed : reservation);
        return all;
    }

    long pieces(Standing standing) {
        long pieces = 0;
        for (Reservation reservation : reservations) {
            pieces += reservation.standing() == standing ? reservation.qty() : 0;
        }
        return pieces;
    }
}
