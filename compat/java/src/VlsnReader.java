import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a topic, or the ordered view of one, and tells what it reads and commits, one JSON line each. Arguments: `follow`, address,
 * topic, group, protocol (classic or consumer) and a pause in ms, for a member of a group that commits all of its positions so long after
 * each poll, until it is killed; or `range`, address, topic, and from where to before where partition 0 is to be read.
 */
public final class VlsnReader {
    public static void main(String[] args) throws Exception {
        try {
            if (args[0].equals("follow")) follow(args[1], args[2], args[3], args[4], Long.parseLong(args[5]));
            else range(args[1], args[2], Long.parseLong(args[3]), Long.parseLong(args[4]));
        } catch (Exception failure) {
            GroupEvents.tell(GroupEvents.now(), "ended", "error", GroupEvents.quote(failure));
            Runtime.getRuntime().halt(1);
        }
    }

    private static Map<String, Object> config(String address) {
        return new HashMap<>(Map.of("bootstrap.servers", address, "enable.auto.commit", "false", "auto.offset.reset",
            "earliest", "max.poll.records", "2000", "fetch.max.wait.ms", "100", "reconnect.backoff.max.ms", "200",
            "retry.backoff.ms", "50", "retry.backoff.max.ms", "200", "allow.auto.create.topics", "false"));
    }

    private static KafkaConsumer<byte[], byte[]> open(Map<String, Object> config) {
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static void follow(String address, String topic, String group, String protocol, long pauseMs)
            throws InterruptedException {
        Map<String, Object> config = config(address);
        config.putAll(Map.of("group.id", group, "group.protocol", protocol));
        // In the consumer protocol the session is the broker's to say, and a static member waits until it is over.
        if (protocol.equals("classic")) {
            config.putAll(Map.of("group.instance.id", "one", "session.timeout.ms", "3000", "heartbeat.interval.ms", "300"));
        }
        try (var consumer = open(config)) {
            consumer.subscribe(List.of(topic));
            while (true) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                if (records.isEmpty()) continue;
                tellRead(records);
                Thread.sleep(pauseMs);
                Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
                for (TopicPartition partition : consumer.assignment()) {
                    positions.put(partition, new OffsetAndMetadata(consumer.position(partition)));
                }
                String offsets = positions.entrySet().stream()
                    .map(each -> "[" + each.getKey().partition() + "," + each.getValue().offset() + "]")
                    .collect(Collectors.joining(",", "[", "]"));
                GroupEvents.tell(GroupEvents.now(), "committing", "offsets", offsets);
                consumer.commitSync(positions);
                GroupEvents.tell(GroupEvents.now(), "committed");
            }
        }
    }

    private static void range(String address, String topic, long from, long to) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (var consumer = open(config(address))) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
            while (consumer.position(partition) < to) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                List<ConsumerRecord<byte[], byte[]>> own =
                    records.records(partition).stream().filter(record -> record.offset() < to).toList();
                if (!own.isEmpty()) tellRead(own);
            }
        }
    }

    private static void tellRead(Iterable<ConsumerRecord<byte[], byte[]>> records) {
        StringBuilder told = new StringBuilder("[");
        for (ConsumerRecord<byte[], byte[]> record : records) {
            if (told.length() > 1) told.append(',');
            told.append('[').append(record.partition()).append(',').append(record.offset()).append(',')
                .append(ByteBuffer.wrap(record.key()).getLong()).append(",\"")
                .append(new String(record.value(), StandardCharsets.UTF_8)).append("\"]");
        }
        GroupEvents.tell(GroupEvents.now(), "read", "records", told.append(']').toString());
    }

    private VlsnReader() { }
}
