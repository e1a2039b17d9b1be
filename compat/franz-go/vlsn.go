package main

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topics whose records are numbered by their writer, their ordered view, and
// what a group commits of them. odradek alone has them.
func vlsnScenarios() []scenario {
	return []scenario{
		{"vlsn-view-order", viewOrder},
		{"vlsn-view-seek", viewSeek},
		{"vlsn-view-group", viewGroup},
	}
}

const vlsnPartitions = 12

func (k *kit) createVlsnTopic(label string) (topic, view string) {
	topic = k.createTopic(label, vlsnPartitions, "odradek.partitioning", "vlsn")
	return topic, topic + ".vlsn"
}

// writeVlsns writes the VLSNs "from" to "to"-1, each with itself as its value.
func (k *kit) writeVlsns(topic string, from, to int) {
	producer := k.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	records := []*kgo.Record{}
	for vlsn := from; vlsn < to; vlsn++ {
		records = append(records, &kgo.Record{
			Topic:     topic,
			Partition: int32(vlsn % vlsnPartitions),
			Key:       binary.BigEndian.AppendUint64(nil, uint64(vlsn)),
			Value:     []byte(strconv.Itoa(vlsn)),
		})
	}
	ok(producer.ProduceSync(k.ctx, records...).FirstErr())
}

// checkOrder takes records of a view in order, "from" to "to"-1, each at the
// offset that is its VLSN.
func checkOrder(from, to int, records []*kgo.Record) {
	equal("values", numbers(from, to), valuesOf(records))
	for _, r := range records {
		equal("VLSN", r.Offset, int64(binary.BigEndian.Uint64(r.Key)))
		equal("partition", int32(0), r.Partition)
	}
}

func viewOrder(k *kit) {
	topic, view := k.createVlsnTopic("vlsn-order")
	k.writeVlsns(topic, 0, 3000)
	consumer := k.consumer(kgo.ConsumeTopics(view))
	checkOrder(0, 3000, k.poll(consumer, 3000))
	k.writeVlsns(topic, 3000, 3100)
	checkOrder(3000, 3100, k.poll(consumer, 100))
	producer := k.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	refused := producer.ProduceSync(k.ctx, &kgo.Record{Topic: view, Value: []byte("no")}).FirstErr()
	fails(kerr.InvalidTopicException, refused)
}

func viewSeek(k *kit) {
	topic, view := k.createVlsnTopic("vlsn-seek")
	k.writeVlsns(topic, 0, 2000)
	for _, vlsn := range []int{1234, 1999, 7} {
		from := map[string]map[int32]kgo.Offset{view: {0: kgo.NewOffset().At(int64(vlsn))}}
		count := min(250, 2000-vlsn)
		records := k.poll(k.consumer(kgo.ConsumePartitions(from)), count)
		checkOrder(vlsn, vlsn+count, records[:count])
	}
	ends, err := k.admin().ListEndOffsets(k.ctx, view)
	ok(err)
	end, _ := ends.Lookup(view, 0)
	equal("end", int64(2000), end.Offset)
}

func viewGroup(k *kit) {
	topic, view := k.createVlsnTopic("vlsn-group")
	group := k.unique("vlsn-group")
	k.writeVlsns(topic, 0, 1000)
	first := k.member(group, kgo.ConsumeTopics(view))
	delivered(0, 1000, first)
	var failure error
	first.client.CommitOffsetsSync(
		k.ctx,
		map[string]map[int32]kgo.EpochOffset{view: {0: {Epoch: -1, Offset: 417}}},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
			failure = err
		},
	)
	ok(failure)
	first.stop()
	first.client.Close()
	lags, err := k.admin().Lag(k.ctx, group)
	ok(err)
	lag, found := lags[group].Lag.Lookup(view, 0)
	that(found, fmt.Sprintf("no lag of %s", view))
	equal("number and lag", []int64{417, 583}, []int64{lag.Commit.At, lag.Lag})
	second := k.member(group, kgo.ConsumeTopics(view))
	delivered(417, 1000, second)
	second.mu.Lock()
	defer second.mu.Unlock()
	checkOrder(417, 1000, second.records)
}
