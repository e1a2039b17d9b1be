import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;

/** Members sharing topics by the classic protocol. All members of a scenario are polled in turn by one thread. */
final class GroupScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("group-rebalance", GroupScenarios::groupRebalance);
        all.put("cooperative-sticky", GroupScenarios::cooperativeSticky);
        all.put("static-membership", GroupScenarios::staticMembership);
        all.put("pattern-subscription", GroupScenarios::patternSubscription);
    }

    /** A member that remembers what it was given, what was taken, and which records came. */
    static final class Member implements ConsumerRebalanceListener {
        final Consumer<byte[], byte[]> consumer;
        final List<Set<TopicPartition>> assigned = new ArrayList<>();
        final List<Set<TopicPartition>> revoked = new ArrayList<>();
        final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();

        Member(Consumer<byte[], byte[]> consumer) {
            this.consumer = consumer;
        }

        static Member of(Kit kit, String topic, String... settings) {
            Member member = new Member(kit.consumer(settings));
            member.consumer.subscribe(List.of(topic), member);
            return member;
        }

        Set<TopicPartition> partitions() {
            return consumer.assignment();
        }

        void poll() {
            for (var record : consumer.poll(Duration.ofMillis(20))) {
                Check.that(partitions().contains(new TopicPartition(record.topic(), record.partition())),
                    "a record of a partition the member does not own");
                records.add(record);
            }
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            assigned.add(Set.copyOf(partitions));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            revoked.add(Set.copyOf(partitions));
        }
    }

    /** Polls until every member owns `share` partitions, none of them twice. */
    static void settle(List<Member> members, int share) throws Exception {
        Check.eventually(share + " partitions for each of " + members.size() + " members", () -> {
            members.forEach(Member::poll);
            Set<TopicPartition> union = new HashSet<>();
            members.forEach(member -> union.addAll(member.partitions()));
            return union.size() == share * members.size()
                && members.stream().allMatch(member -> member.partitions().size() == share);
        });
    }

    static void delivered(List<Member> members, int from, int to) throws Exception {
        Set<Integer> missing = new HashSet<>(Kit.range(from, to));
        Check.eventually("records " + from + " to " + to, () -> {
            members.forEach(Member::poll);
            members.forEach(member -> missing.removeAll(Set.copyOf(Kit.valuesOf(member.records))));
            return missing.isEmpty();
        });
    }

    private static void groupRebalance(Kit kit) throws Exception {
        String topic = kit.createTopic("rebalance", 6);
        String group = kit.unique("rebalance");
        List<Member> members = new ArrayList<>();
        for (int index = 0; index < 3; index++) members.add(Member.of(kit, topic, "group.id", group));
        settle(members, 2);
        kit.produceNumbers(topic, 6, 0, 60);
        delivered(members, 0, 60);
        int total = members.stream().mapToInt(member -> member.records.size()).sum();
        Check.equal(60, total, "records in all, each once");
        for (Member member : members) member.consumer.commitSync();

        Member leaver = members.remove(0);
        leaver.consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
        settle(members, 3);
        members.forEach(member -> member.records.clear());
        kit.produceNumbers(topic, 6, 60, 120);
        delivered(members, 60, 120);
        for (Member member : members) {
            Check.that(Kit.valuesOf(member.records).stream().allMatch(value -> value >= 60), "a committed record again");
        }
        members.add(Member.of(kit, topic, "group.id", group));
        settle(members, 2);
    }

    private static void cooperativeSticky(Kit kit) throws Exception {
        String topic = kit.createTopic("cooperative", 6);
        String[] settings = {"group.id", kit.unique("cooperative"), "partition.assignment.strategy",
            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"};
        Member first = Member.of(kit, topic, settings);
        settle(List.of(first), 6);
        Member second = Member.of(kit, topic, settings);
        settle(List.of(first, second), 3);
        Set<TopicPartition> taken = new HashSet<>();
        first.revoked.forEach(taken::addAll);
        Check.equal(3, taken.size(), "partitions taken from the first member");
        Check.equal(taken, Set.copyOf(second.partitions()), "partitions of the second member");
        kit.produceNumbers(topic, 6, 0, 60);
        delivered(List.of(first, second), 0, 60);
    }

    private static void staticMembership(Kit kit) throws Exception {
        String topic = kit.createTopic("static", 4);
        String group = kit.unique("static");
        String[] a = {"group.id", group, "group.instance.id", "a"};
        String[] b = {"group.id", group, "group.instance.id", "b"};
        Member first = Member.of(kit, topic, a);
        Member second = Member.of(kit, topic, b);
        settle(List.of(first, second), 2);
        Set<TopicPartition> owned = Set.copyOf(first.partitions());
        int assignments = second.assigned.size();
        first.consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
        Member again = Member.of(kit, topic, a);
        settle(List.of(again, second), 2);
        Check.equal(owned, again.partitions(), "partitions of the returning member");
        Check.equal(assignments, second.assigned.size(), "assignments of the other member");

        Member usurper = Member.of(kit, topic, b);
        Check.eventually("the usurper is in", () -> {
            usurper.poll();
            again.poll();
            return usurper.partitions().size() == 2;
        });
        Check.fails(FencedInstanceIdException.class, () -> {
            Check.eventually("never", () -> {
                second.poll();
                return false;
            });
            return null;
        });

        again.consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
        usurper.consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
        var leaving = List.of(new MemberToRemove("a"), new MemberToRemove("b"));
        kit.admin().removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(leaving)).all().get();
        GroupState state = kit.admin().describeConsumerGroups(List.of(group)).all().get().get(group).groupState();
        Check.equal(GroupState.EMPTY, state, "state of the group without its members");
    }

    private static void patternSubscription(Kit kit) throws Exception {
        String stem = kit.unique("pattern");
        List<String> topics = List.of(kit.createTopic(stem + "-a", 1), kit.createTopic(stem + "-b", 1));
        kit.createTopic("other-" + stem, 1);
        Member member = new Member(kit.consumer("group.id", kit.unique("pattern"), "metadata.max.age.ms", "300"));
        member.consumer.subscribe(Pattern.compile("java-" + stem + "-.*"), member);
        Check.eventually("both topics", () -> {
            member.poll();
            return member.partitions().size() == 2;
        });
        Check.equal(Set.of(new TopicPartition(topics.get(0), 0), new TopicPartition(topics.get(1), 0)),
            member.partitions(), "partitions");
        // A topic that comes later belongs to the pattern as well.
        String late = kit.createTopic(stem + "-c", 1);
        kit.produceNumbers(late, 1, 0, 5);
        delivered(List.of(member), 0, 5);
    }

    private GroupScenarios() { }
}
