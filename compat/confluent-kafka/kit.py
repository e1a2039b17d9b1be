"""What a scenario works with: clients, topics, and assertions. Everything a kit opens is closed with it."""

import contextlib
import secrets
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec


def unique(label):
    """A name nobody has used on this broker."""
    return f"confluent-{label}-{secrets.token_hex(4)}"


def quiet(_error):
    """librdkafka reports transport errors here; scenarios see what matters by themselves."""


class Kit:
    def __init__(self, address):
        self.address = address
        self._open = contextlib.ExitStack()
        self._admin = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open.close()

    def config(self, settings):
        return {"bootstrap.servers": self.address, "error_cb": quiet, "log_level": 0, **settings}

    @property
    def admin(self):
        if self._admin is None:
            self._admin = AdminClient(self.config({}))
        return self._admin

    def producer(self, settings=None):
        return Producer(self.config({"message.timeout.ms": 15000, **(settings or {})}))

    def consumer(self, settings=None):
        """A consumer that commits nothing by itself and starts at the beginning."""
        config = self.config({
            "group.id": unique("group"), "group.protocol": "classic", "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "heartbeat.interval.ms": 200, "session.timeout.ms": 10000,
            "fetch.wait.max.ms": 200, "topic.metadata.refresh.interval.ms": 1000, **(settings or {}),
        })
        # In the consumer protocol these are the broker's to say, and librdkafka refuses them.
        if config["group.protocol"] == "consumer":
            del config["heartbeat.interval.ms"], config["session.timeout.ms"]
        consumer = Consumer(config)
        self._open.callback(consumer.close)
        return consumer

    def reader(self, topic, partitions=1, settings=None):
        """A consumer of every partition of a topic, from the beginning."""
        consumer = self.consumer(settings)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        return consumer

    def create_topic(self, label, partitions=1, config=None):
        topic = unique(label)
        request = NewTopic(topic, partitions, 1, config=config or {})
        self.admin.create_topics([request])[topic].result()
        self.await_leaders(topic, partitions)
        return topic

    def await_leaders(self, topic, partitions):
        """Bridges the moment in which Apache Kafka has answered CreateTopics but does not lead every partition."""
        ends = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(partitions)}
        # A client that knew the topic before would go on believing in its old number of partitions.
        admin = AdminClient(self.config({}))

        def is_led():
            try:
                return all(answer.result() for answer in admin.list_offsets(ends).values())
            except KafkaException:
                return False
        eventually(f"leaders of {topic}", is_led)

    def produce_numbers(self, topic, partitions, start, end, settings=None):
        """Produces the values start to end-1, value n to partition n modulo partitions."""
        produced = Produced()
        producer = self.producer(settings)
        for number in range(start, end):
            producer.produce(topic, str(number), partition=number % partitions, on_delivery=produced)
        produced.wait(producer)
        return produced.messages


class Produced:
    """Delivery reports of one producer."""

    def __init__(self):
        self.messages = []
        self.errors = []

    def __call__(self, error, message):
        self.messages.append(message)
        if error:
            self.errors.append(error)

    def wait(self, producer):
        left = producer.flush(20)
        that(left == 0, f"{left} messages without an answer")
        if self.errors:
            raise KafkaException(self.errors[0])


def produce_one(producer, *args, **kwargs):
    """Produces one message and waits for its answer, which raises when it is an error."""
    produced = Produced()
    producer.produce(*args, on_delivery=produced, **kwargs)
    produced.wait(producer)
    return produced.messages[0]


def poll(consumer, count):
    """Polls until `count` messages have come."""
    messages = []
    deadline = time.monotonic() + 20
    while len(messages) < count:
        that(time.monotonic() < deadline, f"only {len(messages)} of {count} messages within 20 s")
        messages += take(consumer)
    return messages


def take(consumer, seconds=0.05):
    messages = consumer.consume(500, seconds)
    for message in messages:
        if message.error():
            raise KafkaException(message.error())
    return messages


def values_of(messages):
    return [int(message.value()) for message in messages]


def equal(what, expected, actual):
    that(expected == actual, f"{what}: expected {expected!r}, got {actual!r}")


def that(condition, otherwise):
    if not condition:
        raise AssertionError(otherwise)


def fails(code, action):
    """Expects the action to raise a Kafka error of this code."""
    try:
        answer = action()
    except KafkaException as failure:
        that(failure.args[0].code() == code, f"expected error {code}, got {failure}")
        return
    raise AssertionError(f"expected error {code}, got the answer {answer!r}")


def eventually(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        that(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.02)
