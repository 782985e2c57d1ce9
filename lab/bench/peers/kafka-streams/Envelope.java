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

    /** The header values that all outputs of one event share. */
    record Cause(String ledgerId, byte[] id, byte[] time, String trace) {
        static Cause of(Headers parent) {
            return new Cause(
                    text(parent, "ce_source") + " " + text(parent, "ce_id"),
                    parent.lastHeader("ce_id").value(),
                    parent.lastHeader("ce_time").value(),
                    text(parent, "traceparent").substring(3, 35));
        }

        Headers headers(Events.Output output, int index) {
            String id = derivedId(ledgerId + "\n" + output.topic() + "\n" + index);
            String span = id.substring(0, 8) + id.substring(9, 13) + id.substring(14, 18);
            return new RecordHeaders()
                    .add("ce_specversion", bytes("1.0"))
                    .add("ce_id", bytes(id))
                    .add("ce_source", bytes("karya/inventory"))
                    .add("ce_type", bytes(output.getClass().getSimpleName() + ".v1"))
                    .add("ce_time", time)
                    .add("content-type", bytes("application/json"))
                    .add("causationid", this.id)
                    .add("traceparent", bytes("00-" + trace + "-" + span + "-01"));
        }
    }

    /** The version 5 UUID (RFC 4122) of a name. */
    private static String derivedId(String name) {
        byte[] digest;
        try {
            MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
            sha1.update(NAMESPACE);
            digest = sha1.digest(bytes(name));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
        digest[6] = (byte) (digest[6] & 0x0f | 0x50);
        digest[8] = (byte) (digest[8] & 0x3f | 0x80);
        String hex = HexFormat.of().formatHex(digest, 0, 16);
        return String.join(
                "-",
                hex.substring(0, 8),
                hex.substring(8, 12),
                hex.substring(12, 16),
                hex.substring(16, 20),
                hex.substring(20));
    }

    private static String text(Headers headers, String name) {
        return new String(headers.lastHeader(name).value(), UTF_8);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
