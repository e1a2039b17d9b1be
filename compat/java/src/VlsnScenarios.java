import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidTopicException;

/** Topics whose records are numbered by their writer, their ordered view, and what a group commits of them. odradek alone has them. */
final class VlsnScenarios {
    private static final int PARTITIONS = 12;

    static void addTo(Map<String, Main.Scenario> all) {
        all.put("vlsn-view-order", VlsnScenarios::order);
        all.put("vlsn-view-seek", VlsnScenarios::seek);
        all.put("vlsn-view-group", VlsnScenarios::group);
        all.put("vlsn-commit-strategies", VlsnScenarios::strategies);
    }

    private static String createTopic(Kit kit, String label) throws Exception {
        return kit.createTopic(label, PARTITIONS, "odradek.partitioning", "vlsn");
    }

    private static TopicPartition viewOf(String topic) {
        return new TopicPartition(topic + ".vlsn", 0);
    }

    /** Writes the VLSNs "from" to "to" - 1, each with itself as its value. */
    private static void write(Kit kit, String topic, int from, int to) throws Exception {
        Producer<byte[], byte[]> producer = kit.producer("linger.ms", "5");
        List<Future<RecordMetadata>> answers = new ArrayList<>();
        for (int vlsn = from; vlsn < to; vlsn++) {
            byte[] key = ByteBuffer.allocate(8).putLong(vlsn).array();
            answers.add(producer.send(new ProducerRecord<>(topic, vlsn % PARTITIONS, key, Kit.bytes("" + vlsn))));
        }
        for (Future<RecordMetadata> answer : answers) answer.get();
    }

