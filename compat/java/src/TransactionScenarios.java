import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/** Transactions as producers and consumers see them; the client speaks whichever protocol the broker's features allow. */
final class TransactionScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("transaction-commit", TransactionScenarios::commit);
        all.put("transaction-abort", TransactionScenarios::abort);
        all.put("transaction-offsets", TransactionScenarios::offsets);
        all.put("transaction-fencing", TransactionScenarios::fencing);
        all.put("transaction-timeout", TransactionScenarios::timeout);
        all.put("transaction-interleaved", TransactionScenarios::interleaved);
        all.put("transaction-many-partitions", TransactionScenarios::manyPartitions);
        all.put("transaction-empty", TransactionScenarios::empty);
        all.put("transaction-restart-epoch", TransactionScenarios::restartEpoch);
    }

    /** A producer of this name, past initTransactions. */
    static Producer<byte[], byte[]> transactional(Kit kit, String id, String... settings) {
        List<String> all = new ArrayList<>(List.of("transactional.id", id));
        all.addAll(List.of(settings));
        Producer<byte[], byte[]> producer = kit.producer(all.toArray(String[]::new));
        producer.initTransactions();
        return producer;
    }

    /** Produces the values "from" to "to" - 1 and waits for them, the transaction left open. */
    static void send(Producer<byte[], byte[]> producer, String topic, int partitions, int from, int to) {
        for (int number = from; number < to; number++) {
            producer.send(new ProducerRecord<>(topic, number % partitions, null, Kit.bytes("" + number)));
        }
        producer.flush();
    }

    static void sendTransaction(Producer<byte[], byte[]> producer, String topic, int from, int to) {
        producer.beginTransaction();
        send(producer, topic, 1, from, to);
        producer.commitTransaction();
    }

    private static Consumer<byte[], byte[]> committedReader(Kit kit, String topic, int partitions) {
        return kit.reader(topic, partitions, "isolation.level", "read_committed");
    }

    static Set<Integer> uncommitted(Kit kit, String topic, int partitions, int count) throws Exception {
        return new HashSet<>(Kit.valuesOf(kit.poll(kit.reader(topic, partitions), count)));
    }

    static void nothingComes(Consumer<byte[], byte[]> consumer) {
        Check.equal(0, consumer.poll(Duration.ofMillis(400)).count(), "records that a read_committed consumer got");
    }

    /** What a read_committed consumer takes for the end: the last stable offset. */
    static long stableEnd(Kit kit, String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        return committedReader(kit, topic, 1).endOffsets(List.of(partition)).get(partition);
    }

    private static long end(Kit kit, String topic) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        return kit.admin().listOffsets(Map.of(partition, OffsetSpec.latest())).partitionResult(partition).get().offset();
    }

    private static TransactionDescription describe(Kit kit, String id) throws Exception {
        return kit.admin().describeTransactions(List.of(id)).description(id).get();
    }

    private static void commit(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-commit", 2);
        Consumer<byte[], byte[]> committed = committedReader(kit, topic, 2);
        Producer<byte[], byte[]> producer = transactional(kit, kit.unique("commit"));
        producer.beginTransaction();
        send(producer, topic, 2, 0, 10);
        Check.equal(Set.copyOf(Kit.range(0, 10)), uncommitted(kit, topic, 2, 10), "values before the commit");
        nothingComes(committed);
        Check.equal(0L, stableEnd(kit, topic), "last stable offset before the commit");
        Check.equal(5L, end(kit, topic), "high watermark before the commit");
        producer.commitTransaction();
        Check.equal(Set.copyOf(Kit.range(0, 10)), new HashSet<>(Kit.valuesOf(kit.poll(committed, 10))), "values");
        // The marker is a record too.
        Check.equal(6L, stableEnd(kit, topic), "last stable offset after the commit");
        Check.equal(6L, end(kit, topic), "high watermark after the commit");
    }

    private static void abort(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-abort", 1);
        Producer<byte[], byte[]> producer = transactional(kit, kit.unique("abort"));
        sendTransaction(producer, topic, 0, 5);
        producer.beginTransaction();
        send(producer, topic, 1, 5, 10);
        producer.abortTransaction();
        sendTransaction(producer, topic, 10, 15);
        List<Integer> expected = new ArrayList<>(Kit.range(0, 5));
        expected.addAll(Kit.range(10, 15));
        Check.equal(expected, Kit.valuesOf(kit.poll(committedReader(kit, topic, 1), 10)), "committed values");
        Check.equal(Set.copyOf(Kit.range(0, 15)), uncommitted(kit, topic, 1, 15), "values of all transactions");
        // Records that were never sent are dropped with their transaction too.
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, Kit.bytes("never")));
        producer.abortTransaction();
        sendTransaction(producer, topic, 15, 16);
        Consumer<byte[], byte[]> later = committedReader(kit, topic, 1);
        Check.equal(15, Kit.valuesOf(kit.poll(later, 11)).get(10), "the value after a second abort");
    }

    private static void offsets(Kit kit) throws Exception {
        String input = kit.createTopic("transaction-input", 1);
        String output = kit.createTopic("transaction-output", 1);
        String group = kit.unique("transaction-offsets");
        kit.produceNumbers(input, 1, 0, 10);
        Consumer<byte[], byte[]> consumer = kit.consumer("group.id", group, "isolation.level", "read_committed");
        consumer.subscribe(List.of(input));
        kit.poll(consumer, 10);
        TopicPartition partition = new TopicPartition(input, 0);
        Producer<byte[], byte[]> producer = transactional(kit, kit.unique("offsets"));

        producer.beginTransaction();
        send(producer, output, 1, 0, 5);
        producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(5)), consumer.groupMetadata());
        Check.equal(Map.of(), kit.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get(),
            "offsets before the commit");
        producer.commitTransaction();
        Check.eventually("the offset comes with the commit", () -> committedOffset(kit, group, partition) == 5);
        // Whoever waits for stable offsets sees the same.
        Check.equal(5L, consumer.committed(Set.of(partition)).get(partition).offset(), "stable offset");

        producer.beginTransaction();
        producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(9)), consumer.groupMetadata());
        producer.abortTransaction();
        Check.equal(5L, consumer.committed(Set.of(partition)).get(partition).offset(), "offset after the abort");

        // Offsets are those of a member; whoever is one no more may not commit them.
        ConsumerGroupMetadata left = consumer.groupMetadata();
        consumer.unsubscribe();
        producer.beginTransaction();
        Check.fails(CommitFailedException.class, () -> {
            producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(7)), left);
            return null;
        });
        producer.abortTransaction();
        Check.equal(5L, committedOffset(kit, group, partition), "offset after the stranger");
    }

    private static long committedOffset(Kit kit, String group, TopicPartition partition) throws Exception {
        var offset = kit.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition);
        return offset == null ? -1 : offset.offset();
    }

    private static void fencing(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-fencing", 1);
        String id = kit.unique("fencing");
        Producer<byte[], byte[]> zombie = transactional(kit, id);
        sendTransaction(zombie, topic, 0, 1);
        zombie.beginTransaction();
        send(zombie, topic, 1, 1, 5);
        Producer<byte[], byte[]> successor = transactional(kit, id);
        // Its transaction is aborted; it can end it no more.
        Check.fails(ProducerFencedException.class, () -> {
            zombie.commitTransaction();
            return null;
        });
        sendTransaction(successor, topic, 5, 6);
        Check.equal(List.of(0, 5), Kit.valuesOf(kit.poll(committedReader(kit, topic, 1), 2)), "committed values");

        Producer<byte[], byte[]> third = transactional(kit, id);
        successor.beginTransaction();
        // A fenced producer can write no more either, whichever request hears it first.
        Exception refusal = Check.fails(KafkaException.class, () -> {
            successor.send(new ProducerRecord<>(topic, Kit.bytes("6"))).get();
            successor.commitTransaction();
            return null;
        });
        Check.that(refusal instanceof ProducerFencedException || refusal instanceof InvalidProducerEpochException,
            "a fenced producer heard " + refusal);
        sendTransaction(third, topic, 7, 8);
        Check.equal(List.of(0, 5, 7), Kit.valuesOf(kit.poll(committedReader(kit, topic, 1), 3)), "committed values");
    }

    private static void timeout(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-timeout", 1);
        String id = kit.unique("timeout");
        Producer<byte[], byte[]> gone = transactional(kit, id, "transaction.timeout.ms", "1000");
        int epoch = describe(kit, id).producerEpoch();
        gone.beginTransaction();
        send(gone, topic, 1, 0, 3);
        // What comes after it has to wait for it.
        sendTransaction(transactional(kit, kit.unique("timeout-other")), topic, 10, 11);
        Check.equal(0L, stableEnd(kit, topic), "last stable offset while the transaction is open");
        Check.equal(List.of(10), Kit.valuesOf(kit.poll(committedReader(kit, topic, 1), 1)), "committed values");
        Check.equal(6L, stableEnd(kit, topic), "last stable offset after the timeout");
        Check.that(describe(kit, id).producerEpoch() > epoch, "the epoch of a producer that timed out stays");
        Check.fails(KafkaException.class, () -> {
            gone.commitTransaction();
            return null;
        });
        sendTransaction(transactional(kit, id), topic, 20, 21);
        Check.equal(List.of(10, 20), Kit.valuesOf(kit.poll(committedReader(kit, topic, 1), 2)), "committed values");
        Check.fails(KafkaException.class, () -> transactional(kit, id, "transaction.timeout.ms", "1000000000"));
    }

    private static void interleaved(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-interleaved", 1);
        Producer<byte[], byte[]> one = transactional(kit, kit.unique("one"));
        Producer<byte[], byte[]> other = transactional(kit, kit.unique("other"));
        Consumer<byte[], byte[]> committed = committedReader(kit, topic, 1);
        one.beginTransaction();
        other.beginTransaction();
        send(one, topic, 1, 0, 1);
        send(other, topic, 1, 1, 2);
        kit.produceNumbers(topic, 1, 2, 3);
        send(one, topic, 1, 3, 4);
        send(other, topic, 1, 4, 5);
        other.commitTransaction();
        nothingComes(committed);
        Check.equal(0L, stableEnd(kit, topic), "last stable offset while the first transaction is open");
        one.abortTransaction();
        Check.equal(List.of(1, 2, 4), Kit.valuesOf(kit.poll(committed, 3)), "committed values");

        one.beginTransaction();
        other.beginTransaction();
        send(one, topic, 1, 10, 11);
        send(other, topic, 1, 11, 12);
        one.commitTransaction();
        Check.equal(List.of(10), Kit.valuesOf(kit.poll(committed, 1)), "values up to the open transaction");
        nothingComes(committed);
        other.abortTransaction();
        sendTransaction(one, topic, 12, 13);
        Check.equal(List.of(12), Kit.valuesOf(kit.poll(committed, 1)), "values after it");
    }

    private static void manyPartitions(Kit kit) throws Exception {
        int partitions = 50;
        String topic = kit.createTopic("transaction-many", partitions);
        Producer<byte[], byte[]> producer = transactional(kit, kit.unique("many"));
        Map<TopicPartition, Long> ends = new HashMap<>();
        for (int round = 0; round < 4; round++) {
            producer.beginTransaction();
            send(producer, topic, partitions, round * 100, round * 100 + 100);
            if (round % 2 == 0) producer.commitTransaction();
            else producer.abortTransaction();
        }
        Kit.partitionsOf(topic, partitions).forEach(partition -> ends.put(partition, 12L));
        Consumer<byte[], byte[]> committed = committedReader(kit, topic, partitions);
        Set<Integer> expected = new HashSet<>(Kit.range(0, 100));
        expected.addAll(Kit.range(200, 300));
        Check.equal(expected, new HashSet<>(Kit.valuesOf(kit.poll(committed, 200))), "committed values");
        Check.eventually("markers in every partition",
            () -> committed.endOffsets(Kit.partitionsOf(topic, partitions)).equals(ends));
    }

    private static void empty(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-empty", 1);
        Producer<byte[], byte[]> producer = transactional(kit, kit.unique("empty"));
        for (int round = 0; round < 3; round++) {
            producer.beginTransaction();
            producer.commitTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
        }
        Check.equal(0L, end(kit, topic), "end of a topic in no transaction");
        sendTransaction(producer, topic, 0, 1);
        producer.beginTransaction();
        producer.commitTransaction();
        Check.equal(List.of(0), Kit.valuesOf(kit.poll(committedReader(kit, topic, 1), 1)), "committed values");
    }

    private static void restartEpoch(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-restart", 1);
        String id = kit.unique("restart");
        TransactionDescription last = null;
        for (int round = 0; round < 4; round++) {
            Producer<byte[], byte[]> producer = transactional(kit, id);
            TransactionDescription now = describe(kit, id);
            if (last != null) {
                Check.equal(last.producerId(), now.producerId(), "producer id of the name");
                Check.that(now.producerEpoch() > last.producerEpoch(), "the epoch stays " + now.producerEpoch());
            }
            last = now;
            sendTransaction(producer, topic, round * 10, round * 10 + 1);
            producer.beginTransaction();
            send(producer, topic, 1, round * 10 + 1, round * 10 + 3);
            // Leaves its transaction open; the next one of its name aborts it.
            producer.close(Duration.ZERO);
        }
        transactional(kit, id);
        Consumer<byte[], byte[]> committed = committedReader(kit, topic, 1);
        Check.equal(List.of(0, 10, 20, 30), Kit.valuesOf(kit.poll(committed, 4)), "committed values");
        nothingComes(committed);
        Check.equal(20L, stableEnd(kit, topic), "last stable offset");
    }

    private TransactionScenarios() { }
}
