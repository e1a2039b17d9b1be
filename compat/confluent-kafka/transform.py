"""Consumes, transforms, produces, exactly once, until it is killed. Arguments: address, input, output, group, and the name
under which it comes back (transactional.id and group.instance.id). Value v at offset o of the input becomes "o:v" in the
same partition of the output. Prints a line per transaction. An exception ends the process: the next one of its name goes on
from what was committed."""

import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer


def quiet(_error):
    """librdkafka reports here that a broker is away, and tries again."""


def main(address, source, output, group, name):
    # librdkafka 2.16 forgets all brokers when the only one is down, and may never use it again when it is back: see findings.md.
    common = {
        "bootstrap.servers": address, "error_cb": quiet, "log_level": 0, "reconnect.backoff.max.ms": 200,
        "metadata.recovery.strategy": "none",
    }
    producer = Producer({**common, "transactional.id": name, "linger.ms": 0, "retry.backoff.ms": 50})
    consumer = Consumer({
        **common, "group.id": group, "group.instance.id": name, "isolation.level": "read_committed",
        "enable.auto.commit": False, "auto.offset.reset": "earliest", "session.timeout.ms": 10000,
        "heartbeat.interval.ms": 500, "fetch.wait.max.ms": 100,
    })
    producer.init_transactions(60)
    consumer.subscribe([source])
    while True:
        messages = [message for message in consumer.consume(20, 0.1) if not message.error()]
        if not messages:
            continue
        producer.begin_transaction()
        for message in messages:
            value = f"{message.offset()}:{message.value().decode()}"
            producer.produce(output, value, partition=message.partition())
        # Written and not yet committed: where a kill hurts most.
        producer.flush(60)
        time.sleep(0.01)
        positions = consumer.position(consumer.assignment())
        producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 60)
        producer.commit_transaction(60)
        print("committed", len(messages), flush=True)


try:
    main(*sys.argv[1:6])
except KafkaException as failure:
    print("ended by", failure, flush=True)
    sys.exit(1)
