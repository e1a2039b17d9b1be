import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Many members of one group, each with a thread of its own, told by lines of input what to do: `join NAME SEED`, `leave
 * NAME`, `crash NAME`. Arguments: address, protocol (classic, consumer or share), topic, group, heartbeat interval and
 * session timeout in ms. Prints GroupEvents. Ends when its input does.
 */
public final class GroupMembers {
    private enum Wish { STAY, LEAVE, CRASH }

    public static void main(String[] args) throws Exception {
        GroupMembers host = new GroupMembers(args);
        Map<String, Member> members = new HashMap<>();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "join" -> {
                    Random chance = new Random(Long.parseLong(words[2]));
                    Member member = host.protocol.equals("share")
                        ? host.new ShareMember(words[1], chance) : host.new ConsumerMember(words[1]);
                    members.put(words[1], member);
                    member.start();
                }
                case "leave" -> members.get(words[1]).wish = Wish.LEAVE;
                case "crash" -> members.get(words[1]).wish = Wish.CRASH;
                default -> throw new IllegalArgumentException(line);
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private final String address, protocol, topic, group, heartbeatMs, sessionMs;

    private GroupMembers(String[] args) {
        address = args[0];
        protocol = args[1];
        topic = args[2];
        group = args[3];
        heartbeatMs = args[4];
        sessionMs = args[5];
    }

    private abstract class Member extends Thread {
        final String name;
        volatile Wish wish = Wish.STAY;

        Member(String name) {
            super(name);
            this.name = name;
            setDaemon(true);
        }

        abstract void live();

        @Override
        public void run() {
            try {
                live();
            } catch (Throwable failure) {
                tell(GroupEvents.now(), "failed", "error", GroupEvents.quote(failure));
            }
        }

        void tell(double at, String event, Object... fields) {
            Object[] all = new Object[fields.length + 2];
            all[0] = "member";
            all[1] = GroupEvents.quote(name);
            System.arraycopy(fields, 0, all, 2, fields.length);
            GroupEvents.tell(at, event, all);
        }

        Map<String, Object> config() {
            return new HashMap<>(Map.of("bootstrap.servers", address, "group.id", group, "client.id", name,
                "fetch.max.wait.ms", "200", "reconnect.backoff.max.ms", "200", "retry.backoff.ms", "50",
                "retry.backoff.max.ms", "200"));
        }
    }

    /** Owns partitions, by either protocol, and commits what each poll brought. */
    private final class ConsumerMember extends Member implements ConsumerRebalanceListener {
        private KafkaConsumer<String, String> consumer;

        ConsumerMember(String name) {
            super(name);
        }

        @Override
        void live() {
            Map<String, Object> config = config();
            config.putAll(Map.of("group.protocol", protocol, "enable.auto.commit", "false", "auto.offset.reset", "earliest"));
            // In the consumer protocol these are the broker's to say.
            if (protocol.equals("classic")) config.putAll(Map.of("heartbeat.interval.ms", heartbeatMs, "session.timeout.ms", sessionMs));
            consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            tell(GroupEvents.now(), "joining");
            consumer.subscribe(List.of(topic), this);
            while (wish == Wish.STAY) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
                if (records.isEmpty()) continue;
                List<String> told = new ArrayList<>();
                for (ConsumerRecord<String, String> record : records) {
                    told.add("[" + record.partition() + "," + record.offset() + "," + GroupEvents.quote(record.value()) + "]");
                }
                tell(GroupEvents.now(), "delivered", "records", GroupEvents.list(told));
                try {
                    consumer.commitSync(Duration.ofSeconds(5));
                } catch (CommitFailedException | UnknownMemberIdException | RetriableException notCommitted) {
                    // Somebody will see these records again, which at least once allows.
                }
            }
            if (wish == Wish.LEAVE) {
                tell(GroupEvents.now(), "leaving");
                consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
                tell(GroupEvents.now(), "left");
            } else {
                tell(GroupEvents.now(), "crashed");
                consumer.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP)
                    .withTimeout(Duration.ZERO));
            }
        }

        private void owned(double at, String event, Collection<TopicPartition> partitions) {
            tell(at, event, "generation", consumer.groupMetadata().generationId(), "partitions",
                GroupEvents.list(partitions.stream().map(TopicPartition::partition).toList()));
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            owned(GroupEvents.now(), "assigned", partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            owned(GroupEvents.now(), "revoked", partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            owned(GroupEvents.now(), "lost", partitions);
        }
    }

    /** Acknowledges each record by itself, gives some back, and holds what it has when it crashes. */
    private final class ShareMember extends Member {
        private final Random chance;

        ShareMember(String name, Random chance) {
            super(name);
            this.chance = chance;
        }

        @Override
        void live() {
            Map<String, Object> config = config();
            // A thread that stops is noticed by its silence.
            config.putAll(Map.of("share.acknowledgement.mode", "explicit", "max.poll.interval.ms", "8000"));
            KafkaShareConsumer<String, String> consumer =
                new KafkaShareConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            tell(GroupEvents.now(), "joining");
            consumer.subscribe(List.of(topic));
            while (true) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
                boolean isCrash = wish == Wish.CRASH;
                List<String> told = new ArrayList<>();
                List<ConsumerRecord<String, String>> accepted = new ArrayList<>();
                for (ConsumerRecord<String, String> record : records) {
                    int count = record.deliveryCount().orElseThrow();
                    boolean isReleased = count < 3 && chance.nextInt(10) == 0;
                    if (!isCrash) consumer.acknowledge(record, isReleased ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
                    if (!isReleased) accepted.add(record);
                    told.add("[" + record.partition() + "," + record.offset() + "," + GroupEvents.quote(record.value()) + ","
                        + count + "," + GroupEvents.quote(isCrash ? "hold" : isReleased ? "release" : "accept") + "]");
                }
                if (!told.isEmpty()) tell(GroupEvents.now(), "delivered", "records", GroupEvents.list(told));
                if (isCrash) break;
                if (!told.isEmpty()) settle(consumer, accepted);
                if (wish == Wish.LEAVE) {
                    tell(GroupEvents.now(), "leaving");
                    consumer.close(Duration.ofSeconds(5));
                    tell(GroupEvents.now(), "left");
                    return;
                }
            }
            tell(GroupEvents.now(), "crashed");
        }

        private void settle(KafkaShareConsumer<String, String> consumer, List<ConsumerRecord<String, String>> accepted) {
            var answers = consumer.commitSync(Duration.ofSeconds(5));
            Set<Integer> settled = answers.entrySet().stream().filter(answer -> answer.getValue().isEmpty())
                .map(answer -> answer.getKey().partition()).collect(Collectors.toSet());
            List<String> told = accepted.stream().filter(record -> settled.contains(record.partition()))
                .map(record -> "[" + record.partition() + "," + record.offset() + "," + record.deliveryCount().orElseThrow() + "]")
                .toList();
            if (!told.isEmpty()) tell(GroupEvents.now(), "accepted", "records", GroupEvents.list(told));
        }
    }
}
