import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListStreamsGroupOffsetsSpec;
import org.apache.kafka.clients.admin.StreamsGroupDescription;
import org.apache.kafka.clients.admin.StreamsGroupMemberAssignment;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.serialization.LongDeserializer;

/** Kafka Streams applications by the streams protocol (KIP-1071), and what admins see of them. */
final class StreamsGroupScenarios {
    private static final int PARTITIONS = 4;

    static void addTo(Map<String, Main.Scenario> all) {
        all.put("streams-group", StreamsGroupScenarios::streamsGroup);
        all.put("streams-group-standby", StreamsGroupScenarios::streamsGroupStandby);
        all.put("admin-streams-groups", StreamsGroupScenarios::adminStreamsGroups);
    }

    /** An application: its topics, its running instances, and the counts that it has told so far. */
    private static final class Application implements AutoCloseable {
        final Kit kit;
        final String id;
        final String input;
        final String output;
        final List<Process> instances = new ArrayList<>();
        final Path state = Files.createTempDirectory("counting");
        final Map<String, Long> expected = new HashMap<>();
        final Map<String, Long> told = new HashMap<>();
        final Producer<byte[], byte[]> producer;
        final Consumer<byte[], byte[]> reader;

        Application(Kit kit, String... groupConfigs) throws Exception {
            this.kit = kit;
            id = kit.unique("counting");
            input = kit.createTopic("lines", PARTITIONS);
            output = kit.createTopic("counts", PARTITIONS);
            producer = kit.producer("linger.ms", "5");
            reader = kit.reader(output, PARTITIONS);
            List<AlterConfigOp> alterations = new ArrayList<>();
            for (int each = 0; each < groupConfigs.length; each += 2) {
                ConfigEntry entry = new ConfigEntry(groupConfigs[each], groupConfigs[each + 1]);
                alterations.add(new AlterConfigOp(entry, AlterConfigOp.OpType.SET));
            }
            ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, id);
            kit.admin().incrementalAlterConfigs(Map.of(group, alterations)).all().get();
        }

        void start() throws Exception {
            String directory = state.resolve("instance-" + instances.size()).toString();
            Path log = state.resolve("log-" + instances.size());
            instances.add(new ProcessBuilder(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-Xmx256M", "-XX:TieredStopAtLevel=1",
                "-Dlog4j2.configurationFile=" + System.getProperty("log4j2.configurationFile"), "-Dlog.level=OFF",
                "-cp", System.getProperty("java.class.path"), "CountingApp",
                kit.address, id, input, output, directory)
                .redirectErrorStream(true).redirectOutput(log.toFile()).start());
        }

        /** kill -9. */
        void kill(int instance) throws Exception {
            instances.get(instance).destroyForcibly().waitFor();
        }

        StreamsGroupDescription describe() throws Exception {
            return kit.admin().describeStreamsGroups(List.of(id)).describedGroups().get(id).get();
        }

        /** Waits until `members` members have all the tasks among them, each task once. */
        void awaitStable(int members) throws Exception {
            for (long deadline = System.nanoTime() + 60_000_000_000L;;) {
                for (Process instance : instances.subList(instances.size() - members, instances.size())) {
                    Check.that(instance.isAlive(), "an instance has ended: " + logs());
                }
                String seen;
                try {
                    StreamsGroupDescription group = describe();
                    List<String> active = tasksOf(group, StreamsGroupMemberAssignment::activeTasks);
                    Check.equal(active.size(), new HashSet<>(active).size(), "a task is run once");
                    if (group.groupState() == GroupState.STABLE && group.members().size() == members
                        && active.size() == 2 * PARTITIONS) return;
                    seen = group.groupState() + " with " + group.members().size() + " members and tasks " + active;
                } catch (ExecutionException failure) {
                    seen = failure.getMessage();
                }
                Check.that(System.nanoTime() < deadline, "not stable within 60 s: " + seen + logs());
                Thread.sleep(50);
            }
        }

        /** Lines of words, and what their counts are to be. */
        void produce(int lines) throws Exception {
            for (int line = 0; line < lines; line++) {
                String text = "word" + line % 7 + " word" + line % 11 + " rare" + line;
                for (String word : text.split(" ")) expected.merge(word, 1L, Long::sum);
                producer.send(new ProducerRecord<>(input, line % PARTITIONS, null, Kit.bytes(text)));
            }
            producer.flush();
        }

        /** Waits until every word's last count is the right one, and the input is committed to its end. */
        void awaitCounts() throws Exception {
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (!told.equals(expected)) {
                reader.poll(Duration.ofMillis(100)).forEach(record -> told.put(
                    new String(record.key(), StandardCharsets.UTF_8), new LongDeserializer().deserialize("", record.value())));
                for (Map.Entry<String, Long> word : told.entrySet()) {
                    Check.that(word.getValue() <= expected.getOrDefault(word.getKey(), 0L),
                        word + " is counted too often, it came " + expected.get(word.getKey()) + " times");
                }
                Check.that(System.nanoTime() < deadline, "counts are not right within 60 s: " + differences() + logs());
            }
            Check.eventually("the whole input is committed", () -> lag() == 0);
        }

        private List<String> differences() {
            return expected.entrySet().stream().filter(word -> !word.getValue().equals(told.get(word.getKey())))
                .limit(5).map(word -> word + " but " + told.get(word.getKey())).toList();
        }

