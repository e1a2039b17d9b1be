import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Asks the broker again and again who is in a group and prints a `described` event whenever the answer changes, until its
 * input ends. Arguments: address, protocol, group. A share group is told first to begin at the beginning, and to give no
 * record up before its tenth delivery.
 */
public final class GroupWatch {
    private static final int PAUSE_MS = 25;

    public static void main(String[] args) throws Exception {
        String protocol = args[1], group = args[2];
        Thread watching = new Thread(() -> {
            try {
                watch(args[0], protocol, group);
            } catch (Exception failure) {
                GroupEvents.tell(GroupEvents.now(), "failed", "error", GroupEvents.quote(failure));
            }
        });
        watching.setDaemon(true);
        watching.start();
        while (System.in.read() >= 0) continue;
        Runtime.getRuntime().halt(0);
    }

    private static void watch(String address, String protocol, String group) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", address, "reconnect.backoff.max.ms", "200",
            "default.api.timeout.ms", "5000", "request.timeout.ms", "2000", "retry.backoff.max.ms", "200");
        try (Admin admin = Admin.create(config)) {
            boolean isShare = protocol.equals("share");
            if (isShare) configure(admin, group);
            GroupEvents.tell(GroupEvents.now(), "watching");
            String before = null;
            while (true) {
                String description = null;
                try {
                    description = isShare ? describeShare(admin, group) : describe(admin, group);
                } catch (ExecutionException notNow) {
                    // The broker is gone for a moment, or nobody has joined yet.
                }
                if (description != null && !description.equals(before)) {
                    GroupEvents.tell(GroupEvents.now(), "described", "members", description);
                    before = description;
                }
                Thread.sleep(PAUSE_MS);
            }
        }
    }

    private static void configure(Admin admin, String group) throws Exception {
        Map<String, String> entries = Map.of("share.auto.offset.reset", "earliest", "share.delivery.count.limit", "10");
        Collection<AlterConfigOp> operations = entries.entrySet().stream()
            .map(entry -> new AlterConfigOp(new ConfigEntry(entry.getKey(), entry.getValue()), AlterConfigOp.OpType.SET))
            .toList();
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, group), operations)).all().get();
    }

    private static String describe(Admin admin, String group) throws Exception {
        ConsumerGroupDescription description = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        Map<String, String> members = new TreeMap<>();
        for (var member : description.members()) {
            members.put(member.consumerId(), member(member.clientId(), member.assignment().topicPartitions()));
        }
        return GroupEvents.list(members.values());
    }

    private static String describeShare(Admin admin, String group) throws Exception {
        ShareGroupDescription description = admin.describeShareGroups(List.of(group)).all().get().get(group);
        Map<String, String> members = new TreeMap<>();
        for (var member : description.members()) {
            members.put(member.consumerId(), member(member.clientId(), member.assignment().topicPartitions()));
        }
        return GroupEvents.list(members.values());
    }

    private static String member(String name, Collection<TopicPartition> partitions) {
        return "{\"name\":" + GroupEvents.quote(name) + ",\"partitions\":"
            + GroupEvents.list(partitions.stream().map(TopicPartition::partition).sorted().toList()) + "}";
    }

    private GroupWatch() { }
}
