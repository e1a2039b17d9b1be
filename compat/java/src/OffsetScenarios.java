import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Positions: committing, resuming, seeking by offset and by time, bounds. */
final class OffsetScenarios {
    static void addTo(Map<String, Main.Scenario> all) {
        all.put("commit-resume", OffsetScenarios::commitResume);
        all.put("standalone-commit", OffsetScenarios::standaloneCommit);
        all.put("seek-offset", OffsetScenarios::seekOffset);
        all.put("seek-time", OffsetScenarios::seekTime);
        all.put("beginning-end-offsets", OffsetScenarios::beginningEndOffsets);
        all.put("offset-out-of-range", OffsetScenarios::offsetOutOfRange);
    }

    private static void commitResume(Kit kit) throws Exception {
        String topic = kit.createTopic("resume", 1);
        String group = kit.unique("resume");
        TopicPartition partition = new TopicPartition(topic, 0);
        kit.produceNumbers(topic, 1, 0, 10);
        Consumer<byte[], byte[]> first = kit.consumer("group.id", group);
        first.subscribe(List.of(topic));
        Check.equal(10, kit.poll(first, 10).size(), "records");
        OffsetAndMetadata committed = new OffsetAndMetadata(4, Optional.of(0), "note");
        first.commitSync(Map.of(partition, committed));
        Check.equal(Map.of(partition, committed), first.committed(Set.of(partition)), "committed");
        first.close(CloseOptions.timeout(Duration.ofSeconds(2)));
        Consumer<byte[], byte[]> second = kit.consumer("group.id", group);
        second.subscribe(List.of(topic));
        Check.equal(Kit.range(4, 10), Kit.valuesOf(kit.poll(second, 6)), "values after the commit");
        Check.equal(Map.of(partition, committed), second.committed(Set.of(partition)), "committed");
        second.commitSync();
        Check.equal(10L, second.committed(Set.of(partition)).get(partition).offset(), "position committed");
    }

    private static void standaloneCommit(Kit kit) throws Exception {
        String topic = kit.createTopic("standalone", 2);
        String group = kit.unique("standalone");
        kit.produceNumbers(topic, 2, 0, 10);
        Consumer<byte[], byte[]> first = kit.reader(topic, 2, "group.id", group);
        kit.poll(first, 10);
        List<TopicPartition> partitions = Kit.partitionsOf(topic, 2);
        first.commitSync(Map.of(partitions.get(1), new OffsetAndMetadata(3)));
        Consumer<byte[], byte[]> second = kit.reader(topic, 2, "group.id", group);
        Map<TopicPartition, OffsetAndMetadata> committed = second.committed(Set.copyOf(partitions));
        Check.equal(null, committed.get(partitions.get(0)), "commit of the other partition");
        Check.equal(3L, committed.get(partitions.get(1)).offset(), "commit");
        Check.equal(List.of(0, 2, 4, 6, 7, 8, 9), Kit.valuesOf(kit.poll(second, 7)).stream().sorted().toList(), "values");
    }

