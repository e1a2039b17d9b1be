"""Transactions by librdkafka, which speaks the first version of their protocol."""

from confluent_kafka import ConsumerGroupState, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from kit import equal, eventually, poll, take, that, unique, values_of


def transactional(kit, name, settings=None):
    """A producer of this name, past init_transactions."""
    own = {"transactional.id": name, "transaction.timeout.ms": 15000, "linger.ms": 0}
    producer = kit.producer({**own, **(settings or {})})
    producer.init_transactions(20)
    return producer


def send(producer, topic, partitions, start, end):
    """Produces the values start to end-1 and waits for them, the transaction left open."""
    for number in range(start, end):
        producer.produce(topic, str(number), partition=number % partitions)
    equal("messages without an answer", 0, producer.flush(20))


def send_transaction(producer, topic, start, end):
    producer.begin_transaction()
    send(producer, topic, 1, start, end)
    producer.commit_transaction(20)


def committed_reader(kit, topic, partitions=1):
    return kit.reader(topic, partitions, {"isolation.level": "read_committed"})


def uncommitted_reader(kit, topic, partitions=1):
    return kit.reader(topic, partitions, {"isolation.level": "read_uncommitted"})


def nothing_comes(consumer):
    equal("messages that a read_committed consumer got", [], take(consumer, 0.4))


def ends(kit, topic, partition=0):
    """The last stable offset and the high watermark."""
    asked = {TopicPartition(topic, partition): OffsetSpec.latest()}
    levels = (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
    answers = [kit.admin.list_offsets(asked, isolation_level=level) for level in levels]
    return [next(iter(answer.values())).result().offset for answer in answers]


def refused(action):
    """Expects the action to be refused, and returns the error."""
    try:
        action()
    except KafkaException as failure:
        return failure.args[0]
    raise AssertionError("a producer that was fenced succeeded")


def commit(kit):
    topic = kit.create_topic("transaction-commit", 2)
    committed = committed_reader(kit, topic, 2)
    producer = transactional(kit, unique("commit"))
    producer.begin_transaction()
    send(producer, topic, 2, 0, 10)
    equal("values before the commit", list(range(10)), sorted(values_of(poll(uncommitted_reader(kit, topic, 2), 10))))
    nothing_comes(committed)
    equal("ends before the commit", [0, 5], ends(kit, topic))
    producer.commit_transaction(20)
    equal("values", list(range(10)), sorted(values_of(poll(committed, 10))))
    equal("ends after the commit", [6, 6], ends(kit, topic))


def abort(kit):
    topic = kit.create_topic("transaction-abort")
    producer = transactional(kit, unique("abort"))
    send_transaction(producer, topic, 0, 5)
    producer.begin_transaction()
    send(producer, topic, 1, 5, 10)
    producer.abort_transaction(20)
    send_transaction(producer, topic, 10, 15)
    equal("committed values", [*range(5), *range(10, 15)], values_of(poll(committed_reader(kit, topic), 10)))
    equal("all values", list(range(15)), values_of(poll(uncommitted_reader(kit, topic), 15)))


def offsets(kit):
    source, output = kit.create_topic("transaction-input"), kit.create_topic("transaction-output")
    group = unique("transaction-offsets")
    kit.produce_numbers(source, 1, 0, 10)
    consumer = kit.consumer({"group.id": group, "isolation.level": "read_committed"})
    consumer.subscribe([source])
    poll(consumer, 10)
    partition = TopicPartition(source, 0)
    producer = transactional(kit, unique("offsets"))

    def committed():
        return consumer.committed([partition], 20)[0].offset

    def transaction(offset, metadata):
        producer.begin_transaction()
        send(producer, output, 1, 0, 5)
        producer.send_offsets_to_transaction([TopicPartition(source, 0, offset)], metadata, 20)

    member = consumer.consumer_group_metadata()
    transaction(5, member)
    producer.commit_transaction(20)
    equal("offset after the commit", 5, committed())
    transaction(9, member)
    producer.abort_transaction(20)
    equal("offset after the abort", 5, committed())

    # Whoever is a member no more may not commit.
    consumer.unsubscribe()
    eventually("the member has left", lambda: is_empty(kit, group))
    producer.begin_transaction()
    failure = refused(lambda: producer.send_offsets_to_transaction([TopicPartition(source, 0, 7)], member, 20))
    that(failure.code() in (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION), f"a stranger heard {failure}")
    that(failure.txn_requires_abort(), "the transaction need not be aborted")
    producer.abort_transaction(20)
    equal("offset after the stranger", 5, committed())


def is_empty(kit, group):
    described = kit.admin.describe_consumer_groups([group])[group].result()
    return described.state == ConsumerGroupState.EMPTY


def fencing(kit):
    topic, name = kit.create_topic("transaction-fencing"), unique("fencing")
    zombie = transactional(kit, name)
    send_transaction(zombie, topic, 0, 1)
    zombie.begin_transaction()
    send(zombie, topic, 1, 1, 5)
    successor = transactional(kit, name)
    failure = refused(lambda: zombie.commit_transaction(20))
    that(failure.fatal(), f"a zombie heard {failure}")
    send_transaction(successor, topic, 5, 6)
    equal("committed values", [0, 5], values_of(poll(committed_reader(kit, topic), 2)))


def timeout(kit):
    topic, name = kit.create_topic("transaction-timeout"), unique("timeout")
    gone = transactional(kit, name, {"transaction.timeout.ms": 1000, "message.timeout.ms": 1000})
    gone.begin_transaction()
    send(gone, topic, 1, 0, 3)
    send_transaction(transactional(kit, unique("other")), topic, 10, 11)
    equal("ends while the transaction is open", [0, 5], ends(kit, topic))
    equal("committed values", [10], values_of(poll(committed_reader(kit, topic), 1)))
    equal("ends after the timeout", [6, 6], ends(kit, topic))
    refused(lambda: gone.commit_transaction(20))


def interleaved(kit):
    topic = kit.create_topic("transaction-interleaved")
    one, other = transactional(kit, unique("one")), transactional(kit, unique("other"))
    committed = committed_reader(kit, topic)
    one.begin_transaction()
    other.begin_transaction()
    send(one, topic, 1, 0, 1)
    send(other, topic, 1, 1, 2)
    kit.produce_numbers(topic, 1, 2, 3)
    send(one, topic, 1, 3, 4)
    send(other, topic, 1, 4, 5)
    other.commit_transaction(20)
    nothing_comes(committed)
    equal("ends while the first transaction is open", [0, 6], ends(kit, topic))
    one.abort_transaction(20)
    equal("committed values", [1, 2, 4], values_of(poll(committed, 3)))


def many_partitions(kit):
    topic = kit.create_topic("transaction-many", 50)
    producer = transactional(kit, unique("many"))
    for start in range(0, 400, 100):
        producer.begin_transaction()
        send(producer, topic, 50, start, start + 100)
        if start % 200 == 0:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)
    values = sorted(values_of(poll(committed_reader(kit, topic, 50), 200)))
    equal("committed values", [*range(100), *range(200, 300)], values)

    def are_marked():
        return all(ends(kit, topic, partition) == [12, 12] for partition in range(50))
    eventually("markers in every partition", are_marked)


