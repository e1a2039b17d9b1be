import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Consumes, transforms, produces, exactly once, until it is killed. Arguments: address, input, output, group, and the name
 * under which it comes back (transactional.id and group.instance.id). Value v at offset o of the input becomes "o:v" in the
 * same partition of the output. Prints a line per transaction. An exception ends the process: the next one of its name
 * goes on from what was committed.
 */
public final class Transform {
    public static void main(String[] args) throws Exception {
        String address = args[0], input = args[1], output = args[2], group = args[3], name = args[4];
        Map<String, Object> producing = Map.of("bootstrap.servers", address, "transactional.id", name, "linger.ms", "0",
            "reconnect.backoff.max.ms", "200", "retry.backoff.max.ms", "200");
        Map<String, Object> consuming = new HashMap<>(Map.of("bootstrap.servers", address, "group.id", group,
            "group.instance.id", name, "isolation.level", "read_committed", "enable.auto.commit", "false",
            "auto.offset.reset", "earliest", "max.poll.records", "20", "session.timeout.ms", "10000",
            "heartbeat.interval.ms", "500"));
        consuming.putAll(Map.of("reconnect.backoff.max.ms", "200", "retry.backoff.max.ms", "200", "fetch.max.wait.ms", "100"));
        try (var producer = new KafkaProducer<>(producing, new StringSerializer(), new StringSerializer());
                var consumer = new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
            producer.initTransactions();
            consumer.subscribe(List.of(input));
            while (true) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
                if (records.isEmpty()) continue;
                producer.beginTransaction();
                for (ConsumerRecord<String, String> record : records) {
                    String value = record.offset() + ":" + record.value();
                    producer.send(new ProducerRecord<>(output, record.partition(), null, value));
                }
                // Written and not yet committed: where a kill hurts most.
                producer.flush();
                Thread.sleep(10);
                producer.sendOffsetsToTransaction(records.nextOffsets(), consumer.groupMetadata());
                producer.commitTransaction();
                System.out.println("committed " + records.count());
            }
        } catch (Exception failure) {
            System.out.println("ended by " + failure);
            Runtime.getRuntime().halt(1);
        }
    }

    private Transform() { }
}
