"""Records in, records out: codecs, acknowledgements, sizes, partitions, positions, waiting."""

import secrets
import time

from confluent_kafka import OFFSET_END, KafkaError, TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TopicPartition
from confluent_kafka.admin import OffsetSpec

from kit import Produced, equal, eventually, fails, poll, produce_one, take, that, unique, values_of


def sample_messages():
    """Messages of every shape: null and empty keys, values and headers, all byte values, own timestamps."""
    shapes = [
        (None, b"plain"), (b"k", None), (b"", b""), (bytes(range(256)), bytes(range(256))), (None, None),
        (b"long", b"compressible " * 1000), (b"noise", secrets.token_bytes(5000)),
    ]
    start = int(time.time() * 1000) - 70_000
    headers = [("trace", b"\x00\xff"), ("trace", b"again"), ("empty", b""), ("null", None)]
    return [(*shapes[index % len(shapes)], start + index * 1000, headers if index % 2 else None) for index in range(70)]


def produce_consume(codec):
    def scenario(kit):
        topic = kit.create_topic(f"codec-{codec}")
        producer = kit.producer({"compression.type": codec, "linger.ms": 50})
        sent, produced = sample_messages(), Produced()
        for key, value, timestamp, headers in sent:
            arguments = {"headers": headers} if headers else {}
            producer.produce(topic, value, key, 0, on_delivery=produced, timestamp=timestamp, **arguments)
        produced.wait(producer)
        equal("acknowledged offsets", list(range(70)), [message.offset() for message in produced.messages])
        received = poll(kit.reader(topic), len(sent))
        for index, (message, (key, value, timestamp, headers)) in enumerate(zip(received, sent)):
            equal(f"key {index}", key, message.key())
            equal(f"value {index}", value, message.value())
            equal(f"timestamp {index}", (TIMESTAMP_CREATE_TIME, timestamp), message.timestamp())
            equal(f"headers {index}", headers, message.headers())
            equal("offset", index, message.offset())
    return scenario


def idempotent_producer(kit):
    topic = kit.create_topic("idempotent", 3)
    settings = {"enable.idempotence": True, "linger.ms": 0, "batch.num.messages": 20}
    kit.produce_numbers(topic, 3, 0, 3000, settings)
    received = poll(kit.reader(topic, 3), 3000)
    for partition in range(3):
        values = values_of(message for message in received if message.partition() == partition)
        equal(f"values of partition {partition}", list(range(partition, 3000, 3)), values)


def acks(level):
    def scenario(kit):
        topic = kit.create_topic("acks")
        messages = kit.produce_numbers(topic, 1, 0, 20, {"acks": level})
        if level != "0":
            equal("acknowledged offsets", list(range(20)), [message.offset() for message in messages])
        equal("values", list(range(20)), values_of(poll(kit.reader(topic), 20)))
    return scenario


def large_message(kit):
    topic = kit.create_topic("large")
    producer = kit.producer({"message.max.bytes": 1_048_500})
    value = secrets.token_bytes(1_048_000)
    for _ in range(3):
        produce_one(producer, topic, value)
    for message in poll(kit.reader(topic, 1, {"max.partition.fetch.bytes": 1000}), 3):
        that(message.value() == value, "the value differs")


def too_large_message_refused(kit):
    small = kit.create_topic("max-bytes", 1, {"max.message.bytes": "10000"})
    usual = kit.create_topic("too-large")
    producer = kit.producer({"message.max.bytes": 4_000_000})
    fails(KafkaError.MSG_SIZE_TOO_LARGE, lambda: produce_one(producer, small, secrets.token_bytes(11_000)))
    fails(KafkaError.MSG_SIZE_TOO_LARGE, lambda: produce_one(producer, usual, secrets.token_bytes(1_100_000)))
    equal("offset", 0, produce_one(producer, small, secrets.token_bytes(9_000)).offset())


def many_partitions(kit):
    topic = kit.create_topic("many", 40)
    kit.produce_numbers(topic, 40, 0, 4000)
    received = poll(kit.reader(topic, 40), 4000)
    for partition in range(40):
        values = values_of(message for message in received if message.partition() == partition)
        equal(f"values of partition {partition}", list(range(partition, 4000, 40)), values)


def keyed_partitioner(kit):
    topic = kit.create_topic("keyed", 8)
    partitions = {}
    for _ in range(2):
        producer, produced = kit.producer(), Produced()
        for key in range(40):
            producer.produce(topic, key=f"key-{key}", on_delivery=produced)
        produced.wait(producer)
        for message in produced.messages:
            equal("partition", partitions.setdefault(message.key(), message.partition()), message.partition())
    that(len(set(partitions.values())) > 1, "all keys went to one partition")
    for message in poll(kit.reader(topic, 8), 80):
        equal("partition", partitions[message.key()], message.partition())


def auto_create_topic(kit):
    topic = unique("auto")
    produce_one(kit.producer(), topic, b"1")
    equal("values", [1], values_of(poll(kit.reader(topic), 1)))
    equal("partitions", 1, len(kit.admin.list_topics(topic).topics[topic].partitions))
    # A consumer creates as well when it is told to (by assignment only: librdkafka's subscribe() does not).
    wished = unique("auto-consumer")
    kit.reader(wished, 1, {"allow.auto.create.topics": True})
    eventually("the consumer's topic", lambda: wished in kit.admin.list_topics().topics)


