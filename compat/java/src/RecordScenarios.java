import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;

/** Records in, records out: codecs, acknowledgements, sizes, partitions, waiting. */
final class RecordScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            all.put("produce-consume-" + codec, kit -> produceConsume(kit, codec));
        }
        all.put("idempotent-producer", RecordScenarios::idempotentProducer);
        for (String acks : List.of("0", "1", "all")) all.put("acks-" + acks, kit -> acks(kit, acks));
        all.put("large-message", RecordScenarios::largeMessage);
        all.put("too-large-message-refused", RecordScenarios::tooLargeMessageRefused);
        all.put("many-partitions", RecordScenarios::manyPartitions);
        all.put("keyed-partitioner", RecordScenarios::keyedPartitioner);
        all.put("auto-create-topic", RecordScenarios::autoCreateTopic);
        all.put("long-poll", RecordScenarios::longPoll);
        all.put("empty-topic", RecordScenarios::emptyTopic);
        all.put("log-append-time", RecordScenarios::logAppendTime);
        all.put("compacted-topic-needs-keys", RecordScenarios::compactedTopicNeedsKeys);
    }

    /** Records of every shape: null and empty keys, values and headers, all byte values, own timestamps. */
    private static List<ProducerRecord<byte[], byte[]>> sampleRecords(String topic) {
        byte[] everyByte = new byte[256];
        for (int value = 0; value < 256; value++) everyByte[value] = (byte) value;
        byte[][][] shapes = {
            {null, Kit.bytes("plain")}, {Kit.bytes("k"), null}, {new byte[0], new byte[0]}, {everyByte, everyByte},
            {null, null}, {Kit.bytes("long"), Kit.bytes("compressible ".repeat(1_000))},
            {Kit.bytes("noise"), Kit.noise(5_000)},
        };
        long start = System.currentTimeMillis() - 70_000;
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int index = 0; index < 70; index++) {
            byte[][] shape = shapes[index % shapes.length];
            var record = new ProducerRecord<>(topic, 0, start + index * 1_000L, shape[0], shape[1]);
            if (index % 2 == 1) {
                record.headers().add("trace", new byte[] {(byte) index, 0, -1}).add("trace", Kit.bytes("again"))
                    .add("empty", new byte[0]).add("null", null).add("", Kit.bytes("no name"));
            }
            records.add(record);
        }
        return records;
    }

    private static void produceConsume(Kit kit, String codec) throws Exception {
        String topic = kit.createTopic("codec-" + codec, 1);
        Producer<byte[], byte[]> producer = kit.producer("compression.type", codec, "linger.ms", "50");
        List<ProducerRecord<byte[], byte[]>> sent = sampleRecords(topic);
        List<Future<RecordMetadata>> answers = sent.stream().map(producer::send).toList();
        producer.flush();
        for (int index = 0; index < sent.size(); index++) {
            Check.equal((long) index, answers.get(index).get().offset(), "acknowledged offset");
        }
        List<ConsumerRecord<byte[], byte[]>> received = kit.poll(kit.reader(topic, 1), sent.size());
        for (int index = 0; index < sent.size(); index++) {
            ProducerRecord<byte[], byte[]> in = sent.get(index);
            ConsumerRecord<byte[], byte[]> out = received.get(index);
            Check.equal(Kit.hex(in.key()), Kit.hex(out.key()), "key of record " + index);
            Check.equal(Kit.hex(in.value()), Kit.hex(out.value()), "value of record " + index);
            Check.equal(in.timestamp(), out.timestamp(), "timestamp of record " + index);
            Check.equal(TimestampType.CREATE_TIME, out.timestampType(), "timestamp type");
            Check.equal(headers(in.headers()), headers(out.headers()), "headers of record " + index);
            Check.equal((long) index, out.offset(), "offset");
        }
    }

    private static List<String> headers(Iterable<Header> headers) {
        List<String> texts = new ArrayList<>();
        for (Header header : headers) texts.add(header.key() + "=" + Kit.hex(header.value()));
        return texts;
    }

    private static void acks(Kit kit, String level) throws Exception {
        String topic = kit.createTopic("acks", 1);
        Producer<byte[], byte[]> producer = kit.producer("acks", level, "enable.idempotence", "false");
        for (int number = 0; number < 20; number++) {
            RecordMetadata answer = producer.send(new ProducerRecord<>(topic, Kit.bytes("" + number))).get();
            Check.equal(level.equals("0") ? -1L : number, answer.offset(), "acknowledged offset");
        }
        Check.equal(Kit.range(0, 20), Kit.valuesOf(kit.poll(kit.reader(topic, 1), 20)), "values");
    }

    private static void idempotentProducer(Kit kit) throws Exception {
        String topic = kit.createTopic("idempotent", 3);
        // Small batches, five of them in flight per partition.
        Producer<byte[], byte[]> producer = kit.producer("enable.idempotence", "true", "batch.size", "300");
        List<Future<RecordMetadata>> answers = new ArrayList<>();
        for (int number = 0; number < 3_000; number++) {
            answers.add(producer.send(new ProducerRecord<>(topic, number % 3, null, Kit.bytes("" + number))));
        }
        for (Future<RecordMetadata> answer : answers) answer.get();
        List<ConsumerRecord<byte[], byte[]>> received = kit.poll(kit.reader(topic, 3), 3_000);
        for (int partition = 0; partition < 3; partition++) {
            int wanted = partition;
            List<Integer> values = Kit.valuesOf(received.stream().filter(r -> r.partition() == wanted).toList());
            List<Integer> expected = Kit.range(0, 3_000).stream().filter(n -> n % 3 == wanted).toList();
            Check.equal(expected, values, "values of partition " + partition);
        }
    }

    private static void largeMessage(Kit kit) throws Exception {
        String topic = kit.createTopic("large", 1);
        Producer<byte[], byte[]> producer = kit.producer("max.request.size", "4000000");
        byte[] value = Kit.noise(1_048_000);
        for (int index = 0; index < 3; index++) producer.send(new ProducerRecord<>(topic, value)).get();
        for (var record : kit.poll(kit.reader(topic, 1, "max.partition.fetch.bytes", "1000"), 3)) {
            Check.equal(Kit.hex(value), Kit.hex(record.value()), "value");
        }
    }

    private static void tooLargeMessageRefused(Kit kit) throws Exception {
        String small = kit.createTopic("max-bytes", 1, "max.message.bytes", "10000");
        String usual = kit.createTopic("too-large", 1);
        Producer<byte[], byte[]> producer = kit.producer("max.request.size", "4000000");
        Check.fails(RecordTooLargeException.class,
            () -> producer.send(new ProducerRecord<>(small, Kit.noise(11_000))).get());
        Check.fails(RecordTooLargeException.class,
            () -> producer.send(new ProducerRecord<>(usual, Kit.noise(1_100_000))).get());
        Check.equal(0L, producer.send(new ProducerRecord<>(small, Kit.noise(9_000))).get().offset(), "offset");
    }

    private static void manyPartitions(Kit kit) throws Exception {
        String topic = kit.createTopic("many", 40);
        kit.produceNumbers(topic, 40, 0, 4_000);
        Map<Integer, List<Integer>> values = new HashMap<>();
        for (var record : kit.poll(kit.reader(topic, 40), 4_000)) {
            values.computeIfAbsent(record.partition(), p -> new ArrayList<>()).add(Integer.parseInt(Kit.text(record.value())));
        }
        for (int partition = 0; partition < 40; partition++) {
            int wanted = partition;
            List<Integer> expected = Kit.range(0, 4_000).stream().filter(n -> n % 40 == wanted).toList();
            Check.equal(expected, values.get(partition), "values of partition " + partition);
        }
    }

    private static void keyedPartitioner(Kit kit) throws Exception {
        String topic = kit.createTopic("keyed", 8);
        Map<String, Integer> partitions = new HashMap<>();
        for (int round = 0; round < 2; round++) {
            Producer<byte[], byte[]> producer = kit.producer();
            for (int key = 0; key < 40; key++) {
                int partition = producer.send(new ProducerRecord<>(topic, Kit.bytes("key-" + key), null)).get().partition();
                Integer before = partitions.put("key-" + key, partition);
                Check.that(before == null || before == partition, "key-" + key + " went to several partitions");
            }
        }
        Check.that(new HashSet<>(partitions.values()).size() > 1, "all keys went to one partition");
        for (var record : kit.poll(kit.reader(topic, 8), 80)) {
            Check.equal(partitions.get(Kit.text(record.key())), record.partition(), "partition");
        }
    }

    private static void autoCreateTopic(Kit kit) throws Exception {
        String topic = kit.unique("auto");
        kit.producer().send(new ProducerRecord<>(topic, Kit.bytes("1"))).get();
        Check.equal(List.of(1), Kit.valuesOf(kit.poll(kit.reader(topic, 1), 1)), "values");
        int partitions = kit.admin().describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
        Check.equal(1, partitions, "partitions of the created topic");
        // A consumer creates as well, unless it is told not to.
        String wished = kit.unique("auto-consumer");
        Consumer<byte[], byte[]> consumer = kit.reader(wished, 1, "allow.auto.create.topics", "true");
        Check.eventually("the consumer's topic", () -> {
            consumer.poll(Duration.ofMillis(50));
            return kit.admin().listTopics().names().get().contains(wished);
        });
    }

    private static void longPoll(Kit kit) throws Exception {
        String topic = kit.createTopic("long-poll", 1);
        // The wait is longer than the scenario allows: only a fetch that wakes up early passes.
        Consumer<byte[], byte[]> consumer = kit.reader(topic, 1, "fetch.max.wait.ms", "60000", "request.timeout.ms", "90000");
        Check.equal(0, consumer.poll(Duration.ofMillis(700)).count(), "records of an empty topic");
        kit.produceNumbers(topic, 1, 0, 1);
        Check.equal(List.of(0), Kit.valuesOf(kit.poll(consumer, 1)), "values");
    }

    private static void emptyTopic(Kit kit) throws Exception {
        String topic = kit.createTopic("empty", 2);
        Consumer<byte[], byte[]> consumer = kit.reader(topic, 2);
        Check.equal(0, consumer.poll(Duration.ofMillis(700)).count(), "records");
        List<TopicPartition> partitions = Kit.partitionsOf(topic, 2);
        Map<TopicPartition, Long> zero = Map.of(partitions.get(0), 0L, partitions.get(1), 0L);
        Check.equal(zero, consumer.beginningOffsets(partitions), "beginning offsets");
        Check.equal(zero, consumer.endOffsets(partitions), "end offsets");
        Set<Object> found = new HashSet<>(consumer.offsetsForTimes(Map.of(partitions.get(0), 0L)).values());
        found.remove(null);
        Check.equal(Set.of(), found, "offsets for times");
        Check.equal(0L, consumer.position(partitions.get(0)), "position");
    }

    private static void logAppendTime(Kit kit) throws Exception {
        String topic = kit.createTopic("append-time", 1, "message.timestamp.type", "LogAppendTime");
        long before = System.currentTimeMillis();
        RecordMetadata answer = kit.producer("compression.type", "lz4")
            .send(new ProducerRecord<>(topic, 0, 1_000L, null, Kit.bytes("1"))).get();
        ConsumerRecord<byte[], byte[]> record = kit.poll(kit.reader(topic, 1), 1).get(0);
        Check.equal(TimestampType.LOG_APPEND_TIME, record.timestampType(), "timestamp type");
        Check.that(record.timestamp() >= before && record.timestamp() <= System.currentTimeMillis(), "not the broker's time");
        Check.equal(record.timestamp(), answer.timestamp(), "acknowledged timestamp");
    }

    private static void compactedTopicNeedsKeys(Kit kit) throws Exception {
        String topic = kit.createTopic("compacted", 1, "cleanup.policy", "compact");
        Producer<byte[], byte[]> producer = kit.producer();
        Check.fails(InvalidRecordException.class, () -> producer.send(new ProducerRecord<>(topic, Kit.bytes("1"))).get());
        producer.send(new ProducerRecord<>(topic, Kit.bytes("k"), Kit.bytes("2"))).get();
        Check.equal(List.of(2), Kit.valuesOf(kit.poll(kit.reader(topic, 1), 1)), "values");
    }

    private RecordScenarios() { }
}
