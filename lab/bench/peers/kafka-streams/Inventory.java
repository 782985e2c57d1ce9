import com.fasterxml.jackson.core.type.TypeReference;
import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.WriteConcern;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.Stores;

/**
 * Inventory as a Kafka Streams program: lots in RocksDB with a changelog, exactly-once within Kafka.
 *
 * <p>It takes the job of a runner as its argument and the settings of a service from KARYA_* variables. The variant
 * "view" also keeps the lots in MongoDB. Beside the guarantee and the commit interval it has the defaults.
 */
public final class Inventory {
    static final String STORE = "lots";
    /** The default of 100 ms is slower at a backlog, and dearer. */
    private static final int COMMIT_MILLISECONDS = 500;

    private static final long LOOK_MILLISECONDS = 20;
    private static final String VIEW = "view";

    /** How far to work each partition, as the bench's runners are told. */
    record Job(String group, List<List<Object>> ends, String variant) {
        Map<TopicPartition, Long> byPartition() {
            Map<TopicPartition, Long> ends = new HashMap<>();
            for (List<Object> end : this.ends) {
                ends.put(new TopicPartition((String) end.get(0), (Integer) end.get(1)), ((Number) end.get(2)).longValue());
            }
            return ends;
        }
    }

    public static void main(String[] arguments) throws Exception {
        Job job = Json.MAPPER.readValue(arguments[0], new TypeReference<>() {});
        String application = variable("TOPIC_PREFIX") + job.group();
        Path folder = Files.createTempDirectory("kafka-streams-");
        Meter meter = new Meter();
        KafkaStreams streams = new KafkaStreams(topology(job, meter), properties(application, folder));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", variable("KAFKA")));
                MongoClient mongo = job.variant().equals(VIEW) ? mongo() : null) {
            streams.setUncaughtExceptionHandler(
                    fault -> {
                        fault.printStackTrace();
                        Runtime.getRuntime().halt(1);
                        return null;
                    });
            streams.start();
            View view = null;
            if (mongo != null) {
                view = new View(application, mongo.getDatabase(variable("DATABASE_PREFIX") + job.group()), mongo);
                view.start();
            }
            while (!isCommitted(admin, application, job.byPartition()) || view != null && !view.isCurrent(admin)) {
                Thread.sleep(LOOK_MILLISECONDS);
                meter.look();
            }
            meter.print();
            if (view != null) {
                view.end();
            }
        } finally {
            streams.close();
            delete(folder);
        }
    }

    private static Properties properties(String application, Path folder) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, variable("KAFKA"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_MILLISECONDS);
        return properties;
    }

    private static Topology topology(Job job, Meter meter) {
        TreeSet<String> inputs = new TreeSet<>();
        job.ends().forEach(end -> inputs.add((String) end.get(0)));
        String prefix = variable("TOPIC_PREFIX");
        var text = Serdes.String();
        var bytes = Serdes.ByteArray();
        Topology topology = new Topology();
        topology.addSource("orders", text.deserializer(), bytes.deserializer(), inputs.toArray(String[]::new));
        topology.addProcessor("rules", () -> new LotProcessor(meter), "orders");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), text, Json.serde(Lot.class)),
                "rules");
        for (String topic : Events.TOPICS) {
            topology.addSink(topic, prefix + topic, text.serializer(), bytes.serializer(), "rules");
        }
        return topology;
    }

    /** Whether the group has committed everything that the job asks for. */
    private static boolean isCommitted(Admin admin, String group, Map<TopicPartition, Long> ends) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> committed =
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        return ends.entrySet().stream()
                .allMatch(
                        end -> {
                            OffsetAndMetadata next = committed.get(end.getKey());
                            return next != null && next.offset() >= end.getValue();
                        });
    }

    private static MongoClient mongo() {
        return MongoClients.create(
                MongoClientSettings.builder()
                        .applyConnectionString(new ConnectionString(variable("MONGO")))
                        .writeConcern(WriteConcern.MAJORITY)
                        .build());
    }

    private static String variable(String name) {
        return System.getenv().getOrDefault("KARYA_" + name, "");
    }

    private static void delete(Path folder) throws Exception {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
