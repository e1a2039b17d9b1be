package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Records in, records out: codecs, acknowledgements, sizes, partitions, waiting.
func recordScenarios() []scenario {
	scenarios := []scenario{}
	for number, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		scenarios = append(scenarios, scenario{"produce-consume-" + codec, func(k *kit) { produceConsume(k, codec, number) }})
	}
	return append(scenarios,
		scenario{"idempotent-producer", idempotentProducer},
		scenario{"acks-0", func(k *kit) { acks(k, kgo.NoAck()) }},
		scenario{"acks-1", func(k *kit) { acks(k, kgo.LeaderAck()) }},
		scenario{"acks-all", func(k *kit) { acks(k, kgo.AllISRAcks()) }},
		scenario{"large-message", largeMessage},
		scenario{"too-large-message-refused", tooLargeMessageRefused},
		scenario{"many-partitions", manyPartitions},
		scenario{"keyed-partitioner", keyedPartitioner},
		scenario{"auto-create-topic", autoCreateTopic},
		scenario{"long-poll", longPoll},
		scenario{"empty-topic", emptyTopic},
		scenario{"log-append-time", logAppendTime},
		scenario{"compacted-topic-needs-keys", compactedTopicNeedsKeys},
		scenario{"seek-offset", seekOffset},
		scenario{"seek-time", seekTime},
		scenario{"beginning-end-offsets", beginningEndOffsets},
		scenario{"offset-out-of-range", offsetOutOfRange},
	)
}

// sampleRecords has records of every shape: null and empty keys, values and
// headers, all byte values, own timestamps.
func sampleRecords(topic string) []*kgo.Record {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	shapes := [][2][]byte{
		{nil, []byte("plain")}, {[]byte("k"), nil}, {{}, {}}, {everyByte, everyByte}, {nil, nil},
		{[]byte("long"), []byte(strings.Repeat("compressible ", 1000))}, {[]byte("noise"), noise(5000)},
	}
	start := time.Now().Add(-70 * time.Second).Truncate(time.Millisecond)
	records := []*kgo.Record{}
	for i := range 70 {
		shape := shapes[i%len(shapes)]
		r := &kgo.Record{Topic: topic, Key: shape[0], Value: shape[1], Timestamp: start.Add(time.Duration(i) * time.Second)}
		if i%2 == 1 {
			r.Headers = []kgo.RecordHeader{
				{Key: "trace", Value: []byte{byte(i), 0, 255}}, {Key: "trace", Value: []byte("again")},
				{Key: "empty", Value: []byte{}}, {Key: "null", Value: nil}, {Key: "", Value: []byte("no name")},
			}
		}
		records = append(records, r)
	}
	return records
}

func describe(r *kgo.Record) string {
	headers := ""
	for _, h := range r.Headers {
		headers += fmt.Sprintf("%s=%x null=%t ", h.Key, h.Value, h.Value == nil)
	}
	return fmt.Sprintf("key %x null=%t value %x null=%t time %d headers %s",
		r.Key, r.Key == nil, r.Value, r.Value == nil, r.Timestamp.UnixMilli(), headers)
}

func produceConsume(k *kit, codec string, codecNumber int) {
	topic := k.createTopic("codec-"+codec, 1)
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	producer := k.client(kgo.ProducerBatchCompression(codecs[codecNumber]), kgo.ProducerLinger(50*time.Millisecond))
	sent := sampleRecords(topic)
	ok(producer.ProduceSync(k.ctx, sent...).FirstErr())
	received := k.poll(k.consumer(kgo.ConsumeTopics(topic)), len(sent))
	for i, r := range received {
		equal(fmt.Sprintf("record %d", i), describe(sent[i]), describe(r))
		equal("offset", int64(i), r.Offset)
		equal("acknowledged offset", int64(i), sent[i].Offset)
		equal("codec of the batch", uint8(codecNumber), r.Attrs.CompressionType())
	}
}

func idempotentProducer(k *kit) {
	topic := k.createTopic("idempotent", 3)
	// Small batches, several of them in flight.
	k.produceNumbers(topic, 3, 0, 3000, kgo.ProducerBatchMaxBytes(1024), kgo.ProducerLinger(0))
	received := k.poll(k.consumer(kgo.ConsumeTopics(topic)), 3000)
	byPartition(received, func(partition int32, values []string) {
		expected := []string{}
		for n := int(partition); n < 3000; n += 3 {
			expected = append(expected, fmt.Sprint(n))
		}
		equal(fmt.Sprintf("values of partition %d", partition), expected, values)
	})
}

func byPartition(records []*kgo.Record, visit func(int32, []string)) {
	groups := map[int32][]*kgo.Record{}
	for _, r := range records {
		groups[r.Partition] = append(groups[r.Partition], r)
	}
	for partition, group := range groups {
		visit(partition, valuesOf(group))
	}
}

