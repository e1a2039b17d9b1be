import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;

/** The admin client on transactions and producers. */
final class TransactionAdminScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("transaction-list", TransactionAdminScenarios::list);
        all.put("transaction-describe", TransactionAdminScenarios::describe);
        all.put("transaction-producers", TransactionAdminScenarios::producers);
        all.put("transaction-abort-hanging", TransactionAdminScenarios::abortHanging);
        all.put("transaction-admin-fence", TransactionAdminScenarios::fence);
    }

    private static Set<String> listed(Kit kit, String stem, ListTransactionsOptions options) throws Exception {
        return kit.admin().listTransactions(options).all().get().stream()
            .map(TransactionListing::transactionalId)
            .filter(id -> id.startsWith(stem))
            .collect(Collectors.toSet());
    }

    private static void list(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-list", 1);
        String stem = kit.unique("list");
        Producer<byte[], byte[]> ongoing = TransactionScenarios.transactional(kit, stem + "-ongoing");
        ongoing.beginTransaction();
        TransactionScenarios.send(ongoing, topic, 1, 0, 1);
        Producer<byte[], byte[]> done = TransactionScenarios.transactional(kit, stem + "-done");
        TransactionScenarios.sendTransaction(done, topic, 1, 2);
        Producer<byte[], byte[]> aborted = TransactionScenarios.transactional(kit, stem + "-aborted");
        aborted.beginTransaction();
        TransactionScenarios.send(aborted, topic, 1, 2, 3);
        aborted.abortTransaction();
        TransactionScenarios.transactional(kit, stem + "-empty");

        Set<String> all = Set.of(stem + "-ongoing", stem + "-done", stem + "-aborted", stem + "-empty");
        Check.equal(all, listed(kit, stem, new ListTransactionsOptions()), "without a filter");
        Map<TransactionState, String> byState = Map.of(
            TransactionState.ONGOING, stem + "-ongoing", TransactionState.COMPLETE_COMMIT, stem + "-done",
            TransactionState.COMPLETE_ABORT, stem + "-aborted", TransactionState.EMPTY, stem + "-empty");
        for (var entry : byState.entrySet()) {
            var filter = new ListTransactionsOptions().filterStates(Set.of(entry.getKey()));
            Check.eventually(entry.getValue() + " in state " + entry.getKey(),
                () -> listed(kit, stem, filter).equals(Set.of(entry.getValue())));
        }
        long producerId = kit.admin().describeTransactions(List.of(stem + "-done")).description(stem + "-done").get().producerId();
        Check.equal(Set.of(stem + "-done"),
            listed(kit, stem, new ListTransactionsOptions().filterProducerIds(Set.of(producerId))), "by producer id");
        Check.equal(Set.of(stem + "-ongoing", stem + "-empty"),
            listed(kit, stem, new ListTransactionsOptions().filterOnTransactionalIdPattern(stem + "-(on|emp).*")), "by pattern");
        Check.equal(Set.of(),
            listed(kit, stem, new ListTransactionsOptions().filterOnTransactionalIdPattern(stem)), "by a part of the name");
        Check.fails(InvalidRegularExpression.class,
            () -> listed(kit, stem, new ListTransactionsOptions().filterOnTransactionalIdPattern("(")));
        // Among the open ones: Apache Kafka counts a name without a transaction as one that never ends (see findings.md).
        var open = Set.of(TransactionState.ONGOING);
        Check.eventually("a transaction of 100 ms", () -> listed(kit, stem,
            new ListTransactionsOptions().filterStates(open).filterOnDuration(100)).equals(Set.of(stem + "-ongoing")));
        Check.equal(Set.of(), listed(kit, stem,
            new ListTransactionsOptions().filterStates(open).filterOnDuration(600_000)), "over ten minutes");
        ongoing.abortTransaction();
    }

    private static void describe(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-describe", 3);
        String id = kit.unique("describe");
        long before = System.currentTimeMillis();
        Producer<byte[], byte[]> producer = TransactionScenarios.transactional(kit, id, "transaction.timeout.ms", "34567");
        TransactionDescription fresh = kit.admin().describeTransactions(List.of(id)).description(id).get();
        Check.equal(TransactionState.EMPTY, fresh.state(), "state of a new name");
        Check.equal(OptionalLong.empty(), fresh.transactionStartTimeMs(), "start of no transaction");
        producer.beginTransaction();
        TransactionScenarios.send(producer, topic, 2, 0, 4);
        TransactionDescription open = kit.admin().describeTransactions(List.of(id)).description(id).get();
        Check.equal(TransactionState.ONGOING, open.state(), "state of an open transaction");
        Check.equal(34_567L, open.transactionTimeoutMs(), "timeout");
        Check.equal(Set.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1)), open.topicPartitions(), "partitions");
        Check.equal(fresh.producerId(), open.producerId(), "producer id");
        Check.equal(1, open.coordinatorId(), "coordinator");
        long start = open.transactionStartTimeMs().getAsLong();
        Check.that(start >= before && start <= System.currentTimeMillis(), "start at " + start + ", asked from " + before);
        producer.commitTransaction();
        Check.eventually("the end of the transaction", () -> {
            TransactionDescription done = kit.admin().describeTransactions(List.of(id)).description(id).get();
            return done.state() == TransactionState.COMPLETE_COMMIT && done.topicPartitions().isEmpty();
        });
        String nobody = kit.unique("nobody");
        Check.fails(TransactionalIdNotFoundException.class,
            () -> kit.admin().describeTransactions(List.of(nobody)).description(nobody).get());
    }

    private static List<ProducerState> producersOf(Kit kit, TopicPartition partition) throws Exception {
        return kit.admin().describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers();
    }

    private static void producers(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-producers", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        Check.equal(List.of(), producersOf(kit, partition), "producers of a new topic");
        kit.produceNumbers(topic, 1, 0, 4);
        ProducerState plain = producersOf(kit, partition).get(0);
        Check.equal(3, plain.lastSequence(), "last sequence");
        Check.equal(0, plain.producerEpoch(), "epoch");
        Check.equal(OptionalLong.empty(), plain.currentTransactionStartOffset(), "start of no transaction");

        String id = kit.unique("producers");
        Producer<byte[], byte[]> producer = TransactionScenarios.transactional(kit, id);
        producer.beginTransaction();
        TransactionScenarios.send(producer, topic, 1, 4, 7);
        long producerId = kit.admin().describeTransactions(List.of(id)).description(id).get().producerId();
        ProducerState open = stateOf(kit, partition, producerId);
        Check.equal(OptionalLong.of(4), open.currentTransactionStartOffset(), "start of the transaction");
        Check.equal(2, open.lastSequence(), "last sequence");
        Check.that(open.lastTimestamp() > 0, "no timestamp");
        producer.commitTransaction();
        Check.eventually("the marker", () -> stateOf(kit, partition, producerId).currentTransactionStartOffset().isEmpty());
        Check.that(stateOf(kit, partition, producerId).coordinatorEpoch().isPresent(), "no coordinator epoch");
    }

    private static ProducerState stateOf(Kit kit, TopicPartition partition, long producerId) throws Exception {
        return producersOf(kit, partition).stream().filter(state -> state.producerId() == producerId).findFirst().orElseThrow();
    }

    private static void abortHanging(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-hanging", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        String id = kit.unique("hanging");
        Producer<byte[], byte[]> producer = TransactionScenarios.transactional(kit, id);
        producer.beginTransaction();
        TransactionScenarios.send(producer, topic, 1, 0, 3);
        long producerId = kit.admin().describeTransactions(List.of(id)).description(id).get().producerId();
        ProducerState open = stateOf(kit, partition, producerId);
        Check.equal(0L, TransactionScenarios.stableEnd(kit, topic), "last stable offset");
        kit.admin().abortTransaction(new AbortTransactionSpec(partition, producerId, (short) open.producerEpoch(),
            open.coordinatorEpoch().orElse(0))).all().get();
        Check.equal(4L, TransactionScenarios.stableEnd(kit, topic), "last stable offset after the abort");
        Check.equal(OptionalLong.empty(), stateOf(kit, partition, producerId).currentTransactionStartOffset(), "open transaction");
    }

    private static void fence(Kit kit) throws Exception {
        String topic = kit.createTopic("transaction-admin-fence", 1);
        String id = kit.unique("admin-fence");
        Producer<byte[], byte[]> producer = TransactionScenarios.transactional(kit, id);
        producer.beginTransaction();
        TransactionScenarios.send(producer, topic, 1, 0, 3);
        kit.admin().fenceProducers(List.of(id)).all().get();
        Check.eventually("the abort", () -> TransactionScenarios.stableEnd(kit, topic) == 4);
        Check.fails(KafkaException.class, () -> {
            producer.send(new ProducerRecord<>(topic, Kit.bytes("zombie"))).get();
            producer.commitTransaction();
            return null;
        });
        // The same by name alone.
        Producer<byte[], byte[]> next = TransactionScenarios.transactional(kit, id);
        next.beginTransaction();
        TransactionScenarios.send(next, topic, 1, 3, 4);
        kit.admin().forceTerminateTransaction(id).result().get();
        Check.eventually("the abort", () -> TransactionScenarios.stableEnd(kit, topic) == 6);
    }

    private TransactionAdminScenarios() { }
}
