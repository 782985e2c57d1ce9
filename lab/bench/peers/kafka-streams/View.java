import com.fasterxml.jackson.core.type.TypeReference;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Indexes;
import com.mongodb.client.model.ReplaceOneModel;
import com.mongodb.client.model.ReplaceOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.bson.Document;

/**
 * The lots in MongoDB, as a sink connector keeps them: committed changes of the store in bulk upserts, each lot once,
 * and then the offsets. A crash in between repeats upserts, which changes nothing.
 *
 * <p>A bulk is one transaction. The local server would sync each upsert by itself otherwise.
 */
final class View extends Thread {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final ReplaceOptions UPSERT = new ReplaceOptions().upsert(true);
    private static final List<String> INDEXES = List.of("facility", "product", "arrived");
    private final String changelog;
    private final Map<String, Object> settings;
    private final MongoCollection<Document> lots;
    private final MongoClient client;
    private final Map<TopicPartition, Long> nexts = new HashMap<>();
    private volatile boolean ended;

    View(String application, MongoDatabase database, MongoClient client) {
        super("view");
        changelog = application + "-" + Inventory.STORE + "-changelog";
        lots = database.getCollection("lots");
        this.client = client;
        settings =
                Map.of(
                        "bootstrap.servers", System.getenv("KARYA_KAFKA"),
                        "group.id", application + "-view",
                        "auto.offset.reset", "earliest",
                        "enable.auto.commit", false,
                        "isolation.level", "read_committed",
                        "max.poll.records", Integer.valueOf(System.getenv("KARYA_MAX_BATCH")));
        setUncaughtExceptionHandler(
                (thread, fault) -> {
                    fault.printStackTrace();
                    Runtime.getRuntime().halt(1);
                });
    }

    void end() throws InterruptedException {
        ended = true;
        join();
    }

    /** Whether everything that was committed by now is written. */
    boolean isCurrent(Admin admin) throws Exception {
        List<TopicPartition> parts;
        synchronized (nexts) {
            parts = List.copyOf(nexts.keySet());
        }
        Map<TopicPartition, OffsetSpec> latest =
                parts.stream().collect(Collectors.toMap(part -> part, part -> OffsetSpec.latest()));
        var ends = admin.listOffsets(latest, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get();
        synchronized (nexts) {
            return !parts.isEmpty()
                    && parts.stream().allMatch(part -> nexts.get(part) >= ends.get(part).offset());
        }
    }

    @Override
    public void run() {
        INDEXES.forEach(name -> lots.createIndex(Indexes.ascending(name)));
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
                ClientSession session = client.startSession()) {
            // Kafka Streams makes the changelog when it starts.
            List<PartitionInfo> found = List.of();
            while (found.isEmpty() && !ended) {
                found = consumer.listTopics().getOrDefault(changelog, List.of());
            }
            consumer.assign(found.stream().map(part -> new TopicPartition(changelog, part.partition())).toList());
            while (!ended) {
                ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
                if (!records.isEmpty()) {
                    write(session, records);
                }
                // Positions pass the markers of transactions, too.
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                consumer.assignment()
                        .forEach(part -> offsets.put(part, new OffsetAndMetadata(consumer.position(part))));
                if (!records.isEmpty()) {
                    consumer.commitSync(offsets);
                }
                synchronized (nexts) {
                    offsets.forEach((part, next) -> nexts.put(part, next.offset()));
                }
            }
        }
    }

    private void write(ClientSession session, ConsumerRecords<String, byte[]> records) {
        Map<String, byte[]> newest = new HashMap<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            newest.put(record.key(), record.value());
        }
        List<ReplaceOneModel<Document>> upserts =
                newest.entrySet().stream()
                        .map(lot -> new ReplaceOneModel<>(Filters.eq(lot.getKey()), document(lot.getValue()), UPSERT))
                        .toList();
        session.withTransaction(() -> lots.bulkWrite(session, upserts, new BulkWriteOptions().ordered(false)));
    }

    private static Document document(byte[] value) {
        try {
            return new Document(Json.MAPPER.readValue(value, new TypeReference<Map<String, Object>>() {}));
        } catch (IOException fault) {
            throw new IllegalStateException(fault);
        }
    }
}