func acks(k *kit, level kgo.Acks) {
	topic := k.createTopic("acks", 1)
	k.produceNumbers(topic, 1, 0, 20, kgo.RequiredAcks(level), kgo.DisableIdempotentWrite())
	equal("values", numbers(0, 20), valuesOf(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 20)))
}

func largeMessage(k *kit) {
	topic := k.createTopic("large", 1)
	producer := k.client(kgo.ProducerBatchMaxBytes(1<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	value := noise(1_048_000)
	for range 3 {
		ok(producer.ProduceSync(k.ctx, &kgo.Record{Topic: topic, Value: value}).FirstErr())
	}
	for _, r := range k.poll(k.consumer(kgo.ConsumeTopics(topic), kgo.FetchMaxPartitionBytes(1000)), 3) {
		that(bytes.Equal(value, r.Value), "the value differs")
	}
}

func tooLargeMessageRefused(k *kit) {
	small := k.createTopic("max-bytes", 1, "max.message.bytes", "10000")
	usual := k.createTopic("too-large", 1)
	producer := k.client(kgo.ProducerBatchMaxBytes(4<<20), kgo.ProducerBatchCompression(kgo.NoCompression()))
	fails(kerr.MessageTooLarge, producer.ProduceSync(k.ctx, &kgo.Record{Topic: small, Value: noise(11_000)}).FirstErr())
	fails(kerr.MessageTooLarge, producer.ProduceSync(k.ctx, &kgo.Record{Topic: usual, Value: noise(1_100_000)}).FirstErr())
	again := k.client()
	r := &kgo.Record{Topic: small, Value: noise(9_000)}
	ok(again.ProduceSync(k.ctx, r).FirstErr())
	equal("offset", int64(0), r.Offset)
}

func manyPartitions(k *kit) {
	topic := k.createTopic("many", 40)
	k.produceNumbers(topic, 40, 0, 4000)
	byPartition(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 4000), func(partition int32, values []string) {
		expected := []string{}
		for n := int(partition); n < 4000; n += 40 {
			expected = append(expected, fmt.Sprint(n))
		}
		equal(fmt.Sprintf("values of partition %d", partition), expected, values)
	})
}

func keyedPartitioner(k *kit) {
	topic := k.createTopic("keyed", 8)
	partitions := map[string]int32{}
	for range 2 {
		producer := k.client()
		for key := range 40 {
			r := &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "key-%d", key)}
			ok(producer.ProduceSync(k.ctx, r).FirstErr())
			if before, known := partitions[string(r.Key)]; known {
				equal("partition of "+string(r.Key), before, r.Partition)
			}
			partitions[string(r.Key)] = r.Partition
		}
	}
	used := map[int32]bool{}
	for _, r := range k.poll(k.consumer(kgo.ConsumeTopics(topic)), 80) {
		equal("partition", partitions[string(r.Key)], r.Partition)
		used[r.Partition] = true
	}
	that(len(used) > 1, "all keys went to one partition")
}

func autoCreateTopic(k *kit) {
	topic := k.unique("auto")
	producer := k.client(kgo.AllowAutoTopicCreation())
	ok(producer.ProduceSync(k.ctx, &kgo.Record{Topic: topic, Value: []byte("first")}).FirstErr())
	equal("values", []string{"first"}, valuesOf(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 1)))
	details, err := k.admin().ListTopics(k.ctx, topic)
	ok(err)
	equal("partitions of the created topic", 1, len(details[topic].Partitions))
}

func longPoll(k *kit) {
	topic := k.createTopic("long-poll", 1)
	// The wait is longer than poll allows: only a fetch that wakes up early passes.
	consumer := k.consumer(kgo.ConsumeTopics(topic), kgo.FetchMaxWait(60*time.Second))
	k.none(consumer, 700*time.Millisecond)
	k.produceNumbers(topic, 1, 0, 1)
	equal("values", []string{"0"}, valuesOf(k.poll(consumer, 1)))
}

func emptyTopic(k *kit) {
	topic := k.createTopic("empty", 2)
	k.none(k.consumer(kgo.ConsumeTopics(topic)), 700*time.Millisecond)
	admin := k.admin()
	starts, err := admin.ListStartOffsets(k.ctx, topic)
	ok(err)
	ends, err := admin.ListEndOffsets(k.ctx, topic)
	ok(err)
	largest, err := admin.ListMaxTimestampOffsets(k.ctx, topic)
	ok(err)
	for partition := range int32(2) {
		equal("start", int64(0), starts[topic][partition].Offset)
		equal("end", int64(0), ends[topic][partition].Offset)
		equal("offset of the largest timestamp", int64(-1), largest[topic][partition].Offset)
		equal("largest timestamp", int64(-1), largest[topic][partition].Timestamp)
	}
}

