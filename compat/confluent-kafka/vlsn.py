"""Topics whose records are numbered by their writer, and their ordered view. odradek alone has them."""

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.admin import OffsetSpec

from kit import Produced, equal, fails, poll, produce_one, unique, values_of

PARTITIONS = 12


def create_topic(kit, label):
    return kit.create_topic(label, PARTITIONS, {"odradek.partitioning": "vlsn"})


def write(kit, topic, start, end):
    """Writes the VLSNs start to end-1, each with itself as its value."""
    produced = Produced()
    producer = kit.producer()
    for vlsn in range(start, end):
        key = vlsn.to_bytes(8, "big")
        producer.produce(topic, str(vlsn), key, vlsn % PARTITIONS, on_delivery=produced)
    produced.wait(producer)


def check_order(start, end, messages):
    """Messages of a view in order, start to end-1, each at the offset that is its VLSN."""
    equal("values", list(range(start, end)), values_of(messages))
    for message in messages:
        equal("VLSN", message.offset(), int.from_bytes(message.key(), "big"))
        equal("partition", 0, message.partition())


def order(kit):
    topic = create_topic(kit, "vlsn-order")
    write(kit, topic, 0, 3000)
    consumer = kit.consumer()
    consumer.subscribe([f"{topic}.vlsn"])
    check_order(0, 3000, poll(consumer, 3000))
    write(kit, topic, 3000, 3100)
    check_order(3000, 3100, poll(consumer, 100))
    refused = KafkaError.TOPIC_EXCEPTION
    fails(refused, lambda: produce_one(kit.producer(), f"{topic}.vlsn", b"no", partition=0))


def seek(kit):
    topic = create_topic(kit, "vlsn-seek")
    view = f"{topic}.vlsn"
    write(kit, topic, 0, 2000)
    for vlsn in (1234, 1999, 7):
        consumer = kit.consumer()
        consumer.assign([TopicPartition(view, 0, vlsn)])
        count = min(250, 2000 - vlsn)
        check_order(vlsn, vlsn + count, poll(consumer, count)[:count])
    equal("bounds", (0, 2000), kit.consumer().get_watermark_offsets(TopicPartition(view, 0), 10))


def group(kit):
    topic, group_id = create_topic(kit, "vlsn-group"), unique("vlsn-group")
    view = f"{topic}.vlsn"
    write(kit, topic, 0, 1000)
    first = kit.consumer({"group.id": group_id})
    first.subscribe([view])
    check_order(0, 1000, poll(first, 1000))
    first.commit(offsets=[TopicPartition(view, 0, 417)], asynchronous=False)
    first.close()
    partition = TopicPartition(view, 0)
    committed = kit.consumer({"group.id": group_id}).committed([partition], 10)[0]
    equal("one number for all partitions", 417, committed.offset)
    end = kit.admin.list_offsets({partition: OffsetSpec.latest()})[partition].result().offset
    equal("lag", 583, end - committed.offset)
    second = kit.consumer({"group.id": group_id})
    second.subscribe([view])
    check_order(417, 1000, poll(second, 583))


scenarios = {
    "vlsn-view-order": order,
    "vlsn-view-seek": seek,
    "vlsn-view-group": group,
}
