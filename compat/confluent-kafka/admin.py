"""The admin client: topics, partitions, records, configurations, cluster, groups, and what is refused."""

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaError, TopicCollection, TopicPartition
from confluent_kafka.admin import ConfigResource, ConfigSource, NewPartitions, NewTopic

from groups import Member, settle
from kit import equal, eventually, fails, poll, produce_one, that, unique, values_of


def create(kit, topic, partitions=1, replicas=1, **options):
    config = options.pop("config", {})
    request = NewTopic(topic, partitions, replicas, config=config)
    return kit.admin.create_topics([request], **options)[topic].result()


def describe_topic(kit, topic):
    return kit.admin.describe_topics(TopicCollection([topic]))[topic].result()


def is_listed(kit, topic):
    return topic in kit.admin.list_topics(timeout=10).topics


def admin_topics(kit):
    topic = unique("topics")
    create(kit, topic, 3, validate_only=True)
    that(not is_listed(kit, topic), "validate_only created the topic")
    create(kit, topic, 3)
    eventually("the topic is listed", lambda: is_listed(kit, topic))
    description = describe_topic(kit, topic)
    node = kit.admin.describe_cluster().result().nodes[0].id
    equal("internal", False, description.is_internal)
    equal("partitions", [0, 1, 2], [partition.id for partition in description.partitions])
    for partition in description.partitions:
        equal("leader", node, partition.leader.id)
        equal("replicas", [node], [replica.id for replica in partition.replicas])
        equal("in-sync replicas", [node], [replica.id for replica in partition.isr])
    kit.admin.delete_topics([topic])[topic].result()
    eventually("the topic is gone", lambda: not is_listed(kit, topic))


def topic_ids(kit):
    topic = kit.create_topic("ids")
    first = str(describe_topic(kit, topic).topic_id)
    kit.admin.delete_topics([topic])[topic].result()
    eventually("the topic is gone", lambda: not is_listed(kit, topic))
    create(kit, topic)
    eventually("the new topic is listed", lambda: is_listed(kit, topic))
    that(str(describe_topic(kit, topic).topic_id) != first, "the new topic has the id of the old one")


def admin_create_partitions(kit):
    topic = kit.create_topic("partitions")
    kit.produce_numbers(topic, 1, 0, 5)
    grow = lambda count: kit.admin.create_partitions([NewPartitions(topic, count)])[topic].result()
    grow(4)
    kit.await_leaders(topic, 4)
    equal("partitions", 4, len(describe_topic(kit, topic).partitions))
    produce_one(kit.producer(), topic, b"5", partition=3)
    equal("values", list(range(6)), sorted(values_of(poll(kit.reader(topic, 4), 6))))
    fails(KafkaError.INVALID_PARTITIONS, lambda: grow(2))
    fails(KafkaError.INVALID_PARTITIONS, lambda: grow(4))


def admin_delete_records(kit):
    topic = kit.create_topic("delete-records")
    kit.produce_numbers(topic, 1, 0, 10)

    def delete_before(offset):
        partition = TopicPartition(topic, 0, offset)
        return kit.admin.delete_records([partition])[TopicPartition(topic, 0)].result()
    equal("low watermark", 6, delete_before(6).low_watermark)
    consumer = kit.reader(topic)
    equal("bounds", (6, 10), consumer.get_watermark_offsets(TopicPartition(topic, 0), 10))
    equal("values that stay", [6, 7, 8, 9], values_of(poll(consumer, 4)))
    fails(KafkaError.OFFSET_OUT_OF_RANGE, lambda: delete_before(11))


def configs_of(kit, kind, name):
    resource = ConfigResource(kind, name)
    return kit.admin.describe_configs([resource])[resource].result()


def admin_topic_configs(kit):
    topic = kit.create_topic("configs", 1, {"retention.ms": "3600000", "cleanup.policy": "compact"})
    configs = configs_of(kit, ConfigResource.Type.TOPIC, topic)
    expected = {
        "retention.ms": "3600000", "cleanup.policy": "compact", "max.message.bytes": "1048588",
        "segment.bytes": "1073741824", "compression.type": "producer", "message.timestamp.type": "CreateTime",
    }
    equal("values", expected, {name: configs[name].value for name in expected})
    equal("source of retention.ms", ConfigSource.DYNAMIC_TOPIC_CONFIG.value, configs["retention.ms"].source)
    equal("source of segment.bytes", ConfigSource.DEFAULT_CONFIG.value, configs["segment.bytes"].source)
    that(configs["segment.bytes"].is_default, "segment.bytes is not a default")
    unknown = lambda: configs_of(kit, ConfigResource.Type.TOPIC, unique("unknown"))
    fails(KafkaError.UNKNOWN_TOPIC_OR_PART, unknown)


def admin_broker_configs(kit):
    node = kit.admin.describe_cluster().result().nodes[0].id
    configs = configs_of(kit, ConfigResource.Type.BROKER, str(node))
    expected = {"message.max.bytes": "1048588", "num.partitions": "1", "auto.create.topics.enable": "true"}
    equal("values", expected, {name: configs[name].value for name in expected})