def long_poll(kit):
    topic = kit.create_topic("long-poll")
    # The wait is longer than poll() allows: only a fetch that wakes up early passes.
    consumer = kit.reader(topic, 1, {"fetch.wait.max.ms": 60_000, "socket.timeout.ms": 90_000})
    equal("messages of an empty topic", [], take(consumer, 0.7))
    kit.produce_numbers(topic, 1, 0, 1)
    equal("values", [0], values_of(poll(consumer, 1)))


def empty_topic(kit):
    topic = kit.create_topic("empty", 2)
    consumer = kit.reader(topic, 2)
    equal("messages", [], take(consumer, 0.7))
    equal("bounds", (0, 0), consumer.get_watermark_offsets(TopicPartition(topic, 0), 10))
    equal("offset at time 0", OFFSET_END, consumer.offsets_for_times([TopicPartition(topic, 0, 0)], 10)[0].offset)


def log_append_time(kit):
    topic = kit.create_topic("append-time", 1, {"message.timestamp.type": "LogAppendTime"})
    before = int(time.time() * 1000)
    produce_one(kit.producer({"compression.type": "lz4"}), topic, b"1", timestamp=1000)
    kind, timestamp = poll(kit.reader(topic), 1)[0].timestamp()
    equal("timestamp type", TIMESTAMP_LOG_APPEND_TIME, kind)
    that(before <= timestamp <= time.time() * 1000, "not the broker's time")


def compacted_topic_needs_keys(kit):
    topic = kit.create_topic("compacted", 1, {"cleanup.policy": "compact"})
    fails(KafkaError.INVALID_RECORD, lambda: produce_one(kit.producer(), topic, b"1"))
    produce_one(kit.producer(), topic, b"2", b"k")
    equal("values", [2], values_of(poll(kit.reader(topic), 1)))


def seek_offset(kit):
    topic = kit.create_topic("seek")
    kit.produce_numbers(topic, 1, 0, 500)
    consumer = kit.reader(topic)
    poll(consumer, 500)
    # Every kind of place: inside a batch, at the first and at the last record.
    for offset in [250, 499, 0, 37]:
        consumer.seek(TopicPartition(topic, 0, offset))
        equal(f"values from {offset}", list(range(offset, 500)), values_of(poll(consumer, 500 - offset)))
    consumer.seek(TopicPartition(topic, 0, OFFSET_END))
    equal("messages at the end", [], take(consumer, 0.5))
    kit.produce_numbers(topic, 1, 500, 501)
    equal("value after the end", [500], values_of(poll(consumer, 1)))


def seek_time(kit):
    topic = kit.create_topic("seek-time")
    start = int(time.time() * 1000) - 60_000
    for codec, numbers in [("none", range(5)), ("zstd", range(5, 10))]:
        producer, produced = kit.producer({"compression.type": codec, "linger.ms": 50}), Produced()
        for number in numbers:
            producer.produce(topic, str(number), timestamp=start + number * 1000, on_delivery=produced)
        produced.wait(producer)
    consumer = kit.reader(topic)
    places = [(-5000, 0), (3000, 3), (3001, 4), (7500, 8), (9001, OFFSET_END)]
    for ms, expected in places:
        found = consumer.offsets_for_times([TopicPartition(topic, 0, start + ms)], 10)[0]
        equal(f"offset at {ms}", expected, found.offset)
    consumer.seek(TopicPartition(topic, 0, 8))
    equal("values from the time", [8, 9], values_of(poll(consumer, 2)))
    partition = TopicPartition(topic, 0)
    latest = kit.admin.list_offsets({partition: OffsetSpec.max_timestamp()})[partition].result()
    equal("largest timestamp", (9, start + 9000), (latest.offset, latest.timestamp))


def beginning_end_offsets(kit):
    topic = kit.create_topic("bounds", 2)
    kit.produce_numbers(topic, 2, 0, 7)
    consumer = kit.reader(topic, 2)
    equal("bounds of partition 0", (0, 4), consumer.get_watermark_offsets(TopicPartition(topic, 0), 10))
    equal("bounds of partition 1", (0, 3), consumer.get_watermark_offsets(TopicPartition(topic, 1), 10))


def offset_out_of_range(kit):
    topic = kit.create_topic("out-of-range")
    kit.produce_numbers(topic, 1, 0, 10)
    consumer = kit.consumer()
    consumer.assign([TopicPartition(topic, 0, 1000)])
    equal("values after the reset", list(range(10)), values_of(poll(consumer, 10)))
    strict = kit.consumer({"auto.offset.reset": "error"})
    strict.assign([TopicPartition(topic, 0, 1000)])
    fails(KafkaError._AUTO_OFFSET_RESET, lambda: poll(strict, 1))


scenarios = {
    **{f"produce-consume-{codec}": produce_consume(codec) for codec in ["none", "gzip", "snappy", "lz4", "zstd"]},
    "idempotent-producer": idempotent_producer,
    **{f"acks-{level}": acks(level) for level in ["0", "1", "all"]},
    "large-message": large_message,
    "too-large-message-refused": too_large_message_refused,
    "many-partitions": many_partitions,
    "keyed-partitioner": keyed_partitioner,
    "auto-create-topic": auto_create_topic,
    "long-poll": long_poll,
    "empty-topic": empty_topic,
    "log-append-time": log_append_time,
    "compacted-topic-needs-keys": compacted_topic_needs_keys,
    "seek-offset": seek_offset,
    "seek-time": seek_time,
    "beginning-end-offsets": beginning_end_offsets,
    "offset-out-of-range": offset_out_of_range,
}
