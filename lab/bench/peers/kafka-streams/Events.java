import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/** The bodies of the backlog and of its effects, with their fields in the order of inventory's JSON. */
final class Events {
    private static final String INVENTORY = "karya.inventory.v1";
    private static final String RESERVATIONS = "karya.reservations.v1";
    private static final String ANSWERS = "karya.lot-answers.v1";
    static final List<String> TOPICS = List.of(INVENTORY, RESERVATIONS, ANSWERS);

    private static final Map<String, Class<? extends Input>> INPUTS =
            Map.of(
                    "LotRecorded.v1", LotRecorded.class,
                    "CorrectionRequested.v1", CorrectionRequested.class,
                    "ReservationRequested.v1", ReservationRequested.class,
                    "ReleaseRequested.v1", ReleaseRequested.class,
                    "DispatchOrdered.v1", DispatchOrdered.class);

    private Events() {}

    static Input read(String type, byte[] value) {
        return Json.read(value, INPUTS.get(type));
    }

    sealed interface Input {}

    record LotRecorded(
            String lot,
            String facility,
            String product,
            String category,
            long qty,
            String madeOn,
            String bestBefore)
            implements Input {}

    record CorrectionRequested(String lot, String facility, String correction, long change) implements Input {}

    record ReservationRequested(
            String lot, String reservation, String festival, String booth, String request, long qty)
            implements Input {}

    record ReleaseRequested(String lot, String reservation, String festival) implements Input {}

    record DispatchOrdered(String lot, String reservation, String festival, String shipment) implements Input {}

    enum Refusal {
        unknown_lot,
        recalled,
        @JsonProperty("short")
        SHORT,
        no_reservation
    }

    /** What is published: on which topic, and with which key. */
    sealed interface Output {
        default String topic() {
            return RESERVATIONS;
        }

        default String key() {
            return festival();
        }

        default String festival() {
            throw new IllegalStateException("has a key of its own");
        }
    }

    /** The answer to a facility about a correction. */
    sealed interface Answer extends Output {
        String facility();

        @Override
        default String topic() {
            return ANSWERS;
        }

        @Override
        default String key() {
            return facility();
        }
    }

    record StockChanged(
            String lot,
            long revision,
            String facility,
            String product,
            String category,
            String madeOn,
            String bestBefore,
            boolean recalled,
            long recorded,
            long corrected,
            long onHand,
            long reserved,
            long dispatched,
            long returned,
            long writtenOff,
            long found,
            boolean withdrawn)
            implements Output {
        @Override
        public String topic() {
            return INVENTORY;
        }

        @Override
        public String key() {
            return lot;
        }
    }

    record StockReserved(String festival, String request, String reservation, String lot, String booth, long qty)
            implements Output {}

    record ReservationRefused(
            String festival,
            String request,
            String reservation,
            String lot,
            String product,
            String booth,
            long qty,
            long onHand,
            Refusal reason)
            implements Output {}

    record ReservationReleased(
            String festival, String request, String reservation, String lot, String booth, long qty, String cause)
            implements Output {}

    record StockDispatched(
            String festival,
            String request,
            String reservation,
            String shipment,
            String lot,
            String booth,
            long qty)
            implements Output {}

    record StockOrderRefused(String festival, String order, String lot, Refusal reason, long onHand)
            implements Output {}

    record LotCorrected(String facility, String lot, String correction, long change, long onHand)
            implements Answer {}

    record CorrectionRefused(String facility, String lot, String correction, long change, long onHand)
            implements Answer {}
}
