import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The admin client on topics, records, configurations and the cluster. */
final class TopicScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("admin-topics", TopicScenarios::adminTopics);
        all.put("topic-ids", TopicScenarios::topicIds);
        all.put("admin-create-partitions", TopicScenarios::adminCreatePartitions);
        all.put("admin-delete-records", TopicScenarios::adminDeleteRecords);
        all.put("admin-topic-configs", TopicScenarios::adminTopicConfigs);
        all.put("admin-broker-configs", TopicScenarios::adminBrokerConfigs);
        all.put("admin-cluster", TopicScenarios::adminCluster);
        all.put("error-topic-exists", TopicScenarios::errorTopicExists);
        all.put("error-replication-factor", TopicScenarios::errorReplicationFactor);
        all.put("error-invalid-topic-name", TopicScenarios::errorInvalidTopicName);
        all.put("error-invalid-partitions", TopicScenarios::errorInvalidPartitions);
        all.put("error-invalid-config", TopicScenarios::errorInvalidConfig);
        all.put("error-unknown-topic", TopicScenarios::errorUnknownTopic);
    }

    private static NewTopic newTopic(String topic, int partitions, int replicas) {
        return new NewTopic(topic, partitions, (short) replicas);
    }

    private static void adminTopics(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.unique("topics");
        var request = newTopic(topic, 3, 1).configs(Map.of("retention.ms", "3600000"));
        var checked = admin.createTopics(List.of(request), new CreateTopicsOptions().validateOnly(true));
        Check.equal(3, checked.numPartitions(topic).get(), "partitions of a validated topic");
        Check.that(!admin.listTopics().names().get().contains(topic), "validateOnly created the topic");

        var created = admin.createTopics(List.of(request));
        created.all().get();
        Check.equal(3, created.numPartitions(topic).get(), "partitions in the answer");
        Check.equal(1, created.replicationFactor(topic).get(), "replication factor in the answer");
        Check.equal("3600000", created.config(topic).get().get("retention.ms").value(), "configuration in the answer");
        Check.eventually("the topic is listed", () -> admin.listTopics().names().get().contains(topic));
        TopicDescription description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        Node node = admin.describeCluster().nodes().get().iterator().next();
        Check.equal(created.topicId(topic).get(), description.topicId(), "topic id");
        Check.equal(false, description.isInternal(), "internal");
        Check.equal(List.of(0, 1, 2), description.partitions().stream().map(TopicPartitionInfo::partition).toList(), "partitions");
        for (TopicPartitionInfo partition : description.partitions()) {
            Check.equal(node, partition.leader(), "leader");
            Check.equal(List.of(node), partition.replicas(), "replicas");
            Check.equal(List.of(node), partition.isr(), "in-sync replicas");
        }

        String assigned = kit.unique("assigned");
        admin.createTopics(List.of(new NewTopic(assigned, Map.of(0, List.of(node.id()), 1, List.of(node.id()))))).all().get();
        String defaulted = kit.unique("defaulted");
        var defaults = admin.createTopics(List.of(new NewTopic(defaulted, Optional.empty(), Optional.empty())));
        Check.equal(1, defaults.numPartitions(defaulted).get(), "default partitions");
        Check.eventually("two assigned partitions",
            () -> admin.describeTopics(List.of(assigned)).allTopicNames().get().get(assigned).partitions().size() == 2);

        admin.deleteTopics(List.of(topic, assigned, defaulted)).all().get();
        Check.eventually("the topic is gone", () -> !admin.listTopics().names().get().contains(topic));
        Check.fails(UnknownTopicOrPartitionException.class, () -> admin.describeTopics(List.of(topic)).allTopicNames().get());
    }

    private static void topicIds(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.createTopic("ids", 2);
        Uuid id = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
        Check.that(!id.equals(Uuid.ZERO_UUID), "the topic has no id");
        TopicDescription byId = admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id);
        Check.equal(topic, byId.name(), "name of the topic with the id");
        Check.equal(2, byId.partitions().size(), "partitions of the topic with the id");
        Uuid nobody = Uuid.randomUuid();
        Check.fails(UnknownTopicIdException.class,
            () -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(nobody))).allTopicIds().get());
        Check.fails(UnknownTopicIdException.class,
            () -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(nobody))).all().get());
        Consumer<byte[], byte[]> consumer = kit.reader(topic, 2);
        kit.produceNumbers(topic, 2, 0, 4);
        kit.poll(consumer, 4);
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
        Check.eventually("the topic is gone", () -> !admin.listTopics().names().get().contains(topic));
        admin.createTopics(List.of(newTopic(topic, 2, 1))).all().get();
        Check.eventually("the new topic is known", () -> admin.listTopics().names().get().contains(topic));
        Uuid next = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
        Check.that(!next.equals(id), "the new topic has the id of the old one");
        // The log of the new topic starts anew.
        kit.awaitLeaders(topic, 2);
        Consumer<byte[], byte[]> fresh = kit.reader(topic, 2);
        kit.produceNumbers(topic, 2, 10, 12);
        Check.equal(List.of(10, 11), Kit.valuesOf(kit.poll(fresh, 2)).stream().sorted().toList(), "values of the new topic");
    }

    private static void adminCreatePartitions(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.createTopic("partitions", 1);
        kit.produceNumbers(topic, 1, 0, 5);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all().get();
        Check.eventually("four partitions",
            () -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 4);
        kit.awaitLeaders(topic, 4);
        kit.producer().send(new ProducerRecord<>(topic, 3, null, Kit.bytes("5"))).get();
        Check.equal(Kit.range(0, 6), Kit.valuesOf(kit.poll(kit.reader(topic, 4), 6)).stream().sorted().toList(), "values");
        Check.fails(InvalidPartitionsException.class,
            () -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get());
        Check.fails(InvalidPartitionsException.class,
            () -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all().get());
        Check.fails(UnknownTopicOrPartitionException.class,
            () -> admin.createPartitions(Map.of(kit.unique("unknown"), NewPartitions.increaseTo(4))).all().get());
    }

    private static void adminDeleteRecords(Kit kit) throws Exception {
        Admin admin = kit.admin();
        String topic = kit.createTopic("delete-records", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        kit.produceNumbers(topic, 1, 0, 10);
        var deleted = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(6)));
        Check.equal(6L, deleted.lowWatermarks().get(partition).get().lowWatermark(), "low watermark");
        Consumer<byte[], byte[]> consumer = kit.reader(topic, 1);
        Check.equal(Map.of(partition, 6L), consumer.beginningOffsets(List.of(partition)), "beginning");
        Check.equal(Kit.range(6, 10), Kit.valuesOf(kit.poll(consumer, 4)), "values that stay");
        consumer.seek(partition, 2);
        Check.equal(Kit.range(6, 10), Kit.valuesOf(kit.poll(consumer, 4)), "values after a seek below the beginning");
        Check.fails(OffsetOutOfRangeException.class,
            () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all().get());
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1))).all().get();
        Check.equal(Map.of(partition, 10L), consumer.beginningOffsets(List.of(partition)), "beginning at the end");
        Check.equal(0, consumer.poll(Duration.ofMillis(300)).count(), "records left");
    }

    static Config describe(Admin admin, ConfigResource resource) throws Exception {
        var options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        return admin.describeConfigs(List.of(resource), options).all().get().get(resource);
    }

    private static void adminTopicConfigs(Kit kit) throws Exception {
        String topic = kit.createTopic("configs", 1, "retention.ms", "3600000", "cleanup.policy", "compact,delete");
        Config config = describe(kit.admin(), new ConfigResource(ConfigResource.Type.TOPIC, topic));
        ConfigEntry retention = config.get("retention.ms");
        Check.equal("3600000", retention.value(), "retention.ms");
        Check.equal(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, retention.source(), "source of retention.ms");
        Check.equal(ConfigEntry.ConfigType.LONG, retention.type(), "type of retention.ms");
        Check.equal(List.of(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG),
            retention.synonyms().stream().map(ConfigEntry.ConfigSynonym::source).toList(), "synonyms of retention.ms");
        Check.equal(List.of("message.max.bytes"), config.get("max.message.bytes").synonyms().stream()
            .map(ConfigEntry.ConfigSynonym::name).toList(), "synonyms of max.message.bytes");
        Check.that(!retention.documentation().isEmpty(), "retention.ms has no documentation");
        Check.equal("compact,delete", config.get("cleanup.policy").value(), "cleanup.policy");
        Map<String, String> defaults = new HashMap<>();
        for (String name : List.of("max.message.bytes", "segment.bytes", "compression.type", "message.timestamp.type",
            "retention.bytes", "max.compaction.lag.ms")) {
            defaults.put(name, config.get(name).value());
            Check.equal(ConfigEntry.ConfigSource.DEFAULT_CONFIG, config.get(name).source(), "source of " + name);
        }
        Check.equal(Map.of("max.message.bytes", "1048588", "segment.bytes", "1073741824", "compression.type", "producer",
            "message.timestamp.type", "CreateTime", "retention.bytes", "-1",
            "max.compaction.lag.ms", "9223372036854775807"), defaults, "defaults");
        Check.fails(UnknownTopicOrPartitionException.class,
            () -> describe(kit.admin(), new ConfigResource(ConfigResource.Type.TOPIC, kit.unique("unknown"))));
    }

    private static void adminBrokerConfigs(Kit kit) throws Exception {
        int node = kit.admin().describeCluster().nodes().get().iterator().next().id();
        Config config = describe(kit.admin(), new ConfigResource(ConfigResource.Type.BROKER, "" + node));
        for (var entry : Map.of("message.max.bytes", "1048588", "num.partitions", "1", "auto.create.topics.enable", "true",
            "log.retention.hours", "168", "transaction.max.timeout.ms", "900000").entrySet()) {
            Check.equal(entry.getValue(), config.get(entry.getKey()).value(), entry.getKey());
        }
        Check.that(config.get("node.id").isReadOnly(), "node.id is not read-only");
    }

    private static void adminCluster(Kit kit) throws Exception {
        var cluster = kit.admin().describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
        var nodes = List.copyOf(cluster.nodes().get());
        Check.equal(1, nodes.size(), "nodes");
        Check.equal(kit.address, nodes.get(0).host() + ":" + nodes.get(0).port(), "address");
        Check.equal(false, nodes.get(0).isFenced(), "fenced");
        Check.equal(nodes.get(0).id(), cluster.controller().get().id(), "controller");
        Check.that(!cluster.clusterId().get().isEmpty(), "the cluster has no id");
        Check.equal(Set.of(AclOperation.ALTER, AclOperation.ALTER_CONFIGS, AclOperation.CLUSTER_ACTION,
            AclOperation.CREATE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS, AclOperation.IDEMPOTENT_WRITE),
            cluster.authorizedOperations().get(), "authorized operations");
    }

    private static void errorTopicExists(Kit kit) throws Exception {
        String topic = kit.createTopic("exists", 1);
        Check.fails(TopicExistsException.class, () -> kit.admin().createTopics(List.of(newTopic(topic, 1, 1))).all().get());
    }

    private static void errorReplicationFactor(Kit kit) {
        for (int replicas : new int[] {0, 3}) {
            Check.fails(InvalidReplicationFactorException.class,
                () -> kit.admin().createTopics(List.of(newTopic(kit.unique("replicas"), 1, replicas))).all().get());
        }
    }

    private static void errorInvalidTopicName(Kit kit) throws Exception {
        for (String topic : List.of("with space", "..", ".", "slash/", "x".repeat(250))) {
            Check.fails(InvalidTopicException.class,
                () -> kit.admin().createTopics(List.of(newTopic(topic, 1, 1))).all().get());
        }
        // Names that differ only in '.' and '_' would collide in metric names.
        String topic = kit.createTopic("dot.dash", 1);
        Check.fails(InvalidTopicException.class,
            () -> kit.admin().createTopics(List.of(newTopic(topic.replace('.', '_'), 1, 1))).all().get());
    }

    private static void errorInvalidPartitions(Kit kit) {
        Check.fails(InvalidPartitionsException.class,
            () -> kit.admin().createTopics(List.of(newTopic(kit.unique("none"), 0, 1))).all().get());
    }

    private static void errorInvalidConfig(Kit kit) {
        for (var config : List.of(Map.of("no.such.config", "1"), Map.of("retention.ms", "soon"),
            Map.of("cleanup.policy", "burn"))) {
            Check.fails(InvalidConfigurationException.class, () -> kit.admin()
                .createTopics(List.of(newTopic(kit.unique("config"), 1, 1).configs(config))).all().get());
        }
    }

    private static void errorUnknownTopic(Kit kit) {
        String topic = kit.unique("unknown");
        Check.fails(UnknownTopicOrPartitionException.class,
            () -> kit.admin().describeTopics(List.of(topic)).allTopicNames().get());
        Check.fails(UnknownTopicOrPartitionException.class, () -> kit.admin().deleteTopics(List.of(topic)).all().get());
    }

    private TopicScenarios() { }
}
