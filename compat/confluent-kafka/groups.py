"""Groups of the classic protocol: sharing, leaving, committing. One thread polls all members in turn."""

from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from kit import equal, eventually, fails, poll, take, that, unique, values_of


class Member:
    """A group member that remembers what it was given, what was taken, and which messages came."""

    def __init__(self, kit, topics, settings):
        self.consumer = kit.consumer(settings)
        self.assignments = 0
        self.revoked = []
        self.messages = []
        self.consumer.subscribe(topics, on_assign=self._on_assign, on_revoke=self._on_revoke)

    def _on_assign(self, _consumer, _partitions):
        self.assignments += 1

    def _on_revoke(self, _consumer, partitions):
        self.revoked += [partition.partition for partition in partitions]

    def owned(self):
        return {(partition.topic, partition.partition) for partition in self.consumer.assignment()}

    def poll(self):
        for message in take(self.consumer, 0.02):
            that((message.topic(), message.partition()) in self.owned(), "a message of a partition not owned")
            self.messages.append(message)

    def values(self):
        return values_of(self.messages)


def settle(members, share):
    """Polls until every member owns `share` partitions, none of them twice."""
    def is_settled():
        for member in members:
            member.poll()
        owned = [member.owned() for member in members]
        return all(len(one) == share for one in owned) and len(set().union(*owned)) == share * len(members)
    eventually(f"{share} partitions for each of {len(members)} members", is_settled)


def delivered(members, start, end):
    def is_delivered():
        for member in members:
            member.poll()
        return set(range(start, end)) <= {value for member in members for value in member.values()}
    eventually(f"values {start} to {end}", is_delivered)


def group_rebalance(kit):
    topic, group = kit.create_topic("rebalance", 6), unique("rebalance")
    # An offset that librdkafka still asks for when a partition is taken from it may be set later, over a committed one.
    beginnings = [TopicPartition(topic, partition, 0) for partition in range(6)]
    kit.consumer({"group.id": group}).commit(offsets=beginnings, asynchronous=False)
    members = [Member(kit, [topic], {"group.id": group}) for _ in range(3)]
    settle(members, 2)
    kit.produce_numbers(topic, 6, 0, 60)
    delivered(members, 0, 60)
    equal("messages in all, each once", 60, sum(len(member.messages) for member in members))
    for member in members:
        member.consumer.commit(asynchronous=False)
    members.pop(0).consumer.close()
    settle(members, 3)
    for member in members:
        member.messages.clear()
    kit.produce_numbers(topic, 6, 60, 120)
    delivered(members, 60, 120)
    that(all(min(member.values()) >= 60 for member in members), "a committed message again")
    members.append(Member(kit, [topic], {"group.id": group}))
    settle(members, 2)


def cooperative_sticky(kit):
    topic = kit.create_topic("cooperative", 6)
    settings = {"group.id": unique("cooperative"), "partition.assignment.strategy": "cooperative-sticky"}
    first = Member(kit, [topic], settings)
    settle([first], 6)
    second = Member(kit, [topic], settings)
    settle([first, second], 3)
    equal("partitions taken from the first member", 3, len(first.revoked))
    equal("partitions taken from the second member", [], second.revoked)
    kit.produce_numbers(topic, 6, 0, 60)
    delivered([first, second], 0, 60)


def static_membership(kit):
    topic, group = kit.create_topic("static", 4), unique("static")
    a, b = ({"group.id": group, "group.instance.id": name} for name in "ab")
    first, second = Member(kit, [topic], a), Member(kit, [topic], b)
    settle([first, second], 2)
    owned, assignments = first.owned(), second.assignments
    first.consumer.close()
    again = Member(kit, [topic], a)
    settle([again, second], 2)
    equal("partitions of the returning member", owned, again.owned())
    equal("assignments of the other member", assignments, second.assignments)

    usurper = Member(kit, [topic], b)

    def is_in():
        usurper.poll()
        again.poll()
        return len(usurper.owned()) == 2
    eventually("the usurper is in", is_in)

    def is_fenced():
        try:
            second.poll()
        except KafkaException as failure:
            # FENCED_INSTANCE_ID is fatal to librdkafka: the consumer is done.
            return failure.args[0].code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID)
        return False
    eventually("the fenced member is told", is_fenced)


def commit_resume(kit):
    topic, group = kit.create_topic("resume"), unique("resume")
    kit.produce_numbers(topic, 1, 0, 10)
    first = Member(kit, [topic], {"group.id": group})
    delivered([first], 0, 10)
    note = TopicPartition(topic, 0, 4, metadata="note")
    first.consumer.commit(offsets=[note], asynchronous=False)
    committed = first.consumer.committed([TopicPartition(topic, 0)], 10)[0]
    equal("committed", (4, "note"), (committed.offset, committed.metadata))
    first.consumer.close()
    second = kit.consumer({"group.id": group})
    second.subscribe([topic])
    equal("values after the commit", list(range(4, 10)), values_of(poll(second, 6)))
    second.commit(asynchronous=False)
    equal("position committed", 10, second.committed([TopicPartition(topic, 0)], 10)[0].offset)


def standalone_commit(kit):
    topic, group = kit.create_topic("standalone", 2), unique("standalone")
    kit.produce_numbers(topic, 2, 0, 10)
    first = kit.reader(topic, 2, {"group.id": group})
    poll(first, 10)
    first.commit(offsets=[TopicPartition(topic, 1, 3)], asynchronous=False)
    second = kit.consumer({"group.id": group})
    partitions = [TopicPartition(topic, partition) for partition in range(2)]
    equal("committed", [OFFSET_INVALID, 3], [partition.offset for partition in second.committed(partitions, 10)])
    second.assign(partitions)
    equal("values", [0, 2, 4, 6, 7, 8, 9], sorted(values_of(poll(second, 7))))


def pattern_subscription(kit):
    stem = unique("pattern")
    topics = [kit.create_topic(f"{stem}-{name}") for name in "ab"]
    kit.create_topic(f"other-{stem}")
    settings = {"topic.metadata.refresh.interval.ms": 300}
    member = Member(kit, [f"^confluent-{stem}-.*"], settings)
    settle([member], 2)
    equal("partitions", {(topic, 0) for topic in topics}, member.owned())
    # A topic that comes later belongs to the pattern as well.
    late = kit.create_topic(f"{stem}-c")
    kit.produce_numbers(late, 1, 0, 5)
    delivered([member], 0, 5)


def unknown_group(kit):
    group, topic = unique("nobody"), kit.create_topic("unknown-group")
    consumer = kit.consumer({"group.id": group})
    equal("committed", OFFSET_INVALID, consumer.committed([TopicPartition(topic, 0)], 10)[0].offset)
    fails(KafkaError.GROUP_ID_NOT_FOUND, lambda: kit.admin.delete_consumer_groups([group])[group].result())


scenarios = {
    "group-rebalance": group_rebalance,
    "cooperative-sticky": cooperative_sticky,
    "static-membership": static_membership,
    "commit-resume": commit_resume,
    "standalone-commit": standalone_commit,
    "pattern-subscription": pattern_subscription,
    "unknown-group": unknown_group,
}
