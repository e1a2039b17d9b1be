package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Batches byte by byte, and the requests that carry them: what the client's own
// producers and consumers decide by themselves.

// byName holds a client to the versions that call topics by their names.
var byName = kgo.MaxVersions(kversion.V3_0_0())

// batch is what becomes one record batch: of no producer unless one is given.
type batch struct {
	producer *idempotent
	sequence int32
	isGzip   bool
	// Claims that a broker has stamped it.
	isStamped bool
	// Without a time, and so all of its records.
	isTimeless bool
	records    []kmsg.Record
}

type idempotent struct {
	id    int64
	epoch int16
}

var (
	keyed   = record([]byte("k"), []byte("v"))
	keyless = record(nil, []byte("v"))
)

func record(key, value []byte) kmsg.Record { return kmsg.Record{Key: key, Value: value} }

func lateRecord(late time.Duration) kmsg.Record {
	return kmsg.Record{Key: []byte("k"), Value: []byte("late"), TimestampDelta64: late.Milliseconds()}
}

// bytes of the batch, whose records are of now unless they say how much later.
func (b batch) bytes() []byte {
	records, now, latest := []byte{}, time.Now().UnixMilli(), int64(0)
	for i, r := range b.records {
		r.OffsetDelta = int32(i)
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		records = r.AppendTo(records)
		latest = max(latest, r.TimestampDelta64)
	}
	attributes := int16(0)
	if b.isGzip {
		records, attributes = gzipOf(records), gzipAttribute
	}
	if b.isStamped {
		attributes |= appendTimeAttribute
	}
	if b.isTimeless {
		now = -1
	}
	producer, sequence := idempotent{-1, -1}, int32(-1)
	if b.producer != nil {
		producer, sequence = *b.producer, b.sequence
	}
	whole := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: attributes, LastOffsetDelta: int32(len(b.records) - 1),
		FirstTimestamp: now, MaxTimestamp: now + latest, ProducerID: producer.id, ProducerEpoch: producer.epoch,
		FirstSequence: sequence, NumRecords: int32(len(b.records)), Records: records,
	}
	encoded := whole.AppendTo(nil)
	binary.BigEndian.PutUint32(encoded[8:], uint32(len(encoded)-12))
	binary.BigEndian.PutUint32(encoded[17:], crc32.Checksum(encoded[21:], crc32.MakeTable(crc32.Castagnoli)))
	return encoded
}

const gzipAttribute, appendTimeAttribute = 1, 8

func gzipOf(records []byte) []byte {
	packed := bytes.Buffer{}
	writer := gzip.NewWriter(&packed)
	_, err := writer.Write(records)
	ok(err)
	ok(writer.Close())
	return packed.Bytes()
}

// produceBatch produces to partition 0 and returns the answer, a refusal too.
func (k *kit) produceBatch(topic string, batch []byte) kmsg.ProduceResponseTopicPartition {
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = batch
	of := kmsg.NewProduceRequestTopic()
	of.Topic, of.Partitions = topic, []kmsg.ProduceRequestTopicPartition{partition}
	request := kmsg.NewPtrProduceRequest()
	request.Acks, request.TimeoutMillis, request.Topics = -1, 10_000, []kmsg.ProduceRequestTopic{of}
	response, err := request.RequestWith(k.ctx, k.client(byName))
	ok(err)
	return response.Topics[0].Partitions[0]
}

// placed checks that a batch was taken at this offset.
func placed(offset int64, answer kmsg.ProduceResponseTopicPartition) {
	ok(kerr.ErrorForCode(answer.ErrorCode))
	equal("base offset", offset, answer.BaseOffset)
}

// refused checks all of a refusal but its words; records are the numbers of
// those that were wrong.
func refused(expected *kerr.Error, logStart int64, records []int32, answer kmsg.ProduceResponseTopicPartition) {
	fails(expected, kerr.ErrorForCode(answer.ErrorCode))
	wrong := []int32{}
	for _, one := range answer.ErrorRecords {
		wrong = append(wrong, one.RelativeOffset)
	}
	equal("refused records", records, wrong)
	equal("base offset, log append time and log start offset",
		[]int64{-1, -1, logStart}, []int64{answer.BaseOffset, answer.LogAppendTime, answer.LogStartOffset})
}

// fetch asks for partition 0 from its beginning; it returns how many bytes came
// and how long they took.
func (k *kit) fetch(topic string, wait time.Duration, minBytes, maxBytes, partitionMaxBytes int32) (int, time.Duration) {
	client := k.client(byName)
	ok(client.Ping(k.ctx))
	request := fetchOf(topic, partitionMaxBytes)
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes = int32(wait.Milliseconds()), minBytes, maxBytes
	request.SessionEpoch = -1
	startedAt := time.Now()
	response, err := request.RequestWith(k.ctx, client)
	ok(err)
	answer := response.Topics[0].Partitions[0]
	ok(kerr.ErrorForCode(answer.ErrorCode))
	return len(answer.RecordBatches), time.Since(startedAt)
}

// fetchOf asks for partition 0 from its beginning.
func fetchOf(topic string, partitionMaxBytes int32) *kmsg.FetchRequest {
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.PartitionMaxBytes = partitionMaxBytes
	of := kmsg.NewFetchRequestTopic()
	of.Topic, of.Partitions = topic, []kmsg.FetchRequestTopicPartition{partition}
	request := kmsg.NewPtrFetchRequest()
	request.Topics = []kmsg.FetchRequestTopic{of}
	return request
}
