import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Counts words under exactly_once_v2, until it is killed: grouping makes a repartition topic, counting a state store and its
 * changelog. Arguments: address, input, output, application id, name (group.instance.id), folder of the state. Every
 * occurrence of a word becomes one record of its new count. Prints a line whenever words were counted.
 */
public final class WordCount {
    public static void main(String[] args) throws Exception {
        Properties config = new Properties();
        config.putAll(Map.of("bootstrap.servers", args[0], "application.id", args[3], "state.dir", args[5],
            "processing.guarantee", "exactly_once_v2", "replication.factor", "1", "num.stream.threads", "1",
            // Without a cache no count is left out.
            "statestore.cache.max.bytes", "0"));
        config.putAll(Map.of("main.consumer.group.instance.id", args[4], "consumer.session.timeout.ms", "10000",
            "consumer.heartbeat.interval.ms", "500", "consumer.auto.offset.reset", "earliest",
            "reconnect.backoff.max.ms", "200", "retry.backoff.max.ms", "200", "producer.linger.ms", "0"));
        AtomicLong counted = new AtomicLong();
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream(args[1], Consumed.with(Serdes.String(), Serdes.String()));
        lines.flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
            .count(Materialized.with(Serdes.String(), Serdes.Long()))
            .toStream()
            .peek((word, count) -> counted.incrementAndGet())
            .mapValues(count -> Long.toString(count))
            .to(args[2], Produced.with(Serdes.String(), Serdes.String()));

        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        streams.setUncaughtExceptionHandler(failure -> {
            System.out.println("a thread ended by " + Arrays.stream(failure.toString().split("\n")).findFirst().orElse(""));
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
        streams.start();
        for (long told = 0;; Thread.sleep(20)) {
            long now = counted.get();
            if (now != told) System.out.println("counted " + now);
            told = now;
        }
    }

    private WordCount() { }
}
