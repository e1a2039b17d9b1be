"""Changing settings of topics and the broker while it runs."""

from confluent_kafka import KafkaError
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource

from admin import configs_of
from kit import equal, eventually, fails, produce_one, unique

TOPIC, BROKER = ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER
SET, DELETE = AlterConfigOpType.SET, AlterConfigOpType.DELETE
APPEND, SUBTRACT = AlterConfigOpType.APPEND, AlterConfigOpType.SUBTRACT


def alter(kit, kind, name, *changes, **options):
    entries = [ConfigEntry(key, value, incremental_operation=operation) for key, operation, value in changes]
    resource = ConfigResource(kind, name, incremental_configs=entries)
    return kit.admin.incremental_alter_configs([resource], **options)[resource].result()


def becomes(kit, kind, name, key, value):
    eventually(f"{key} becomes {value}", lambda: configs_of(kit, kind, name)[key].value == value)


def alter_configs(kit):
    topic = kit.create_topic("alter", 1, {"segment.ms": "86400000"})
    alter(kit, TOPIC, topic, ("retention.ms", SET, "1"), validate_only=True)
    equal("retention.ms", "604800000", configs_of(kit, TOPIC, topic)["retention.ms"].value)
    fails(KafkaError.INVALID_CONFIG, lambda: alter(kit, TOPIC, topic, ("retention.ms", SET, "soon")))
    unknown = lambda: alter(kit, TOPIC, unique("unknown"), ("retention.ms", SET, "1"))
    fails(KafkaError.UNKNOWN_TOPIC_OR_PART, unknown)

    alter(kit, TOPIC, topic, ("max.message.bytes", SET, "2000"), ("cleanup.policy", APPEND, "compact"))
    becomes(kit, TOPIC, topic, "max.message.bytes", "2000")
    becomes(kit, TOPIC, topic, "cleanup.policy", "delete,compact")
    equal("segment.ms", "86400000", configs_of(kit, TOPIC, topic)["segment.ms"].value)
    alter(kit, TOPIC, topic, ("cleanup.policy", SUBTRACT, "compact"))
    becomes(kit, TOPIC, topic, "cleanup.policy", "delete")
    too_large = lambda: produce_one(kit.producer(), topic, "x" * 5000)
    fails(KafkaError.MSG_SIZE_TOO_LARGE, too_large)
    alter(kit, TOPIC, topic, ("max.message.bytes", DELETE, None))
    becomes(kit, TOPIC, topic, "max.message.bytes", "1048588")
    produce_one(kit.producer(), topic, "x" * 5000)

    node = str(kit.admin.describe_cluster().result().nodes[0].id)
    alter(kit, BROKER, node, ("log.cleaner.backoff.ms", SET, "16000"))
    becomes(kit, BROKER, node, "log.cleaner.backoff.ms", "16000")
    source = configs_of(kit, BROKER, node)["log.cleaner.backoff.ms"].source
    equal("source", ConfigSource.DYNAMIC_BROKER_CONFIG.value, source)
    alter(kit, BROKER, node, ("log.cleaner.backoff.ms", DELETE, None))
    becomes(kit, BROKER, node, "log.cleaner.backoff.ms", "15000")
    fails(KafkaError.INVALID_REQUEST, lambda: alter(kit, BROKER, node, ("num.partitions", SET, "2")))


scenarios = {"admin-alter-configs": alter_configs}
