"""Reads a topic, or the ordered view of one, and tells what it reads and commits, one JSON line each. Arguments: `follow`,
address, topic, group, protocol and a pause in ms, for a member of a group that commits where it is so long after each batch, until it
is killed; or `range`, address, topic, and from where to before where partition 0 is to be read."""

import json
import os
import sys
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition


def tell(event, **fields):
    print(json.dumps({"at": time.monotonic() * 1000, "event": event, **fields}), flush=True)


def quiet(_error):
    """librdkafka reports here that a broker is away, and tries again."""


def config(address, group):
    # For the recovery strategy see findings.md.
    return {
        "bootstrap.servers": address, "error_cb": quiet, "log_level": 0, "group.id": group,
        "metadata.recovery.strategy": "none", "reconnect.backoff.max.ms": 200, "enable.auto.commit": False,
        "auto.offset.reset": "earliest", "session.timeout.ms": 3000, "heartbeat.interval.ms": 300,
        "fetch.wait.max.ms": 100,
    }


def tell_read(messages):
    records = [
        [message.partition(), message.offset(), int.from_bytes(message.key(), "big"), message.value().decode()]
        for message in messages
    ]
    if records:
        tell("read", records=records)


def follow(address, topic, group, protocol, pause_ms):
    consumer = Consumer({**config(address, group), "group.protocol": protocol, "group.instance.id": "one"})
    consumer.subscribe([topic])
    while True:
        messages = [message for message in consumer.consume(2000, 0.2) if not message.error()]
        if not messages:
            continue
        tell_read(messages)
        time.sleep(int(pause_ms) / 1000)
        # A partition that nothing was read of has no position.
        positions = [each for each in consumer.position(consumer.assignment()) if each.offset >= 0]
        tell("committing", offsets=[[each.partition, each.offset] for each in positions])
        answers = consumer.commit(offsets=positions, asynchronous=False)
        for answer in answers:
            if answer.error:
                raise KafkaException(answer.error)
        tell("committed")


def read_range(address, topic, start, end):
    consumer = Consumer(config(address, "vlsn-range"))
    consumer.assign([TopicPartition(topic, 0, start)])
    position = start
    while position < end:
        messages = [message for message in consumer.consume(1000, 0.2) if not message.error()]
        tell_read([message for message in messages if message.offset() < end])
        position = max([position, *(message.offset() + 1 for message in messages)])
    consumer.close()


try:
    if sys.argv[1] == "follow":
        follow(*sys.argv[2:7])
    else:
        read_range(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
except KafkaException as failure:
    tell("ended", error=str(failure))
    # Not by sys.exit: what closes the consumer then may wait for a coordinator for ever.
    os._exit(1)