def admin_cluster(kit):
    cluster = kit.admin.describe_cluster(include_authorized_operations=True).result()
    equal("nodes", [kit.address], [f"{node.host}:{node.port}" for node in cluster.nodes])
    equal("controller", cluster.nodes[0].id, cluster.controller.id)
    that(cluster.cluster_id, "the cluster has no id")
    names = {operation.name for operation in cluster.authorized_operations}
    that({"CREATE", "DESCRIBE", "ALTER"} <= names, f"authorized operations {names}")


def admin_groups(kit):
    topic, group = kit.create_topic("groups", 2), unique("groups")
    member = Member(kit, [topic], {"group.id": group, "client.id": "member-one"})
    settle([member], 2)
    listed = {listing.group_id: listing for listing in kit.admin.list_consumer_groups().result().valid}
    equal("state in the list", ConsumerGroupState.STABLE, listed[group].state)
    empties = kit.admin.list_consumer_groups(states={ConsumerGroupState.EMPTY}).result().valid
    that(group not in {listing.group_id for listing in empties}, "among the empty groups")
    describe = lambda: kit.admin.describe_consumer_groups([group])[group].result()
    description = describe()
    equal("state", ConsumerGroupState.STABLE, description.state)
    equal("assignor", "range", description.partition_assignor)
    equal("members", ["member-one"], [one.client_id for one in description.members])
    equal("host", "/127.0.0.1", description.members[0].host)
    assigned = {(one.topic, one.partition) for one in description.members[0].assignment.topic_partitions}
    equal("assignment", {(topic, 0), (topic, 1)}, assigned)
    delete = lambda: kit.admin.delete_consumer_groups([group])[group].result()
    fails(KafkaError.NON_EMPTY_GROUP, delete)
    member.consumer.close()
    equal("state without members", ConsumerGroupState.EMPTY, describe().state)
    delete()
    remaining = {listing.group_id for listing in kit.admin.list_consumer_groups().result().valid}
    that(group not in remaining, "the deleted group is listed")


def admin_group_offsets(kit):
    topic, group = kit.create_topic("group-offsets", 2), unique("group-offsets")
    kit.produce_numbers(topic, 2, 0, 10)
    offsets = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 2), TopicPartition(topic, 1, 4)])
    alter = lambda: kit.admin.alter_consumer_group_offsets([offsets])[group].result()
    alter()
    request = ConsumerGroupTopicPartitions(group)
    listed = kit.admin.list_consumer_group_offsets([request])[group].result().topic_partitions
    equal("offsets", {0: 2, 1: 4}, {one.partition: one.offset for one in listed})
    member = Member(kit, [topic], {"group.id": group})
    settle([member], 2)
    errors = [one.error.code() for one in alter().topic_partitions]
    equal("errors while members are in", [KafkaError.UNKNOWN_MEMBER_ID] * 2, errors)
    eventually("the messages after the offsets", lambda: member.poll() or len(member.messages) == 4)


def error_topic_exists(kit):
    topic = kit.create_topic("exists")
    fails(KafkaError.TOPIC_ALREADY_EXISTS, lambda: create(kit, topic))


def error_replication_factor(kit):
    for replicas in (0, 3):
        fails(KafkaError.INVALID_REPLICATION_FACTOR, lambda: create(kit, unique("replicas"), 1, replicas))


def error_invalid_topic_name(kit):
    for topic in ["with space", "..", ".", "slash/", "x" * 250]:
        fails(KafkaError.TOPIC_EXCEPTION, lambda: create(kit, topic))


def error_invalid_partitions(kit):
    fails(KafkaError.INVALID_PARTITIONS, lambda: create(kit, unique("none"), 0))


def error_invalid_config(kit):
    for config in [{"no.such.config": "1"}, {"retention.ms": "soon"}, {"cleanup.policy": "burn"}]:
        fails(KafkaError.INVALID_CONFIG, lambda: create(kit, unique("config"), config=config))


def error_unknown_topic(kit):
    topic = unique("unknown")
    fails(KafkaError.UNKNOWN_TOPIC_OR_PART, lambda: describe_topic(kit, topic))
    fails(KafkaError.UNKNOWN_TOPIC_OR_PART, lambda: kit.admin.delete_topics([topic])[topic].result())


scenarios = {
    "admin-topics": admin_topics,
    "topic-ids": topic_ids,
    "admin-create-partitions": admin_create_partitions,
    "admin-delete-records": admin_delete_records,
    "admin-topic-configs": admin_topic_configs,
    "admin-broker-configs": admin_broker_configs,
    "admin-cluster": admin_cluster,
    "admin-groups": admin_groups,
    "admin-group-offsets": admin_group_offsets,
    "error-topic-exists": error_topic_exists,
    "error-replication-factor": error_replication_factor,
    "error-invalid-topic-name": error_invalid_topic_name,
    "error-invalid-partitions": error_invalid_partitions,
    "error-invalid-config": error_invalid_config,
    "error-unknown-topic": error_unknown_topic,
}
