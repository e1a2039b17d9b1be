"""Groups of the consumer protocol (KIP-848). One thread polls all members in turn."""

from confluent_kafka import ConsumerGroupState, ConsumerGroupType, KafkaError, TopicPartition

from groups import Member, delivered, settle
from kit import equal, fails, unique


def join(kit, topic, group, settings=None):
    return Member(kit, [topic], {"group.protocol": "consumer", "group.id": group, **(settings or {})})


def describe(kit, group):
    return kit.admin.describe_consumer_groups([group])[group].result()


def rebalance(kit):
    topic, group = kit.create_topic("rebalance", 6), unique("rebalance")
    first = join(kit, topic, group)
    settle([first], 6)
    second = join(kit, topic, group)
    settle([first, second], 3)
    equal("partitions taken from the first member", 3, len(first.revoked))
    equal("partitions taken from the second member", [], second.revoked)
    kit.produce_numbers(topic, 6, 0, 60)
    delivered([first, second], 0, 60)
    equal("messages in all, each once", 60, len(first.messages) + len(second.messages))
    first.consumer.commit(asynchronous=False)
    first.consumer.close()
    settle([second], 6)


def static(kit):
    topic, group = kit.create_topic("static", 4), unique("static")
    first, second = (join(kit, topic, group, {"group.instance.id": name}) for name in "ab")
    settle([first, second], 2)
    owned, assignments = first.owned(), second.assignments
    first.consumer.close()
    again = join(kit, topic, group, {"group.instance.id": "a"})
    settle([again, second], 2)
    equal("partitions of the returning member", owned, again.owned())
    equal("assignments of the other member", assignments, second.assignments)


def pattern(kit):
    """A broken pattern does not leave the client: librdkafka compiles it first."""
    stem = unique("pattern")
    topic = kit.create_topic(f"{stem}-a")
    kit.create_topic(f"other-{stem}")
    member = join(kit, f"^confluent-{stem}-.*", unique("pattern"))
    settle([member], 1)
    late = kit.create_topic(f"{stem}-b")
    kit.produce_numbers(late, 1, 0, 5)
    delivered([member], 0, 5)
    equal("partitions", {(topic, 0), (late, 0)}, member.owned())


def commits(kit):
    topic, group = kit.create_topic("commits", 2), unique("commits")
    kit.produce_numbers(topic, 2, 0, 20)
    first = join(kit, topic, group)
    delivered([first], 0, 20)
    first.consumer.commit(asynchronous=False)
    first.consumer.close()
    kit.produce_numbers(topic, 2, 20, 30)
    second = join(kit, topic, group)
    delivered([second], 20, 30)
    equal("messages after the commit", 10, len(second.messages))
    equal("committed offset", 10, second.consumer.committed([TopicPartition(topic, 0)], 10)[0].offset)


def migration(kit):
    """From the classic protocol to the consumer protocol one by one, and back."""
    topic, group = kit.create_topic("migration", 4), unique("migration")
    classic = Member(kit, [topic], {"group.id": group, "partition.assignment.strategy": "cooperative-sticky"})
    settle([classic], 4)
    equal("type of the group", ConsumerGroupType.CLASSIC, describe(kit, group).type)
    modern = join(kit, topic, group)
    settle([classic, modern], 2)
    equal("type of the group with both", ConsumerGroupType.CONSUMER, describe(kit, group).type)
    kit.produce_numbers(topic, 4, 0, 40)
    delivered([classic, modern], 0, 40)
    modern.consumer.commit(asynchronous=False)
    modern.consumer.close()
    settle([classic], 4)
    equal("type of the group without the other", ConsumerGroupType.CLASSIC, describe(kit, group).type)
    kit.produce_numbers(topic, 4, 40, 60)
    delivered([classic], 40, 60)


def admin(kit):
    topic, group = kit.create_topic("admin", 2), unique("admin")
    member = join(kit, topic, group, {"client.id": "member-one", "group.remote.assignor": "range"})
    settle([member], 2)
    listed = kit.admin.list_consumer_groups(types={ConsumerGroupType.CONSUMER}).result().valid
    listing = next(each for each in listed if each.group_id == group)
    equal("listing", (ConsumerGroupState.STABLE, ConsumerGroupType.CONSUMER), (listing.state, listing.type))
    described = describe(kit, group)
    equal("state", ConsumerGroupState.STABLE, described.state)
    equal("assignor", "range", described.partition_assignor)
    equal("client ids", ["member-one"], [each.client_id for each in described.members])
    partitions = described.members[0].assignment.topic_partitions
    equal("assignment", {(topic, 0), (topic, 1)}, {(each.topic, each.partition) for each in partitions})
    fails(KafkaError.NON_EMPTY_GROUP, lambda: kit.admin.delete_consumer_groups([group])[group].result())
    member.consumer.close()
    equal("state without members", ConsumerGroupState.EMPTY, describe(kit, group).state)
    kit.admin.delete_consumer_groups([group])[group].result()


scenarios = {
    "consumer-protocol-rebalance": rebalance,
    "consumer-protocol-static": static,
    "consumer-protocol-pattern": pattern,
    "consumer-protocol-commits": commits,
    "consumer-protocol-migration": migration,
    "consumer-protocol-admin": admin,
}
