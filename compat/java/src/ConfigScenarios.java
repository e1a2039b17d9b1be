import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConfigEntry.ConfigSource;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Changing settings of topics, groups and brokers while they run. */
final class ConfigScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("admin-alter-configs", ConfigScenarios::alterConfigs);
    }

    private static void alterConfigs(Kit kit) throws Exception {
        alterTopic(kit);
        alterBroker(kit);
        alterGroup(kit);
    }

    private static void alterTopic(Kit kit) throws Exception {
        String name = kit.createTopic("alter", 1, "segment.ms", "86400000");
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name);
        AlterConfigsOptions validateOnly = new AlterConfigsOptions().validateOnly(true);
        kit.admin().incrementalAlterConfigs(Map.of(topic, List.of(op("retention.ms", OpType.SET, "1"))), validateOnly)
            .all().get();
        Check.equal("604800000", entry(kit, topic, "retention.ms").value(), "retention.ms");
        Check.fails(InvalidConfigurationException.class,
            () -> alter(kit, topic, op("retention.ms", OpType.SET, "soon"), op("segment.ms", OpType.SET, "1")));
        Check.fails(UnknownTopicOrPartitionException.class,
            () -> alter(kit, new ConfigResource(ConfigResource.Type.TOPIC, kit.unique("unknown")),
                op("retention.ms", OpType.SET, "1")));

        alter(kit, topic, op("max.message.bytes", OpType.SET, "2000"), op("cleanup.policy", OpType.APPEND, "compact"));
        becomes(kit, topic, "max.message.bytes", "2000", ConfigSource.DYNAMIC_TOPIC_CONFIG);
        becomes(kit, topic, "cleanup.policy", "delete,compact", ConfigSource.DYNAMIC_TOPIC_CONFIG);
        Check.equal("86400000", entry(kit, topic, "segment.ms").value(), "segment.ms");
        alter(kit, topic, op("cleanup.policy", OpType.SUBTRACT, "compact"));
        becomes(kit, topic, "cleanup.policy", "delete", ConfigSource.DYNAMIC_TOPIC_CONFIG);
        ProducerRecord<byte[], byte[]> large = new ProducerRecord<>(name, new byte[5000]);
        Check.fails(RecordTooLargeException.class, () -> kit.producer().send(large).get());
        alter(kit, topic, op("max.message.bytes", OpType.DELETE, null));
        becomes(kit, topic, "max.message.bytes", "1048588", ConfigSource.DEFAULT_CONFIG);
        kit.producer().send(large).get();
    }

    private static void alterBroker(Kit kit) throws Exception {
        int node = kit.admin().describeCluster().nodes().get().iterator().next().id();
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "" + node);
        ConfigResource allBrokers = new ConfigResource(ConfigResource.Type.BROKER, "");
        String name = "log.cleaner.delete.retention.ms";
        alter(kit, allBrokers, op(name, OpType.SET, "86300000"));
        becomes(kit, broker, name, "86300000", ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
        alter(kit, broker, op(name, OpType.SET, "86200000"));
        becomes(kit, broker, name, "86200000", ConfigSource.DYNAMIC_BROKER_CONFIG);
        Check.equal(List.of("86200000", "86300000", "86400000"),
            entry(kit, broker, name).synonyms().stream().map(ConfigEntry.ConfigSynonym::value).toList(), "synonyms");
        alter(kit, broker, op(name, OpType.DELETE, null));
        alter(kit, allBrokers, op(name, OpType.DELETE, null));
        becomes(kit, broker, name, "86400000", ConfigSource.DEFAULT_CONFIG);
        Check.fails(InvalidRequestException.class, () -> alter(kit, broker, op("num.partitions", OpType.SET, "2")));
    }

    private static void alterGroup(Kit kit) throws Exception {
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, kit.unique("alter"));
        String name = "consumer.session.timeout.ms";
        alter(kit, group, op(name, OpType.SET, "50000"));
        becomes(kit, group, name, "50000", ConfigSource.DYNAMIC_GROUP_CONFIG);
        Collection<ConfigResource> listed =
            kit.admin().listConfigResources(Set.of(ConfigResource.Type.GROUP), new ListConfigResourcesOptions()).all()
                .get();
        Check.that(listed.contains(group), "the group is not listed");
        alter(kit, group, op(name, OpType.DELETE, null));
        becomes(kit, group, name, "45000", ConfigSource.DEFAULT_CONFIG);
        Check.fails(InvalidConfigurationException.class, () -> alter(kit, group, op(name, OpType.SET, "1")));
    }

    private static AlterConfigOp op(String name, OpType type, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), type);
    }

    private static Void alter(Kit kit, ConfigResource resource, AlterConfigOp... ops) throws Exception {
        return kit.admin().incrementalAlterConfigs(Map.of(resource, List.of(ops))).all().get();
    }

    private static ConfigEntry entry(Kit kit, ConfigResource resource, String name) throws Exception {
        return TopicScenarios.describe(kit.admin(), resource).get(name);
    }

    /** Apache Kafka answers before it has applied a change. */
    private static void becomes(Kit kit, ConfigResource resource, String name, String value, ConfigSource source)
        throws Exception {
        Check.eventually(name + " becomes " + value, () -> {
            ConfigEntry entry = entry(kit, resource, name);
            return entry.value().equals(value) && entry.source() == source;
        });
    }

    private ConfigScenarios() { }
}
