package main

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Batches and requests as no client sends them by itself, and all that the
// answers say.
func wireScenarios() []scenario {
	return []scenario{
		{"fetch-min-bytes", fetchMinBytes},
		{"fetch-sessions-in-use", fetchSessionsInUse},
		{"log-append-time-retry", logAppendTimeRetry},
		{"refused-records", refusedRecords},
		{"refused-sequences", refusedSequences},
		{"refused-stamps", refusedStamps},
		{"batch-over-segment", batchOverSegment},
	}
}

func fetchMinBytes(k *kit) {
	topic := k.createTopic("min-bytes", 1)
	for n := range int64(10) {
		placed(n, k.produceBatch(topic, batch{records: []kmsg.Record{record(nil, noise(1000))}}.bytes()))
	}
	const much, long, short = 1 << 20, 20 * time.Second, 500 * time.Millisecond
	for _, limits := range [][3]int32{{much, 2000, much}, {9000, 2000, much}, {20_000, 5000, much}, {9000, much, 9000}} {
		length, took := k.fetch(topic, long, limits[0], limits[1], limits[2])
		that(length > 1000, "the answer has no batch")
		that(took < long/2, "a fetch that could be given no more was kept waiting")
	}
	// A partition may be given less than what is waited for, since others could be given the rest.
	length, took := k.fetch(topic, short, 9000, much, 2000)
	that(length > 1000, "the answer has no batch")
	that(took > short/2, "less than the least was given at once")
}

func fetchSessionsInUse(k *kit) {
	topic := k.createTopic("sessions", 1)
	client := k.client(byName)
	ok(client.Ping(k.ctx))
	fetch := func(session, epoch int32) *kmsg.FetchResponse {
		request := fetchOf(topic, 1<<20)
		request.SessionID, request.SessionEpoch = session, epoch
		response, err := request.RequestWith(k.ctx, client)
		ok(err)
		return response
	}
	const places = 1000
	sessions, refusedCount := []int32{}, 0
	for range places + 100 {
		answer := fetch(0, 0)
		ok(kerr.ErrorForCode(answer.ErrorCode))
		if answer.SessionID == 0 {
			refusedCount++
		} else {
			sessions = append(sessions, answer.SessionID)
		}
	}
	that(refusedCount >= 100, "more sessions than there are places for")
	for _, session := range sessions {
		ok(kerr.ErrorForCode(fetch(session, 1).ErrorCode))
	}
	for _, session := range sessions {
		ok(kerr.ErrorForCode(fetch(session, -1).ErrorCode))
	}
	fails(kerr.FetchSessionIDNotFound, kerr.ErrorForCode(fetch(sessions[0], 2).ErrorCode))
}

func logAppendTimeRetry(k *kit) {
	topic := k.createTopic("append-time-retry", 1, "message.timestamp.type", "LogAppendTime")
	id, epoch, err := k.client().ProducerID(k.ctx)
	ok(err)
	pair := func(sequence int32) []byte {
		records := []kmsg.Record{keyed, keyless}
		return batch{producer: &idempotent{id, epoch}, sequence: sequence, records: records}.bytes()
	}
	batches, times := [][]byte{pair(0), pair(2)}, []int64{}
	for i, one := range batches {
		answer := k.produceBatch(topic, one)
		placed(int64(2*i), answer)
		times = append(times, answer.LogAppendTime)
		time.Sleep(20 * time.Millisecond)
	}
	that(times[0] < times[1], "two batches have the same time")
	again := func(logStart int64) {
		for i, one := range batches {
			answer := k.produceBatch(topic, one)
			placed(int64(2*i), answer)
			equal("log append time and log start of a retry", []int64{times[i], logStart}, []int64{answer.LogAppendTime, answer.LogStartOffset})
		}
	}
	again(0)
	for i, r := range k.poll(k.consumer(kgo.ConsumeTopics(topic)), 4) {
		equal("timestamp of the record", times[i/2], r.Timestamp.UnixMilli())
	}
	ok(k.deleteRecords(topic, 3).Err)
	again(3)
	equal("ends", []int64{4, 4}, k.ends(topic))
}

func refusedRecords(k *kit) {
	for _, isGzip := range []bool{false, true} {
		send := func(topic string, records ...kmsg.Record) kmsg.ProduceResponseTopicPartition {
			return k.produceBatch(topic, batch{isGzip: isGzip, records: records}.bytes())
		}
		compacted := k.createTopic("refused-keyless", 1, "cleanup.policy", "compact,delete")
		placed(0, send(compacted, keyed, keyed, keyed))
		refused(kerr.InvalidRecord, 0, []int32{1, 3}, send(compacted, keyed, keyless, keyed, keyless))
		ok(k.deleteRecords(compacted, 2).Err)
		refused(kerr.InvalidRecord, 2, []int32{0}, send(compacted, keyless))
		placed(3, send(compacted, keyed))

		const hour = "3600000"
		timed := k.createTopic("refused-time", 1, "message.timestamp.before.max.ms", hour, "message.timestamp.after.max.ms", hour)
		placed(0, send(timed, keyed, keyed))
		ok(k.deleteRecords(timed, 1).Err)
		early, late := lateRecord(-2*time.Hour), lateRecord(2*time.Hour)
		refused(kerr.InvalidTimestamp, 1, []int32{1, 3}, send(timed, keyed, early, keyed, late))
		refused(kerr.InvalidTimestamp, 1, []int32{0}, send(timed, late))
		placed(2, send(timed, keyed))
	}
	// Of a batch that is wrong as a whole the answer names no record and does not tell where the log starts.
	topic := k.createTopic("refused-whole", 1, "max.message.bytes", "1000")
	whole := batch{records: []kmsg.Record{keyed, keyed}}.bytes()
	placed(0, k.produceBatch(topic, whole))
	ok(k.deleteRecords(topic, 1).Err)
	long := batch{records: []kmsg.Record{record([]byte("k"), noise(1000))}}.bytes()
	refused(kerr.MessageTooLarge, -1, []int32{}, k.produceBatch(topic, long))
	refused(kerr.InvalidRecord, -1, []int32{}, k.produceBatch(topic, append(whole, whole...)))
	torn := bytes.Clone(whole)
	torn[len(torn)-1] ^= 1
	refused(kerr.CorruptMessage, -1, []int32{}, k.produceBatch(topic, torn))
	placed(2, k.produceBatch(topic, whole))
}