        private long lag() throws Exception {
            Map<TopicPartition, Long> ends = reader.endOffsets(Kit.partitionsOf(input, PARTITIONS));
            var committed = kit.admin().listStreamsGroupOffsets(Map.of(id, new ListStreamsGroupOffsetsSpec()))
                .partitionsToOffsetAndMetadata(id).get();
            long lag = 0;
            for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
                var offset = committed.get(end.getKey());
                lag += end.getValue() - (offset == null ? 0 : offset.offset());
            }
            return lag;
        }

        private String logs() {
            StringBuilder text = new StringBuilder();
            for (int instance = 0; instance < instances.size(); instance++) {
                try {
                    String log = Files.readString(state.resolve("log-" + instance));
                    text.append(' ').append(log, 0, Math.min(log.length(), 500));
                } catch (IOException none) {
                    text.append(" (no log)");
                }
            }
            return text.toString();
        }

        @Override
        public void close() throws IOException {
            for (Process instance : instances) instance.destroyForcibly().onExit().join();
            try (Stream<Path> files = Files.walk(state)) {
                files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        }
    }

    private static List<String> tasksOf(StreamsGroupDescription group,
            Function<StreamsGroupMemberAssignment, List<StreamsGroupMemberAssignment.TaskIds>> role) {
        List<String> tasks = new ArrayList<>();
        for (var member : group.members()) {
            for (var ids : role.apply(member.assignment())) {
                for (int partition : ids.partitions()) tasks.add(ids.subtopologyId() + "_" + partition);
            }
        }
        return tasks;
    }

    /** Two instances count; one is killed, and the other goes on from its changelog; each word is counted exactly. */
    private static void streamsGroup(Kit kit) throws Exception {
        try (Application application = new Application(kit,
            "streams.session.timeout.ms", "6000", "streams.heartbeat.interval.ms", "500")) {
            application.start();
            application.start();
            application.awaitStable(2);
            application.produce(400);
            application.awaitCounts();
            application.kill(0);
            application.produce(400);
            application.awaitStable(1);
            application.awaitCounts();
            String changelog = application.id + "-" + CountingApp.STORE + "-changelog";
            String repartition = application.id + "-" + CountingApp.REPARTITION + "-repartition";
            Map<String, TopicDescription> topics =
                kit.admin().describeTopics(List.of(changelog, repartition)).allTopicNames().get();
            Check.equal(PARTITIONS, topics.get(changelog).partitions().size(), "partitions of the changelog");
            Check.equal(PARTITIONS, topics.get(repartition).partitions().size(), "partitions of the repartition topic");
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, changelog);
            var configs = kit.admin().describeConfigs(List.of(resource)).all().get().get(resource);
            Check.equal("compact", configs.get("cleanup.policy").value(), "the changelog's cleanup.policy");
        }
    }

    /** Each stateful task has a copy in the other process, which takes over without reading the changelog anew. */
    private static void streamsGroupStandby(Kit kit) throws Exception {
        try (Application application = new Application(kit,
            "streams.session.timeout.ms", "6000", "streams.heartbeat.interval.ms", "500",
            "streams.num.standby.replicas", "1")) {
            application.start();
            application.start();
            application.awaitStable(2);
            Set<String> stateful = Set.of("1_0", "1_1", "1_2", "1_3");
            Check.eventually("a standby of each stateful task", () -> Set.copyOf(
                tasksOf(application.describe(), StreamsGroupMemberAssignment::standbyTasks)).equals(stateful));
            application.produce(200);
            application.awaitCounts();
            application.kill(1);
            application.instances.remove(1);
            application.produce(200);
            application.awaitStable(1);
            application.awaitCounts();
        }
    }

    /** Groups listed by type and state; described; offsets altered and deleted, and the group, when nobody is in. */
    private static void adminStreamsGroups(Kit kit) throws Exception {
        try (Application application = new Application(kit,
            "streams.session.timeout.ms", "6000", "streams.heartbeat.interval.ms", "500")) {
            application.start();
            application.awaitStable(1);
            application.produce(40);
            application.awaitCounts();
            StreamsGroupDescription group = application.describe();
            Check.equal(2, group.subtopologies().size(), "subtopologies");
            Check.that(!group.members().iterator().next().processId().isEmpty(), "a member has no process id");
            var listed = kit.admin().listGroups(
                ListGroupsOptions.forStreamsGroups()).all().get();
            Check.that(listed.stream().anyMatch(each -> each.groupId().equals(application.id)
                && each.groupState().equals(Optional.of(GroupState.STABLE))), "it is listed as stable");
            TopicPartition first = new TopicPartition(application.input, 0);
            Check.fails(GroupNotEmptyException.class,
                () -> kit.admin().deleteStreamsGroups(List.of(application.id)).all().get());
            application.instances.get(0).destroy();
            application.instances.get(0).waitFor();
            Check.eventually("the group is empty", () -> application.describe().groupState() == GroupState.EMPTY);
            kit.admin().alterStreamsGroupOffsets(application.id,
                Map.of(first, new OffsetAndMetadata(3))).all().get();
            var offsets = kit.admin().listStreamsGroupOffsets(Map.of(application.id, new ListStreamsGroupOffsetsSpec()))
                .partitionsToOffsetAndMetadata(application.id).get();
            Check.equal(3L, offsets.get(first).offset(), "the altered offset");
            kit.admin().deleteStreamsGroupOffsets(application.id, Set.of(first)).all().get();
            kit.admin().deleteStreamsGroups(List.of(application.id)).all().get();
            Check.fails(GroupIdNotFoundException.class, application::describe);
        }
    }
}
