import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** The headers of CloudEvents as inventory writes them, and the ids that it derives from an event's cause. */
final class Envelope {
    private static final byte[] NAMESPACE = HexFormat.of().parseHex("6f9619ff8b864d01b42d00cf4fc964ff");

    private Envelope() {}

    static String type(Headers headers) {
        return text(headers, "ce_type");
    }

    /** The header values that all outputs of one event share: of ids and spans all but their last four digits. */
    record Cause(byte[] id, byte[] time, String trace, String idStart, String spanStart) {
        static Cause of(Headers parent) {
            String raw = sha1(text(parent, "ce_source") + " " + text(parent, "ce_id"));
            return new Cause(
                    parent.lastHeader("ce_id").value(),
                    parent.lastHeader("ce_time").value(),
                    text(parent, "traceparent").substring(3, 35),
                    version8(raw),
                    raw.substring(28));
        }

        Headers headers(Events.Output output, int index) {
            String end = HexFormat.of().toHexDigits((short) index);
            return new RecordHeaders()
                    .add("ce_specversion", bytes("1.0"))
                    .add("ce_id", bytes(idStart + end))
                    .add("ce_source", bytes("karya/inventory"))
                    .add("ce_type", bytes(output.getClass().getSimpleName() + ".v1"))
                    .add("ce_time", time)
                    .add("content-type", bytes("application/json"))
                    .add("causationid", id)
                    .add("traceparent", bytes("00-" + trace + "-" + spanStart + end + "-01"));
        }
    }

    private static String sha1(String name) {
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(NAMESPACE);
            return HexFormat.of().formatHex(sha1.digest(bytes(name)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** The start of a UUID of version 8 (RFC 9562), which ends in the index of the output. */
    private static String version8(String raw) {
        String variant = Integer.toHexString(Character.digit(raw.charAt(16), 16) & 3 | 8);
        return String.join(
                "-",
                raw.substring(0, 8),
                raw.substring(8, 12),
                "8" + raw.substring(13, 16),
                variant + raw.substring(17, 20),
                raw.substring(20, 28));
    }

    private static String text(Headers headers, String name) {
        return new String(headers.lastHeader(name).value(), UTF_8);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
