import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;

/**
 * Members of groups, by name, for the tools to look at. A member reads its topics from the beginning and commits (accepts) what
 * it has read. It has joined when it has read as many records as the command's "records" says, and has at least one partition.
 */
final class Members {
    private static final long JOIN_SECONDS_MAX = 60;

    private interface Member {
        void leave() throws Exception;
    }

    private final String address;
    private final Map<String, Member> members = new HashMap<>();

    Members(String address) {
        this.address = address;
    }

    void join(JsonNode command) throws Exception {
        List<String> topics = new ArrayList<>();
        command.get("topics").forEach(topic -> topics.add(topic.asText()));
        String name = command.get("name").asText();
        String group = command.get("group").asText();
        int records = command.path("records").asInt(0);
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", address, "group.id", group, "client.id", name,
            "enable.auto.commit", "false", "auto.offset.reset", "earliest", "fetch.max.wait.ms", "100"));
        command.path("config").properties().forEach(entry -> config.put(entry.getKey(), entry.getValue().asText()));
        switch (command.get("join").asText()) {
            case "classic", "consumer" -> {
                config.put("group.protocol", command.get("join").asText());
                members.put(name, new ConsumerMember(config, topics, records).started());
            }
            case "share" -> {
                config.keySet().removeAll(List.of("enable.auto.commit", "auto.offset.reset"));
                members.put(name, new ShareMember(config, topics, records).started());
            }
            case "streams" -> members.put(name, streams(group, topics.get(0), command.get("state").asText()));
            default -> throw new IllegalArgumentException("no such kind of member: " + command);
        }
    }

    void leave(String name) throws Exception {
        members.remove(name).leave();
    }

    /** A member with a thread that polls. */
    private abstract static class Polling extends Thread implements Member {
        private final CompletableFuture<Void> joined = new CompletableFuture<>();
        private volatile boolean isLeaving;

        /** Polls once, and says whether this member has what it should. */
        abstract boolean poll() throws Exception;

        abstract void closeClient();

        Polling started() throws Exception {
            setDaemon(true);
            start();
            joined.get(JOIN_SECONDS_MAX, TimeUnit.SECONDS);
            return this;
        }

        @Override
        public void run() {
            try {
                while (!isLeaving) {
                    if (poll()) joined.complete(null);
                }
            } catch (Exception failure) {
                joined.completeExceptionally(failure);
            } finally {
                closeClient();
            }
        }

        @Override
        public void leave() throws InterruptedException {
            isLeaving = true;
            join();
        }
    }

    private static final class ConsumerMember extends Polling {
        private final KafkaConsumer<String, String> consumer;
        private final int wanted;
        private int read;

        ConsumerMember(Map<String, Object> config, List<String> topics, int records) {
            consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            consumer.subscribe(topics);
            wanted = records;
        }

        @Override
        boolean poll() {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
            if (!records.isEmpty()) consumer.commitSync();
            read += records.count();
            return read >= wanted && !consumer.assignment().isEmpty();
        }

        @Override
        void closeClient() {
            consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(5)));
        }
    }

    private static final class ShareMember extends Polling {
        private final KafkaShareConsumer<String, String> consumer;
        private final int wanted;
        private int read;

        ShareMember(Map<String, Object> config, List<String> topics, int records) {
            config.put("share.acknowledgement.mode", "implicit");
            consumer = new KafkaShareConsumer<>(config, new StringDeserializer(), new StringDeserializer());
            consumer.subscribe(topics);
            wanted = records;
        }

        @Override
        boolean poll() {
            read += consumer.poll(Duration.ofMillis(50)).count();
            consumer.commitSync();
            return read >= wanted;
        }

        @Override
        void closeClient() {
            consumer.close(Duration.ofSeconds(5));
        }
    }

    /** A count by key, through a repartition topic and with a changelog. */
    private Member streams(String group, String input, String state) throws Exception {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(Serdes.String(), Serdes.String()))
            .groupBy((key, value) -> value, Grouped.with("by-value", Serdes.String(), Serdes.String()))
            .count(Materialized.as("counts"));
        StreamsConfig config = new StreamsConfig(Map.of(
            StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, address, StreamsConfig.APPLICATION_ID_CONFIG, group,
            StreamsConfig.STATE_DIR_CONFIG, state,
            StreamsConfig.GROUP_PROTOCOL_CONFIG, "streams", StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100,
            StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1, StreamsConfig.CLIENT_ID_CONFIG, "in-" + group));
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        CompletableFuture<Void> running = new CompletableFuture<>();
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) running.complete(null);
            if (now == KafkaStreams.State.ERROR) running.completeExceptionally(new IllegalStateException("streams: " + now));
        });
        streams.start();
        running.get(JOIN_SECONDS_MAX, TimeUnit.SECONDS);
        return () -> streams.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
            .withTimeout(Duration.ofSeconds(10)));
    }
}
