import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;

/** Members of share groups (KIP-932): they divide records, not partitions. All members of a scenario are polled in turn by one thread. */
final class ShareScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("share-implicit", ShareScenarios::shareImplicit);
        all.put("share-explicit", ShareScenarios::shareExplicit);
        all.put("share-latest", ShareScenarios::shareLatest);
        all.put("share-lock-timeout", ShareScenarios::shareLockTimeout);
        all.put("share-renew", ShareScenarios::shareRenew);
        all.put("share-delivery-limit", ShareScenarios::shareDeliveryLimit);
        all.put("share-record-limit", ShareScenarios::shareRecordLimit);
        all.put("share-members", ShareScenarios::shareMembers);
        all.put("share-leave", ShareScenarios::shareLeave);
        all.put("admin-share-groups", ShareScenarios::adminShareGroups);
        all.put("admin-share-offsets", ShareScenarios::adminShareOffsets);
    }

    private static final String[] EXPLICIT = {"share.acknowledgement.mode", "explicit"};

    private static ShareConsumer<byte[], byte[]> member(Kit kit, String group, String topic, String... settings) {
        ShareConsumer<byte[], byte[]> consumer = kit.shareConsumer(group, settings);
        consumer.subscribe(List.of(topic));
        return consumer;
    }

    /** A group that starts at the beginning, with settings of its own. */
    private static String group(Kit kit, String label, String... configs) throws Exception {
        String group = kit.unique(label);
        Map<String, String> entries = new TreeMap<>(Map.of("share.auto.offset.reset", "earliest"));
        for (int index = 0; index < configs.length; index += 2) entries.put(configs[index], configs[index + 1]);
        Collection<AlterConfigOp> operations = entries.entrySet().stream()
            .map(entry -> new AlterConfigOp(new ConfigEntry(entry.getKey(), entry.getValue()), AlterConfigOp.OpType.SET))
            .toList();
        kit.admin().incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, group), operations))
            .all().get();
        return group;
    }

    /** Polls once until something comes. */
    private static List<ConsumerRecord<byte[], byte[]>> next(ShareConsumer<byte[], byte[]> consumer) throws Exception {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        Check.eventually("records", () -> {
            consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            return !records.isEmpty();
        });
        return records;
    }

    /** Polls until `count` records have come. */
    private static List<ConsumerRecord<byte[], byte[]>> poll(ShareConsumer<byte[], byte[]> consumer, int count) throws Exception {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        // The first share group of a broker has its coordinators made, and its members are heard of every five seconds.
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (records.size() < count) {
            consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            Check.that(System.nanoTime() < deadline, "only " + records.size() + " of " + count + " records within 60 s");
        }
        return records;
    }

    private static List<Integer> sorted(List<ConsumerRecord<byte[], byte[]>> records) {
        return Kit.valuesOf(records).stream().sorted().toList();
    }

    private static Set<Short> deliveries(List<ConsumerRecord<byte[], byte[]>> records) {
        return records.stream().map(record -> record.deliveryCount().orElseThrow()).collect(Collectors.toSet());
    }

    /** What was accepted is on disk. */
    private static void commit(ShareConsumer<byte[], byte[]> consumer) {
        consumer.commitSync().forEach((partition, error) -> Check.equal(Optional.empty(), error, "commit of " + partition));
    }

    private static void nothing(ShareConsumer<byte[], byte[]> consumer) {
        for (int index = 0; index < 3; index++) {
            Check.equal(0, consumer.poll(Duration.ofMillis(200)).count(), "records that nobody should get");
        }
    }

    private static void shareImplicit(Kit kit) throws Exception {
        String topic = kit.createTopic("share-implicit", 2);
        String group = group(kit, "share-implicit");
        kit.produceNumbers(topic, 2, 0, 100);
        ShareConsumer<byte[], byte[]> first = member(kit, group, topic);
        List<ConsumerRecord<byte[], byte[]>> records = poll(first, 100);
        Check.equal(Kit.range(0, 100), sorted(records), "values");
        Check.equal(Set.of((short) 1), deliveries(records), "delivery counts");
        // The next poll, or a commit, says that what was polled before is done with.
        commit(first);
        first.close();
        ShareConsumer<byte[], byte[]> second = member(kit, group, topic);
        kit.produceNumbers(topic, 2, 100, 120);
        Check.equal(Kit.range(100, 120), sorted(poll(second, 20)), "values after those that are done with");
        commit(second);
        nothing(second);
    }

    private static void shareExplicit(Kit kit) throws Exception {
        String topic = kit.createTopic("share-explicit", 1);
        String group = group(kit, "share-explicit");
        kit.produceNumbers(topic, 1, 0, 10);
        ShareConsumer<byte[], byte[]> consumer = member(kit, group, topic, EXPLICIT);
        for (var record : poll(consumer, 10)) {
            int value = Integer.parseInt(Kit.text(record.value()));
            consumer.acknowledge(record,
                value % 3 == 0 ? AcknowledgeType.ACCEPT : value % 3 == 1 ? AcknowledgeType.RELEASE : AcknowledgeType.REJECT);
        }
        commit(consumer);
        List<ConsumerRecord<byte[], byte[]>> again = poll(consumer, 3);
        Check.equal(List.of(1, 4, 7), sorted(again), "what was released");
        Check.equal(Set.of((short) 2), deliveries(again), "delivery counts of what was released");
        Check.fails(IllegalStateException.class, () -> consumer.poll(Duration.ofMillis(100)));
        for (var record : again) consumer.acknowledge(record);
        commit(consumer);
        nothing(consumer);
    }

    private static void shareLatest(Kit kit) throws Exception {
        String topic = kit.createTopic("share-latest", 1);
        String group = kit.unique("share-latest");
        kit.produceNumbers(topic, 1, 0, 10);
        ShareConsumer<byte[], byte[]> consumer = member(kit, group, topic);
        // When the group has begun to read nobody is told: produce until it is heard of.
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        int[] next = {10};
        Check.eventually("a record", () -> {
            kit.produceNumbers(topic, 1, next[0], next[0] + 1);
            next[0]++;
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            return !records.isEmpty();
        });
        Check.that(Kit.valuesOf(records).get(0) >= 10, "a record from before the group began");
    }

    private static void shareLockTimeout(Kit kit) throws Exception {
        String topic = kit.createTopic("share-lock", 1);
        String group = group(kit, "share-lock", "share.record.lock.duration.ms", "1000");
        kit.produceNumbers(topic, 1, 0, 5);
        ShareConsumer<byte[], byte[]> slow = member(kit, group, topic, EXPLICIT);
        List<ConsumerRecord<byte[], byte[]>> held = poll(slow, 5);
        Check.equal(Optional.of(1000), slow.acquisitionLockTimeoutMs(), "lock timeout");
        ShareConsumer<byte[], byte[]> other = member(kit, group, topic, EXPLICIT);
        List<ConsumerRecord<byte[], byte[]>> again = poll(other, 5);
        Check.equal(Kit.range(0, 5), sorted(again), "what was held for too long");
        Check.equal(Set.of((short) 2), deliveries(again), "delivery counts");
        for (var record : held) slow.acknowledge(record);
        slow.commitSync().forEach((partition, error) -> Check.that(error.isPresent(), "what somebody else held was settled"));
        for (var record : again) other.acknowledge(record);
        commit(other);
    }

    private static void shareRenew(Kit kit) throws Exception {
        String topic = kit.createTopic("share-renew", 1);
        String group = group(kit, "share-renew", "share.record.lock.duration.ms", "2000");
        kit.produceNumbers(topic, 1, 0, 3);
        ShareConsumer<byte[], byte[]> holder = member(kit, group, topic, EXPLICIT);
        ShareConsumer<byte[], byte[]> other = member(kit, group, topic, EXPLICIT);
        List<ConsumerRecord<byte[], byte[]>> held = poll(holder, 3);
        for (int round = 0; round < 5; round++) {
            for (var record : held) holder.acknowledge(record, AcknowledgeType.RENEW);
            commit(holder);
            Check.equal(0, other.poll(Duration.ofMillis(700)).count(), "records whose lock was renewed");
            // Renewed records are the member's own as before.
            holder.poll(Duration.ofMillis(10));
        }
        for (var record : held) holder.acknowledge(record, AcknowledgeType.ACCEPT);
        commit(holder);
        Check.equal(0, other.poll(Duration.ofMillis(2500)).count(), "records that are done with");
    }

    private static void shareDeliveryLimit(Kit kit) throws Exception {
        String topic = kit.createTopic("share-limit", 1);
        String group = group(kit, "share-limit", "share.delivery.count.limit", "3");
        kit.produceNumbers(topic, 1, 0, 4);
        ShareConsumer<byte[], byte[]> consumer = member(kit, group, topic, EXPLICIT);
        for (short delivery = 1; delivery <= 3; delivery++) {
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            short expected = delivery;
            Check.eventually("delivery " + delivery, () -> {
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    Check.equal(Optional.of(expected), record.deliveryCount(), "delivery count of " + record.offset());
                    consumer.acknowledge(record, AcknowledgeType.RELEASE);
                    records.add(record);
                }
                if (!records.isEmpty()) commit(consumer);
                return records.size() == 4;
            });
        }
        nothing(consumer);
    }

    private static void shareRecordLimit(Kit kit) throws Exception {
        String topic = kit.createTopic("share-records", 1);
        String group = group(kit, "share-records");
        kit.produceNumbers(topic, 1, 0, 30);
        ShareConsumer<byte[], byte[]> few = member(kit, group, topic, "share.acknowledgement.mode", "explicit",
            "share.acquire.mode", "record_limit", "max.poll.records", "4");
        List<ConsumerRecord<byte[], byte[]>> records = next(few);
        Check.equal(Kit.range(0, 4), Kit.valuesOf(records), "values");
        ShareConsumer<byte[], byte[]> rest = member(kit, group, topic);
        Check.equal(Kit.range(4, 30), sorted(poll(rest, 26)), "what nobody held");
        for (var record : records) few.acknowledge(record);
        commit(few);
    }

    private static void shareMembers(Kit kit) throws Exception {
        String topic = kit.createTopic("share-members", 2);
        String group = group(kit, "share-members");
        List<ShareConsumer<byte[], byte[]>> members = new ArrayList<>();
        for (int index = 0; index < 3; index++) members.add(member(kit, group, topic, "max.poll.records", "10"));
        List<Integer> values = new ArrayList<>();
        int[] counts = new int[3];
        for (int round = 0; round < 30; round++) {
            kit.produceNumbers(topic, 2, round * 20, round * 20 + 20);
            for (int index = 0; index < 3; index++) {
                for (var record : members.get(index).poll(Duration.ofMillis(20))) {
                    values.add(Integer.parseInt(Kit.text(record.value())));
                    counts[index]++;
                }
            }
        }
        Check.eventually("600 records", () -> {
            for (var member : members) values.addAll(Kit.valuesOf(listOf(member.poll(Duration.ofMillis(50)))));
            return values.size() >= 600;
        });
        Check.equal(Kit.range(0, 600), values.stream().sorted().toList(), "values, each once");
    }

    private static List<ConsumerRecord<byte[], byte[]>> listOf(Iterable<ConsumerRecord<byte[], byte[]>> records) {
        List<ConsumerRecord<byte[], byte[]>> list = new ArrayList<>();
        records.forEach(list::add);
        return list;
    }

    /** What a member holds that leaves is free again at once. */
    private static void shareLeave(Kit kit) throws Exception {
        String topic = kit.createTopic("share-leave", 1);
        String group = group(kit, "share-leave");
        kit.produceNumbers(topic, 1, 0, 6);
        ShareConsumer<byte[], byte[]> leaver = member(kit, group, topic, EXPLICIT);
        List<ConsumerRecord<byte[], byte[]>> held = poll(leaver, 6);
        for (var record : held.subList(0, 2)) leaver.acknowledge(record);
        leaver.close();
        ShareConsumer<byte[], byte[]> other = member(kit, group, topic);
        List<ConsumerRecord<byte[], byte[]>> rest = poll(other, 4);
        Check.equal(Kit.range(2, 6), sorted(rest), "values");
        Check.equal(Set.of((short) 2), deliveries(rest), "delivery counts");
    }

    private static Optional<GroupListing> listed(Admin admin, String group, ListGroupsOptions options) throws Exception {
        return admin.listGroups(options).all().get().stream().filter(listing -> listing.groupId().equals(group)).findFirst();
    }

    private static void adminShareGroups(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.createTopic("share-admin", 2);
        String group = group(kit, "share-admin");
        kit.produceNumbers(topic, 2, 0, 4);
        ShareConsumer<byte[], byte[]> consumer = member(kit, group, topic, "client.id", "sharer");
        poll(consumer, 4);
        Check.equal(new GroupListing(group, Optional.of(GroupType.SHARE), "share", Optional.of(GroupState.STABLE)),
            listed(admin, group, new ListGroupsOptions().withTypes(Set.of(GroupType.SHARE))).orElseThrow(), "listing");
        Check.that(listed(admin, group, new ListGroupsOptions().withTypes(Set.of(GroupType.CLASSIC))).isEmpty(),
            "among the classic groups");
        ShareGroupDescription description = admin.describeShareGroups(List.of(group)).all().get().get(group);
        Check.equal(GroupState.STABLE, description.groupState(), "state");
        var member = description.members().iterator().next();
        Check.equal(1, description.members().size(), "members");
        Check.equal("sharer", member.clientId(), "client id");
        Check.equal("/127.0.0.1", member.host(), "host");
        Check.equal(Set.copyOf(Kit.partitionsOf(topic, 2)), member.assignment().topicPartitions(), "assignment");
        Check.fails(GroupNotEmptyException.class, () -> admin.deleteShareGroups(List.of(group)).all().get());
        consumer.close();
        Check.eventually("no members", () ->
            admin.describeShareGroups(List.of(group)).all().get().get(group).groupState() == GroupState.EMPTY);
        admin.deleteShareGroups(List.of(group)).all().get();
        Check.that(listed(admin, group, new ListGroupsOptions()).isEmpty(), "the deleted group is listed");
        Check.fails(GroupIdNotFoundException.class, () -> admin.describeShareGroups(List.of(group)).all().get());
    }

    private static SharePartitionOffsetInfo offset(Admin admin, String group, TopicPartition partition) throws Exception {
        return admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec())).partitionsToOffsetInfo(group).get()
            .get(partition);
    }

    private static void adminShareOffsets(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.createTopic("share-offsets", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        String group = group(kit, "share-offsets");
        kit.produceNumbers(topic, 1, 0, 10);
        ShareConsumer<byte[], byte[]> consumer = member(kit, group, topic, EXPLICIT);
        for (var record : poll(consumer, 10)) {
            consumer.acknowledge(record, record.offset() < 6 ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
        }
        commit(consumer);
        Check.eventually("a lag of 4", () -> offset(admin, group, partition).lag().orElse(-1L) == 4);
        Check.fails(GroupNotEmptyException.class,
            () -> admin.alterShareGroupOffsets(group, Map.of(partition, 8L)).all().get());
        Check.fails(GroupNotEmptyException.class, () -> admin.deleteShareGroupOffsets(group, Set.of(topic)).all().get());
        consumer.close();
        Check.eventually("no members", () ->
            admin.describeShareGroups(List.of(group)).all().get().get(group).groupState() == GroupState.EMPTY);
        admin.alterShareGroupOffsets(group, Map.of(partition, 8L)).all().get();
        Check.equal(8L, offset(admin, group, partition).startOffset(), "altered offset");
        Check.equal(2L, offset(admin, group, partition).lag().orElse(-1L), "lag behind the altered offset");
        ShareConsumer<byte[], byte[]> next = member(kit, group, topic);
        Check.equal(List.of(8, 9), sorted(poll(next, 2)), "values from the altered offset on");
        next.close();
        Check.eventually("no members", () ->
            admin.describeShareGroups(List.of(group)).all().get().get(group).groupState() == GroupState.EMPTY);
        admin.deleteShareGroupOffsets(group, Set.of(topic)).all().get();
        Check.that(offset(admin, group, partition) == null, "the deleted offset is listed");
        ShareConsumer<byte[], byte[]> last = member(kit, group, topic);
        Check.equal(Kit.range(0, 10), sorted(poll(last, 10)), "values from the beginning on");
    }
}
