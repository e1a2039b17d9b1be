import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** The admin client on groups and their offsets. */
final class GroupAdminScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("admin-groups", GroupAdminScenarios::adminGroups);
        all.put("admin-group-offsets", GroupAdminScenarios::adminGroupOffsets);
        all.put("unknown-group", GroupAdminScenarios::unknownGroup);
    }

    private static Consumer<byte[], byte[]> joined(Kit kit, String group, String topic, int partitions) throws Exception {
        Consumer<byte[], byte[]> consumer = kit.consumer("group.id", group, "client.id", "member-one");
        consumer.subscribe(List.of(topic));
        Check.eventually("the assignment", () -> {
            consumer.poll(Duration.ofMillis(50));
            return consumer.assignment().size() == partitions;
        });
        return consumer;
    }

    private static Optional<GroupListing> listed(Admin admin, String group, ListGroupsOptions options) throws Exception {
        return admin.listGroups(options).all().get().stream().filter(listing -> listing.groupId().equals(group)).findFirst();
    }

    private static void adminGroups(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.createTopic("groups", 2);
        String group = kit.unique("groups");
        Consumer<byte[], byte[]> consumer = joined(kit, group, topic, 2);
        GroupListing listing = listed(admin, group, new ListGroupsOptions()).orElseThrow();
        Check.equal(new GroupListing(group, Optional.of(GroupType.CLASSIC), "consumer", Optional.of(GroupState.STABLE)),
            listing, "listing");
        Check.that(listed(admin, group, new ListGroupsOptions().inGroupStates(Set.of(GroupState.STABLE))).isPresent(),
            "not among the stable groups");
        Check.that(listed(admin, group, new ListGroupsOptions().inGroupStates(Set.of(GroupState.EMPTY))).isEmpty(),
            "among the empty groups");
        Check.that(listed(admin, group, new ListGroupsOptions().withTypes(Set.of(GroupType.SHARE))).isEmpty(),
            "among the share groups");
        ConsumerGroupDescription description = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        Check.equal(GroupState.STABLE, description.groupState(), "state");
        Check.equal(GroupType.CLASSIC, description.type(), "type");
        Check.equal("range", description.partitionAssignor(), "assignor");
        Check.equal(kit.address, description.coordinator().host() + ":" + description.coordinator().port(), "coordinator");
        MemberDescription member = description.members().iterator().next();
        Check.equal(1, description.members().size(), "members");
        Check.equal("member-one", member.clientId(), "client id");
        Check.that(member.consumerId().startsWith("member-one-"), "the member id does not start with the client id");
        Check.equal("/127.0.0.1", member.host(), "host");
        Check.equal(Set.copyOf(Kit.partitionsOf(topic, 2)), member.assignment().topicPartitions(), "assignment");
        Check.fails(GroupNotEmptyException.class, () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        consumer.commitSync();
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
        Check.equal(GroupState.EMPTY, admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState(),
            "state without members");
        admin.deleteConsumerGroups(List.of(group)).all().get();
        Check.that(listed(admin, group, new ListGroupsOptions()).isEmpty(), "the deleted group is listed");
        Check.fails(GroupIdNotFoundException.class, () -> admin.describeConsumerGroups(List.of(group)).all().get());
        Check.equal(Map.of(), offsets(admin, group), "offsets of the deleted group");
    }

    private static Map<TopicPartition, OffsetAndMetadata> offsets(Admin admin, String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    }

    private static void adminGroupOffsets(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.createTopic("group-offsets", 2);
        String group = kit.unique("group-offsets");
        List<TopicPartition> partitions = Kit.partitionsOf(topic, 2);
        kit.produceNumbers(topic, 2, 0, 10);
        Map<TopicPartition, OffsetAndMetadata> altered = Map.of(
            partitions.get(0), new OffsetAndMetadata(2, "by hand"), partitions.get(1), new OffsetAndMetadata(4));
        admin.alterConsumerGroupOffsets(group, altered).all().get();
        Check.equal(altered, offsets(admin, group), "altered offsets");
        // Two groups in one request, one of them by partition.
        String other = kit.unique("group-offsets");
        admin.alterConsumerGroupOffsets(other, Map.of(partitions.get(0), new OffsetAndMetadata(1))).all().get();
        var specs = Map.of(group, new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(partitions.get(1))),
            other, new ListConsumerGroupOffsetsSpec());
        var both = admin.listConsumerGroupOffsets(specs).all().get();
        Check.equal(Map.of(partitions.get(1), new OffsetAndMetadata(4)), both.get(group), "offsets of one partition");
        Check.equal(Map.of(partitions.get(0), new OffsetAndMetadata(1)), both.get(other), "offsets of the other group");

        Consumer<byte[], byte[]> consumer = joined(kit, group, topic, 2);
        Check.fails(UnknownMemberIdException.class, () -> admin.alterConsumerGroupOffsets(group, altered).all().get());
        Check.fails(GroupSubscribedToTopicException.class,
            () -> admin.deleteConsumerGroupOffsets(group, Set.of(partitions.get(0))).all().get());
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(2)));
        admin.deleteConsumerGroupOffsets(group, Set.of(partitions.get(0))).all().get();
        Check.equal(Map.of(partitions.get(1), new OffsetAndMetadata(4)), offsets(admin, group), "offsets that stay");
        Consumer<byte[], byte[]> second = kit.reader(topic, 2, "group.id", group);
        Check.equal(0L, second.position(partitions.get(0)), "position without a commit");
        Check.equal(4L, second.position(partitions.get(1)), "position by the commit");
    }

    private static void unknownGroup(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String group = kit.unique("nobody");
        Check.equal(Map.of(), offsets(admin, group), "offsets");
        Check.fails(GroupIdNotFoundException.class, () -> admin.describeConsumerGroups(List.of(group)).all().get());
        Check.fails(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        TopicPartition partition = new TopicPartition(kit.createTopic("unknown-group", 1), 0);
        Check.fails(GroupIdNotFoundException.class,
            () -> admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get());
        Check.equal(null, kit.consumer("group.id", group).committed(Set.of(partition)).get(partition), "committed");
    }

    private GroupAdminScenarios() { }
}