// What a producer's own time and a refusal for its sake come with.
func refusedStamps(k *kit) {
	both := []kmsg.Record{keyed, keyed}
	stamping := k.createTopic("stamping", 1, "message.timestamp.type", "LogAppendTime")
	refused(kerr.InvalidTimestamp, 0, []int32{0, 1}, k.produceBatch(stamping, batch{isStamped: true, records: both}.bytes()))
	placed(0, k.produceBatch(stamping, batch{isTimeless: true, records: both}.bytes()))

	keeping := k.createTopic("keeping", 1)
	placed(0, k.produceBatch(keeping, batch{isStamped: true, records: both}.bytes()))
	stamped := batch{isStamped: true, isTimeless: true, records: both}.bytes()
	refused(kerr.InvalidTimestamp, 0, []int32{0, 1}, k.produceBatch(keeping, stamped))
	for _, topic := range []string{stamping, keeping} {
		equal("ends", []int64{2, 2}, k.ends(topic))
	}
}

func refusedSequences(k *kit) {
	topic := k.createTopic("sequences", 1)
	id, epoch, err := k.client().ProducerID(k.ctx)
	ok(err)
	of := func(epoch int16, sequence int32) batch {
		return batch{producer: &idempotent{id, epoch}, sequence: sequence, records: []kmsg.Record{keyed, lateRecord(3 * time.Second)}}
	}
	first := of(epoch+1, 0).bytes()
	answer := k.produceBatch(topic, first)
	placed(0, answer)
	equal("log append time", int64(-1), answer.LogAppendTime)
	again := k.produceBatch(topic, first)
	placed(0, again)
	latest := int64(binary.BigEndian.Uint64(first[35:]))
	equal("log append time of a retry", latest, again.LogAppendTime)
	ok(k.deleteRecords(topic, 1).Err)
	refused(kerr.OutOfOrderSequenceNumber, 1, []int32{}, k.produceBatch(topic, of(epoch+1, 7).bytes()))
	refused(kerr.InvalidProducerEpoch, 1, []int32{}, k.produceBatch(topic, of(epoch, 2).bytes()))
	placed(2, k.produceBatch(topic, of(epoch+1, 2).bytes()))
}

func batchOverSegment(k *kit) {
	const segment = 1 << 20
	create := func(configs ...string) string {
		common := []string{"segment.bytes", "1048576", "max.message.bytes", "4194304"}
		return k.createTopic("segment", 1, append(common, configs...)...)
	}
	// plain is a batch of exactly so many bytes; around a megabyte all of them have the same frame.
	plain := func(length int) []byte {
		of := func(value int) []byte { return batch{records: []kmsg.Record{record(nil, noise(value))}}.bytes() }
		frame := len(of(length-100)) - (length - 100)
		exact := of(length - frame)
		equal("length of the batch", length, len(exact))
		return exact
	}
	tooLong := func(answer kmsg.ProduceResponseTopicPartition) {
		refused(kerr.RecordListTooLarge, -1, []int32{}, answer)
	}
	topic := create()
	placed(0, k.produceBatch(topic, plain(segment)))
	ok(k.deleteRecords(topic, 1).Err)
	tooLong(k.produceBatch(topic, plain(segment+1)))
	placed(1, k.produceBatch(topic, plain(segment-1)))

	// What counts is the length in the log.
	compressible, packed := []kmsg.Record{record(nil, make([]byte, 2*segment))}, []kmsg.Record{record(nil, noise(segment))}
	short, long := batch{isGzip: true, records: compressible}.bytes(), batch{records: compressible}.bytes()
	placed(2, k.produceBatch(topic, short))
	tooLong(k.produceBatch(topic, long))
	tooLong(k.produceBatch(topic, batch{isGzip: true, records: packed}.bytes()))
	tooLong(k.produceBatch(create("compression.type", "uncompressed"), short))
	placed(0, k.produceBatch(create("compression.type", "gzip"), long))

	// It is looked at after the records and before the producer, who is not known afterwards.
	compacted := create("cleanup.policy", "compact")
	refused(kerr.InvalidRecord, 0, []int32{0}, k.produceBatch(compacted, batch{records: packed}.bytes()))
	id, epoch, err := k.client().ProducerID(k.ctx)
	ok(err)
	producer := &idempotent{id, epoch}
	for _, sequence := range []int32{0, 7} {
		tooLong(k.produceBatch(topic, batch{producer: producer, sequence: sequence, records: packed}.bytes()))
	}
	placed(3, k.produceBatch(topic, batch{producer: producer, records: []kmsg.Record{keyless}}.bytes()))

	refused(kerr.MessageTooLarge, -1, []int32{}, k.produceBatch(create("max.message.bytes", "1048576"), plain(segment+1)))
}
