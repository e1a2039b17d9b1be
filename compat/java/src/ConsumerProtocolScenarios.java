import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidRegularExpression;

/** Members sharing topics by the consumer protocol (KIP-848), and by both at once. */
final class ConsumerProtocolScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("consumer-protocol-rebalance", ConsumerProtocolScenarios::rebalance);
        all.put("consumer-protocol-static", ConsumerProtocolScenarios::staticMembers);
        all.put("consumer-protocol-pattern", ConsumerProtocolScenarios::pattern);
        all.put("consumer-protocol-commits", ConsumerProtocolScenarios::commits);
        all.put("consumer-protocol-migration", ConsumerProtocolScenarios::migration);
        all.put("consumer-protocol-admin", ConsumerProtocolScenarios::admin);
    }

    private static GroupScenarios.Member join(Kit kit, String topic, String group, String... settings) {
        String[] all = new String[settings.length + 4];
        System.arraycopy(settings, 0, all, 4, settings.length);
        all[0] = "group.protocol";
        all[1] = "consumer";
        all[2] = "group.id";
        all[3] = group;
        return GroupScenarios.Member.of(kit, topic, all);
    }

    private static void leave(GroupScenarios.Member member) {
        member.consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
    }

    private static void rebalance(Kit kit) throws Exception {
        String topic = kit.createTopic("rebalance", 6);
        String group = kit.unique("rebalance");
        GroupScenarios.Member first = join(kit, topic, group);
        GroupScenarios.settle(List.of(first), 6);
        GroupScenarios.Member second = join(kit, topic, group);
        GroupScenarios.settle(List.of(first, second), 3);
        Set<TopicPartition> taken = new HashSet<>();
        first.revoked.forEach(taken::addAll);
        Check.equal(3, taken.size(), "partitions taken from the first member");
        Check.equal(taken, Set.copyOf(second.partitions()), "partitions of the second member");
        kit.produceNumbers(topic, 6, 0, 60);
        GroupScenarios.delivered(List.of(first, second), 0, 60);
        Check.equal(60, first.records.size() + second.records.size(), "records in all, each once");
        first.consumer.commitSync();
        leave(first);
        GroupScenarios.settle(List.of(second), 6);
    }

    private static void staticMembers(Kit kit) throws Exception {
        String topic = kit.createTopic("static", 4);
        String group = kit.unique("static");
        GroupScenarios.Member first = join(kit, topic, group, "group.instance.id", "a");
        GroupScenarios.Member second = join(kit, topic, group, "group.instance.id", "b");
        GroupScenarios.settle(List.of(first, second), 2);
        Set<TopicPartition> owned = Set.copyOf(first.partitions());
        int assignments = second.assigned.size();
        leave(first);
        GroupScenarios.Member again = join(kit, topic, group, "group.instance.id", "a");
        GroupScenarios.settle(List.of(again, second), 2);
        Check.equal(owned, again.partitions(), "partitions of the returning member");
        Check.equal(assignments, second.assigned.size(), "assignments of the other member");
    }

    private static void pattern(Kit kit) throws Exception {
        String stem = kit.unique("pattern");
        kit.createTopic(stem + "-a", 1);
        kit.createTopic("other-" + stem, 1);
        String[] settings = {"group.protocol", "consumer", "group.id", kit.unique("pattern")};
        GroupScenarios.Member member = new GroupScenarios.Member(kit.consumer(settings));
        member.consumer.subscribe(new SubscriptionPattern("java-" + stem + "-.*"), member);
        GroupScenarios.settle(List.of(member), 1);
        String late = kit.createTopic(stem + "-b", 1);
        kit.produceNumbers(late, 1, 0, 5);
        GroupScenarios.delivered(List.of(member), 0, 5);
        Check.equal(2, member.partitions().size(), "partitions");

        GroupScenarios.Member broken = new GroupScenarios.Member(
            kit.consumer("group.protocol", "consumer", "group.id", kit.unique("broken")));
        broken.consumer.subscribe(new SubscriptionPattern("(a"), broken);
        Check.fails(InvalidRegularExpression.class, () -> {
            Check.eventually("never", () -> {
                broken.poll();
                return false;
            });
            return null;
        });
    }

    private static void commits(Kit kit) throws Exception {
        String topic = kit.createTopic("commits", 2);
        String group = kit.unique("commits");
        kit.produceNumbers(topic, 2, 0, 20);
        GroupScenarios.Member first = join(kit, topic, group);
        GroupScenarios.delivered(List.of(first), 0, 20);
        first.consumer.commitSync();
        leave(first);
        kit.produceNumbers(topic, 2, 20, 30);
        GroupScenarios.Member second = join(kit, topic, group);
        GroupScenarios.delivered(List.of(second), 20, 30);
        Check.equal(10, second.records.size(), "records after the commit");
        Check.equal(10L, second.consumer.committed(Set.of(new TopicPartition(topic, 0)))
            .get(new TopicPartition(topic, 0)).offset(), "committed offset");
    }

    /** From the classic protocol to the consumer protocol one by one, and back. */
    private static void migration(Kit kit) throws Exception {
        String topic = kit.createTopic("migration", 4);
        String group = kit.unique("migration");
        GroupScenarios.Member classic = GroupScenarios.Member.of(kit, topic, "group.id", group,
            "partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        GroupScenarios.settle(List.of(classic), 4);
        GroupScenarios.Member modern = join(kit, topic, group);
        GroupScenarios.settle(List.of(classic, modern), 2);
        Check.equal(GroupType.CONSUMER, describe(kit, group).type(), "type of the group with both");
        kit.produceNumbers(topic, 4, 0, 40);
        GroupScenarios.delivered(List.of(classic, modern), 0, 40);
        classic.consumer.commitSync();
        modern.consumer.commitSync();
        leave(modern);
        GroupScenarios.settle(List.of(classic), 4);
        Check.equal(GroupType.CLASSIC, describe(kit, group).type(), "type of the group without the other");
        kit.produceNumbers(topic, 4, 40, 60);
        classic.records.clear();
        GroupScenarios.delivered(List.of(classic), 40, 60);
        Check.equal(20, classic.records.size(), "records since the commit");
    }

    private static ConsumerGroupDescription describe(Kit kit, String group) throws Exception {
        return kit.admin().describeConsumerGroups(List.of(group)).all().get().get(group);
    }

    private static void admin(Kit kit) throws Exception {
        String topic = kit.createTopic("admin", 2);
        String group = kit.unique("admin");
        GroupScenarios.Member member = join(kit, topic, group, "client.id", "member-one", "group.remote.assignor", "range");
        GroupScenarios.settle(List.of(member), 2);
        Set<GroupType> consumerType = Set.of(GroupType.CONSUMER);
        GroupListing listing = kit.admin().listGroups(new ListGroupsOptions().withTypes(consumerType)).all().get().stream()
            .filter(each -> each.groupId().equals(group)).findFirst().orElseThrow();
        Check.equal(new GroupListing(group, Optional.of(GroupType.CONSUMER), "consumer", Optional.of(GroupState.STABLE)),
            listing, "listing");
        ConsumerGroupDescription description = describe(kit, group);
        Check.equal(GroupState.STABLE, description.groupState(), "state");
        Check.equal("range", description.partitionAssignor(), "assignor");
        Check.equal(description.groupEpoch(), description.targetAssignmentEpoch(), "epochs");
        MemberDescription described = description.members().iterator().next();
        Check.equal("member-one", described.clientId(), "client id");
        Check.equal(Optional.of(true), described.upgraded(), "whether it speaks the consumer protocol");
        Check.equal(description.groupEpoch().orElseThrow(), described.memberEpoch().orElseThrow(), "member epoch");
        Check.equal(Set.copyOf(Kit.partitionsOf(topic, 2)), described.assignment().topicPartitions(), "assignment");
        leave(member);
        Check.equal(GroupState.EMPTY, describe(kit, group).groupState(), "state without members");
        kit.admin().deleteConsumerGroups(List.of(group)).all().get();
    }

    private ConsumerProtocolScenarios() { }
}