    private static void seekOffset(Kit kit) throws Exception {
        String topic = kit.createTopic("seek", 1);
        kit.produceNumbers(topic, 1, 0, 500);
        Consumer<byte[], byte[]> consumer = kit.reader(topic, 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        // Every kind of place: inside a batch, at the first and at the last record.
        for (int offset : new int[] {250, 499, 0, 37}) {
            consumer.seek(partition, offset);
            Check.equal(Kit.range(offset, 500), Kit.valuesOf(kit.poll(consumer, 500 - offset)), "values from " + offset);
        }
        consumer.seekToBeginning(List.of(partition));
        Check.equal(0L, consumer.position(partition), "position at the beginning");
        consumer.seekToEnd(List.of(partition));
        Check.equal(500L, consumer.position(partition), "position at the end");
        kit.produceNumbers(topic, 1, 500, 501);
        Check.equal(List.of(500), Kit.valuesOf(kit.poll(consumer, 1)), "value after the end");
    }

    private static void seekTime(Kit kit) throws Exception {
        String topic = kit.createTopic("seek-time", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        long start = System.currentTimeMillis() - 60_000;
        for (String codec : List.of("none", "lz4")) {
            Producer<byte[], byte[]> producer = kit.producer("compression.type", codec, "linger.ms", "50");
            int from = codec.equals("none") ? 0 : 5;
            for (int index = from; index < from + 5; index++) {
                producer.send(new ProducerRecord<>(topic, 0, start + index * 1_000L, null, Kit.bytes("" + index)));
            }
            producer.flush();
        }
        Consumer<byte[], byte[]> consumer = kit.reader(topic, 1);
        Map<Long, Long> expected = new HashMap<>();
        expected.put(start - 5_000, 0L);
        expected.put(start + 3_000, 3L);
        expected.put(start + 3_001, 4L);
        expected.put(start + 7_500, 8L);
        for (var entry : expected.entrySet()) {
            OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, entry.getKey())).get(partition);
            Check.equal(entry.getValue(), found.offset(), "offset at " + (entry.getKey() - start));
            Check.equal(start + entry.getValue() * 1_000, found.timestamp(), "timestamp of the found record");
        }
        Check.equal(null, consumer.offsetsForTimes(Map.of(partition, start + 9_001)).get(partition), "after the last");
        consumer.seek(partition, 8);
        Check.equal(List.of(8, 9), Kit.valuesOf(kit.poll(consumer, 2)), "values from the time");
        ListOffsetsResultInfo latest =
            kit.admin().listOffsets(Map.of(partition, OffsetSpec.maxTimestamp())).partitionResult(partition).get();
        Check.equal(9L, latest.offset(), "offset of the largest timestamp");
        Check.equal(start + 9_000, latest.timestamp(), "largest timestamp");
    }

    private static void beginningEndOffsets(Kit kit) throws Exception {
        String topic = kit.createTopic("bounds", 2);
        List<TopicPartition> partitions = Kit.partitionsOf(topic, 2);
        kit.produceNumbers(topic, 2, 0, 7);
        Consumer<byte[], byte[]> consumer = kit.reader(topic, 2);
        Check.equal(Map.of(partitions.get(0), 0L, partitions.get(1), 0L), consumer.beginningOffsets(partitions), "beginning");
        Check.equal(Map.of(partitions.get(0), 4L, partitions.get(1), 3L), consumer.endOffsets(partitions), "end");
        var specs = Map.of(partitions.get(0), OffsetSpec.earliest(), partitions.get(1), OffsetSpec.latest());
        var listed = kit.admin().listOffsets(specs).all().get();
        Check.equal(0L, listed.get(partitions.get(0)).offset(), "earliest");
        Check.equal(3L, listed.get(partitions.get(1)).offset(), "latest");
        Check.equal(Optional.of(0), listed.get(partitions.get(1)).leaderEpoch(), "leader epoch");
    }

    private static void offsetOutOfRange(Kit kit) throws Exception {
        String topic = kit.createTopic("out-of-range", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        kit.produceNumbers(topic, 1, 0, 10);
        Consumer<byte[], byte[]> strict = kit.reader(topic, 1, "auto.offset.reset", "none");
        strict.seek(partition, 1_000);
        OffsetOutOfRangeException refused = Check.fails(OffsetOutOfRangeException.class, () -> kit.poll(strict, 1));
        Check.equal(Map.of(partition, 1_000L), refused.offsetOutOfRangePartitions(), "partitions out of range");
        Consumer<byte[], byte[]> resetting = kit.reader(topic, 1);
        resetting.seek(partition, 1_000);
        Check.equal(Kit.range(0, 10), Kit.valuesOf(kit.poll(resetting, 10)), "values after the reset");
    }

    private OffsetScenarios() { }
}