func logAppendTime(k *kit) {
	topic := k.createTopic("append-time", 1, "message.timestamp.type", "LogAppendTime")
	before := time.Now().Truncate(time.Millisecond)
	r := &kgo.Record{Topic: topic, Value: []byte("1"), Timestamp: time.UnixMilli(1000)}
	ok(k.client().ProduceSync(k.ctx, r).FirstErr())
	received := k.poll(k.consumer(kgo.ConsumeTopics(topic)), 1)[0]
	equal("timestamp type", int8(1), received.Attrs.TimestampType())
	that(!received.Timestamp.Before(before) && !received.Timestamp.After(time.Now()), "not the broker's time")
}

func compactedTopicNeedsKeys(k *kit) {
	topic := k.createTopic("compacted", 1, "cleanup.policy", "compact")
	fails(kerr.InvalidRecord, k.client().ProduceSync(k.ctx, &kgo.Record{Topic: topic, Value: []byte("keyless")}).FirstErr())
	ok(k.client().ProduceSync(k.ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("keyed")}).FirstErr())
	equal("values", []string{"keyed"}, valuesOf(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 1)))
}

func consumeFrom(k *kit, topic string, at kgo.Offset) *kgo.Client {
	return k.consumer(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: at}}))
}

func seekOffset(k *kit) {
	topic := k.createTopic("seek", 1)
	k.produceNumbers(topic, 1, 0, 500)
	for _, offset := range []int{250, 499, 0, 37} {
		consumer := consumeFrom(k, topic, kgo.NewOffset().At(int64(offset)))
		equal("values", numbers(offset, 500), valuesOf(k.poll(consumer, 500-offset)))
	}
	equal("values", numbers(490, 500), valuesOf(k.poll(consumeFrom(k, topic, kgo.NewOffset().AtEnd().Relative(-10)), 10)))
	k.none(consumeFrom(k, topic, kgo.NewOffset().AtEnd()), 500*time.Millisecond)
}

func seekTime(k *kit) {
	topic := k.createTopic("seek-time", 1)
	start := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	produceTimed(k, topic, start, 0, kgo.NoCompression())
	produceTimed(k, topic, start, 5, kgo.ZstdCompression())
	admin := k.admin()
	for ms, expected := range map[int64][2]int64{-5000: {0, 0}, 3000: {3, 3000}, 3001: {4, 4000}, 7500: {8, 8000}} {
		listed, err := admin.ListOffsetsAfterMilli(k.ctx, start.UnixMilli()+ms, topic)
		ok(err)
		equal(fmt.Sprintf("offset at %d", ms), expected[0], listed[topic][0].Offset)
		equal("timestamp of the found record", start.UnixMilli()+expected[1], listed[topic][0].Timestamp)
	}
	// Later than every record: kadm asks again and answers with the end.
	late, err := admin.ListOffsetsAfterMilli(k.ctx, start.UnixMilli()+9001, topic)
	ok(err)
	equal("offset after the last", int64(10), late[topic][0].Offset)
	consumer := consumeFrom(k, topic, kgo.NewOffset().AfterMilli(start.UnixMilli()+7001))
	equal("values", []string{"8", "9"}, valuesOf(k.poll(consumer, 2)))
	largest, err := admin.ListMaxTimestampOffsets(k.ctx, topic)
	ok(err)
	equal("offset of the largest timestamp", int64(9), largest[topic][0].Offset)
}

func produceTimed(k *kit, topic string, start time.Time, from int, codec kgo.CompressionCodec) {
	records := []*kgo.Record{}
	for n := from; n < from+5; n++ {
		records = append(records, &kgo.Record{Topic: topic, Value: fmt.Append(nil, n), Timestamp: start.Add(time.Duration(n) * time.Second)})
	}
	ok(k.client(kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(50*time.Millisecond)).ProduceSync(k.ctx, records...).FirstErr())
}

func beginningEndOffsets(k *kit) {
	topic := k.createTopic("bounds", 2)
	k.produceNumbers(topic, 2, 0, 7)
	admin := k.admin()
	starts, err := admin.ListStartOffsets(k.ctx, topic)
	ok(err)
	ends, err := admin.ListEndOffsets(k.ctx, topic)
	ok(err)
	committed, err := admin.ListCommittedOffsets(k.ctx, topic)
	ok(err)
	for partition, end := range []int64{4, 3} {
		equal("start", int64(0), starts[topic][int32(partition)].Offset)
		equal("end", end, ends[topic][int32(partition)].Offset)
		equal("end for read_committed", end, committed[topic][int32(partition)].Offset)
		equal("leader epoch", int32(0), ends[topic][int32(partition)].LeaderEpoch)
	}
}

func offsetOutOfRange(k *kit) {
	topic := k.createTopic("out-of-range", 1)
	k.produceNumbers(topic, 1, 0, 10)
	consumer := consumeFrom(k, topic, kgo.NewOffset().At(1000))
	equal("values after the reset", numbers(0, 10), valuesOf(k.poll(consumer, 10)))
	strict := k.consumer(
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(1000)}}),
	)
	fails(kerr.OffsetOutOfRange, strict.PollFetches(k.ctx).Err())
}