def empty(kit):
    topic = kit.create_topic("transaction-empty")
    producer = transactional(kit, unique("empty"))
    for _ in range(3):
        producer.begin_transaction()
        producer.commit_transaction(20)
        producer.begin_transaction()
        producer.abort_transaction(20)
    equal("ends of a topic in no transaction", [0, 0], ends(kit, topic))
    send_transaction(producer, topic, 0, 1)
    equal("committed values", [0], values_of(poll(committed_reader(kit, topic), 1)))


def restart(kit):
    topic, name = kit.create_topic("transaction-restart"), unique("restart")
    for start in (0, 10, 20):
        producer = transactional(kit, name)
        send_transaction(producer, topic, start, start + 1)
        producer.begin_transaction()
        send(producer, topic, 1, start + 1, start + 3)
        # Left open; the next one of its name aborts it.
    transactional(kit, name)
    committed = committed_reader(kit, topic)
    equal("committed values", [0, 10, 20], values_of(poll(committed, 3)))
    nothing_comes(committed)


scenarios = {
    "transaction-commit": commit,
    "transaction-abort": abort,
    "transaction-offsets": offsets,
    "transaction-fencing": fencing,
    "transaction-timeout": timeout,
    "transaction-interleaved": interleaved,
    "transaction-many-partitions": many_partitions,
    "transaction-empty": empty,
    "transaction-restart-epoch": restart,
}