    /** Records of a view in order, "from" to "to" - 1, each at the offset that is its VLSN. */
    private static void checkOrder(int from, int to, List<ConsumerRecord<byte[], byte[]>> records) {
        Check.equal(Kit.range(from, to), Kit.valuesOf(records), "values");
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Check.equal(record.offset(), ByteBuffer.wrap(record.key()).getLong(), "VLSN at its offset");
            Check.equal(0, record.partition(), "partition");
        }
    }

    private static void order(Kit kit) throws Exception {
        String topic = createTopic(kit, "vlsn-order");
        write(kit, topic, 0, 3_000);
        Consumer<byte[], byte[]> consumer = kit.consumer("group.id", kit.unique("vlsn-order"));
        consumer.subscribe(List.of(viewOf(topic).topic()));
        checkOrder(0, 3_000, kit.poll(consumer, 3_000));
        write(kit, topic, 3_000, 3_100);
        checkOrder(3_000, 3_100, kit.poll(consumer, 100));
        Check.fails(InvalidTopicException.class,
            () -> kit.producer().send(new ProducerRecord<>(viewOf(topic).topic(), 0, null, Kit.bytes("no"))).get());
    }

    private static void seek(Kit kit) throws Exception {
        String topic = createTopic(kit, "vlsn-seek");
        write(kit, topic, 0, 2_000);
        TopicPartition view = viewOf(topic);
        Consumer<byte[], byte[]> consumer = kit.consumer("max.poll.records", "100");
        consumer.assign(List.of(view));
        for (int vlsn : new int[] {1_234, 1_999, 0, 7}) {
            consumer.seek(view, vlsn);
            int to = Math.min(vlsn + 250, 2_000);
            checkOrder(vlsn, to, kit.poll(consumer, to - vlsn).subList(0, to - vlsn));
        }
        consumer.seekToBeginning(List.of(view));
        Check.equal(0L, consumer.position(view), "position at the beginning");
        consumer.seekToEnd(List.of(view));
        Check.equal(2_000L, consumer.position(view), "position at the end");
    }

    private static void group(Kit kit) throws Exception {
        for (String protocol : List.of("classic", "consumer")) {
            String topic = createTopic(kit, "vlsn-group");
            TopicPartition view = viewOf(topic);
            String[] settings = {"group.id", kit.unique("vlsn-group"), "group.protocol", protocol};
            write(kit, topic, 0, 1_000);
            Consumer<byte[], byte[]> first = kit.consumer(settings);
            first.subscribe(List.of(view.topic()));
            checkOrder(0, 1_000, kit.poll(first, 1_000));
            first.commitSync(Map.of(view, new OffsetAndMetadata(417)));
            close(first);
            Check.equal(Map.of(view, new OffsetAndMetadata(417)), committed(kit, settings[1]), "one number for all partitions");
            long end = kit.admin().listOffsets(Map.of(view, OffsetSpec.latest())).partitionResult(view).get().offset();
            Check.equal(1_000L, end, "end of the view, for the lag");
            Consumer<byte[], byte[]> second = kit.consumer(settings);
            second.subscribe(List.of(view.topic()));
            checkOrder(417, 1_000, kit.poll(second, 1_000 - 417));
        }
    }

    private static void close(Consumer<?, ?> consumer) {
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
    }

    private static Map<TopicPartition, OffsetAndMetadata> committed(Kit kit, String group) throws Exception {
        return kit.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    }

    private static Map<TopicPartition, OffsetAndMetadata> offsets(String topic, IntFunction<Integer> offsetOf) {
        return IntStream.range(0, PARTITIONS).boxed().collect(Collectors.toMap(
            partition -> new TopicPartition(topic, partition), partition -> new OffsetAndMetadata(offsetOf.apply(partition))));
    }

    /** Offsets of all partitions at the first record whose VLSN is not below `vlsn`. */
    private static List<Long> offsetsFrom(int vlsn) {
        return IntStream.range(0, PARTITIONS).mapToObj(partition -> (vlsn - partition + PARTITIONS - 1L) / PARTITIONS).toList();
    }

    /** Where a group goes on in each partition. */
    private static List<Long> toldOffsets(Kit kit, String group, String topic) {
        var told = kit.consumer("group.id", group).committed(Set.copyOf(Kit.partitionsOf(topic, PARTITIONS)));
        return Kit.partitionsOf(topic, PARTITIONS).stream().map(partition -> told.get(partition).offset()).toList();
    }

    private static long toldNumber(Kit kit, String group, String topic) {
        return kit.consumer("group.id", group).committed(Set.of(viewOf(topic))).get(viewOf(topic)).offset();
    }

    private static void strategies(Kit kit) throws Exception {
        for (String protocol : List.of("classic", "consumer")) {
            for (String strategy : List.of("vlsn", "hybrid")) commitBy(kit, protocol, strategy);
        }
    }

    /** One group whose members know nothing of its strategy: it commits, resumes, commits within transactions, and is reset by an admin. */
    private static void commitBy(Kit kit, String protocol, String strategy) throws Exception {
        String topic = createTopic(kit, strategy);
        String group = kit.unique(strategy);
        boolean isHybrid = strategy.equals("hybrid");
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("odradek.commit.strategy", strategy), AlterConfigOp.OpType.SET);
        Map<ConfigResource, Collection<AlterConfigOp>> change = Map.of(resource, List.of(set));
        kit.admin().incrementalAlterConfigs(change).all().get();
        write(kit, topic, 0, 120);

        String[] settings = {"group.id", group, "group.protocol", protocol};
        GroupScenarios.Member first = GroupScenarios.Member.of(kit, topic, settings);
        GroupScenarios.settle(List.of(first), PARTITIONS);
        GroupScenarios.delivered(List.of(first), 0, 120);
        // VLSN 54 is the first that is left open; partition 0 is ahead.
        first.consumer.commitSync(offsets(topic, partition -> partition == 0 ? 8 : partition < 6 ? 5 : 4));
        close(first.consumer);
        Check.equal(54L, toldNumber(kit, group, topic), "number");
        GroupScenarios.Member second = GroupScenarios.Member.of(kit, topic, settings);
        List<Integer> open = Kit.range(54, 120).stream().filter(vlsn -> !isHybrid || vlsn % 12 > 0 || vlsn >= 96).toList();
        GroupScenarios.delivered(List.of(second), 100, 120);
        Check.equal(open, Kit.valuesOf(second.records).stream().sorted().toList(), "values after the commit by " + strategy);
        close(second.consumer);

        Producer<byte[], byte[]> producer = TransactionScenarios.transactional(kit, kit.unique(strategy));
        ConsumerGroupMetadata anyone = kit.consumer("group.id", group).groupMetadata();
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(offsets(topic, partition -> 9), anyone);
        producer.abortTransaction();
        Check.equal(54L, toldNumber(kit, group, topic), "number after a transaction that was aborted");
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(offsets(topic, partition -> partition == 3 ? 6 : 9), anyone);
        producer.commitTransaction();
        Check.equal(75L, toldNumber(kit, group, topic), "number after a transaction that was committed");
        List<Long> after = new ArrayList<>(offsetsFrom(108));
        if (isHybrid) after.set(3, 6L);
        Check.equal(isHybrid ? after : offsetsFrom(75), toldOffsets(kit, group, topic), "offsets after it");

        // As kafka-consumer-groups --reset-offsets does, of the topic and of the view.
        kit.admin().alterConsumerGroupOffsets(group, offsets(topic, partition -> 2)).all().get();
        Check.equal(24L, toldNumber(kit, group, topic), "number after a reset of the topic");
        Check.equal(offsetsFrom(24), toldOffsets(kit, group, topic), "offsets after it");
        kit.admin().alterConsumerGroupOffsets(group, Map.of(viewOf(topic), new OffsetAndMetadata(31))).all().get();
        Check.equal(31L, toldNumber(kit, group, topic), "number after a reset of the view");
        Check.equal(offsetsFrom(31), toldOffsets(kit, group, topic), "offsets after it");
    }

    private VlsnScenarios() { }
}
