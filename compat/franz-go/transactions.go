package main

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Transactions. franz-go speaks the second version of their protocol (KIP-890)
// where the broker's features say so, and the first one when it is held back.
func transactionScenarios() []scenario {
	return []scenario{
		{"transaction-commit", transactionCommit},
		{"transaction-abort", transactionAbort},
		{"transaction-offsets", transactionOffsets},
		{"transaction-fencing", transactionFencing},
		{"transaction-timeout", transactionTimeout},
		{"transaction-interleaved", transactionInterleaved},
		{"transaction-many-partitions", transactionManyPartitions},
		{"transaction-empty", transactionEmpty},
		{"transaction-restart-epoch", transactionRestartEpoch},
		{"transaction-delayed-end", transactionDelayedEnd},
		{"transaction-protocol-v1", transactionProtocolV1},
		{"transaction-protocol-v2", transactionProtocolV2},
		{"transaction-list", transactionList},
		{"transaction-describe", transactionDescribe},
		{"transaction-producers", transactionProducers},
		{"transaction-abort-hanging", transactionAbortHanging},
	}
}

var firstProtocol = kgo.MaxVersions(kversion.V3_7_0())

// transactional is a producer of this name.
func (k *kit) transactional(id string, opts ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{
		kgo.TransactionalID(id),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
	}
	client := k.client(append(common, opts...)...)
	_, _, err := client.ProducerID(k.ctx)
	ok(err)
	return client
}

// send produces the values from to to-1 and leaves the transaction open.
func (k *kit) send(producer *kgo.Client, topic string, partitions, from, to int) {
	records := []*kgo.Record{}
	for n := from; n < to; n++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(n % partitions), Value: []byte(strconv.Itoa(n))})
	}
	ok(producer.ProduceSync(k.ctx, records...).FirstErr())
}

func (k *kit) sendTransaction(producer *kgo.Client, topic string, from, to int) {
	ok(producer.BeginTransaction())
	k.send(producer, topic, 1, from, to)
	ok(producer.EndTransaction(k.ctx, kgo.TryCommit))
}

func (k *kit) committedReader(topic string) *kgo.Client {
	return k.consumer(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
}

// ends are the last stable offset and the high watermark of partition 0.
func (k *kit) ends(topic string) []int64 {
	stable, err := k.admin().ListCommittedOffsets(k.ctx, topic)
	ok(err)
	ends, err := k.admin().ListEndOffsets(k.ctx, topic)
	ok(err)
	return []int64{stable[topic][0].Offset, ends[topic][0].Offset}
}

func sortedValues(records []*kgo.Record) []string {
	values := valuesOf(records)
	slices.SortFunc(values, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return values
}

func transactionCommit(k *kit) {
	topic := k.createTopic("transaction-commit", 2)
	committed := k.committedReader(topic)
	producer := k.transactional(k.unique("commit"))
	ok(producer.BeginTransaction())
	k.send(producer, topic, 2, 0, 10)
	equal("values before the commit", numbers(0, 10), sortedValues(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 10)))
	k.none(committed, 400*time.Millisecond)
	equal("ends before the commit", []int64{0, 5}, k.ends(topic))
	ok(producer.EndTransaction(k.ctx, kgo.TryCommit))
	equal("values", numbers(0, 10), sortedValues(k.poll(committed, 10)))
	equal("ends after the commit", []int64{6, 6}, k.ends(topic))
}

func transactionAbort(k *kit) {
	topic := k.createTopic("transaction-abort", 1)
	producer := k.transactional(k.unique("abort"))
	k.sendTransaction(producer, topic, 0, 5)
	ok(producer.BeginTransaction())
	k.send(producer, topic, 1, 5, 10)
	ok(producer.EndTransaction(k.ctx, kgo.TryAbort))
	k.sendTransaction(producer, topic, 10, 15)
	committed := append(numbers(0, 5), numbers(10, 15)...)
	equal("committed values", committed, valuesOf(k.poll(k.committedReader(topic), 10)))
	equal("all values", numbers(0, 15), valuesOf(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 15)))
}

func (k *kit) committedOffset(group, topic string) int64 {
	fetched, err := k.admin().FetchOffsets(k.ctx, group)
	ok(err)
	offset, exists := fetched.Lookup(topic, 0)
	if !exists {
		return -1
	}
	return offset.At
}

func transactionOffsets(k *kit) {
	input, output := k.createTopic("transaction-input", 1), k.createTopic("transaction-output", 1)
	group := k.unique("transaction-offsets")
	k.produceNumbers(input, 1, 0, 10)
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(k.address),
		kgo.TransactionalID(k.unique("offsets")),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.FetchMaxWait(200*time.Millisecond),
	)
	ok(err)
	k.closers = append(k.closers, session.Close)
	take := func(count int) {
		for taken := 0; taken < count; {
			fetches := session.PollRecords(k.ctx, count-taken)
			ok(fetches.Err())
			fetches.EachRecord(func(r *kgo.Record) {
				ok(session.ProduceSync(k.ctx, &kgo.Record{Topic: output, Value: r.Value}).FirstErr())
				taken++
			})
		}
	}
	end := func(try kgo.TransactionEndTry) {
		committed, err := session.End(k.ctx, try)
		ok(err)
		equal("committed", bool(try), committed)
	}

	ok(session.Begin())
	take(4)
	equal("offset before the commit", int64(-1), k.committedOffset(group, input))
	end(kgo.TryCommit)
	eventually("the offset comes with the commit", func() bool { return k.committedOffset(group, input) == 4 })
	ok(session.Begin())
	take(3)
	end(kgo.TryAbort)
	equal("offset after the abort", int64(4), k.committedOffset(group, input))
	// What was aborted comes again.
	ok(session.Begin())
	take(6)
	end(kgo.TryCommit)
	equal("committed output", numbers(0, 10), valuesOf(k.poll(k.committedReader(output), 10)))
	eventually("the last offset", func() bool { return k.committedOffset(group, input) == 10 })
}

func transactionFencing(k *kit) {
	topic, id := k.createTopic("transaction-fencing", 1), k.unique("fencing")
	zombie := k.transactional(id)
	k.sendTransaction(zombie, topic, 0, 1)
	ok(zombie.BeginTransaction())
	k.send(zombie, topic, 1, 1, 5)
	successor := k.transactional(id)
	that(zombie.EndTransaction(k.ctx, kgo.TryCommit) != nil, "a zombie ended a transaction")
	k.sendTransaction(successor, topic, 5, 6)
	equal("committed values", []string{"0", "5"}, valuesOf(k.poll(k.committedReader(topic), 2)))
	third := k.transactional(id)
	ok(successor.BeginTransaction())
	record := &kgo.Record{Topic: topic, Value: []byte("6")}
	failure := successor.ProduceSync(k.ctx, record).FirstErr()
	if failure == nil {
		failure = successor.EndTransaction(k.ctx, kgo.TryCommit)
	}
	that(failure != nil, "a fenced producer wrote and committed")
	k.sendTransaction(third, topic, 7, 8)
	equal("committed values", []string{"0", "5", "7"}, valuesOf(k.poll(k.committedReader(topic), 3)))
}

func transactionTimeout(k *kit) {
	topic := k.createTopic("transaction-timeout", 1)
	gone := k.transactional(k.unique("timeout"), kgo.TransactionTimeout(time.Second))
	ok(gone.BeginTransaction())
	k.send(gone, topic, 1, 0, 3)
	k.sendTransaction(k.transactional(k.unique("timeout-other")), topic, 10, 11)
	equal("ends while the transaction is open", []int64{0, 5}, k.ends(topic))
	equal("committed values", []string{"10"}, valuesOf(k.poll(k.committedReader(topic), 1)))
	equal("ends after the timeout", []int64{6, 6}, k.ends(topic))
	that(gone.EndTransaction(k.ctx, kgo.TryCommit) != nil, "a transaction that timed out was committed")
}

func transactionInterleaved(k *kit) {
	topic := k.createTopic("transaction-interleaved", 1)
	one, other := k.transactional(k.unique("one")), k.transactional(k.unique("other"))
	committed := k.committedReader(topic)
	ok(one.BeginTransaction())
	ok(other.BeginTransaction())
	k.send(one, topic, 1, 0, 1)
	k.send(other, topic, 1, 1, 2)
	k.produceNumbers(topic, 1, 2, 3)
	k.send(one, topic, 1, 3, 4)
	k.send(other, topic, 1, 4, 5)
	ok(other.EndTransaction(k.ctx, kgo.TryCommit))
	k.none(committed, 400*time.Millisecond)
	equal("ends while the first transaction is open", []int64{0, 6}, k.ends(topic))
	ok(one.EndTransaction(k.ctx, kgo.TryAbort))
	equal("committed values", []string{"1", "2", "4"}, valuesOf(k.poll(committed, 3)))
}

func transactionManyPartitions(k *kit) {
	const partitions = 50
	topic := k.createTopic("transaction-many", partitions)
	producer := k.transactional(k.unique("many"))
	for round := range 4 {
		ok(producer.BeginTransaction())
		k.send(producer, topic, partitions, round*100, round*100+100)
		ok(producer.EndTransaction(k.ctx, kgo.TransactionEndTry(round%2 == 0)))
	}
	committed := append(numbers(0, 100), numbers(200, 300)...)
	equal("committed values", committed, sortedValues(k.poll(k.committedReader(topic), 200)))
	eventually("markers in every partition", func() bool {
		stable, err := k.admin().ListCommittedOffsets(k.ctx, topic)
		ok(err)
		all := 0
		stable.Each(func(end kadm.ListedOffset) {
			if end.Offset == 12 {
				all++
			}
		})
		return all == partitions
	})
}

func transactionEmpty(k *kit) {
	topic := k.createTopic("transaction-empty", 1)
	producer := k.transactional(k.unique("empty"))
	for range 3 {
		ok(producer.BeginTransaction())
		ok(producer.EndTransaction(k.ctx, kgo.TryCommit))
		ok(producer.BeginTransaction())
		ok(producer.EndTransaction(k.ctx, kgo.TryAbort))
	}
	equal("ends of a topic in no transaction", []int64{0, 0}, k.ends(topic))
	k.sendTransaction(producer, topic, 0, 1)
	equal("committed values", []string{"0"}, valuesOf(k.poll(k.committedReader(topic), 1)))
}

func transactionRestartEpoch(k *kit) {
	topic, id := k.createTopic("transaction-restart", 1), k.unique("restart")
	lastID, lastEpoch := int64(-1), int16(-1)
	for round := range 4 {
		producer := k.transactional(id)
		producerID, epoch, err := producer.ProducerID(k.ctx)
		ok(err)
		if round > 0 {
			equal("producer id of the name", lastID, producerID)
			that(epoch > lastEpoch, "the epoch stays")
		}
		lastID, lastEpoch = producerID, epoch
		k.sendTransaction(producer, topic, round*10, round*10+1)
		ok(producer.BeginTransaction())
		k.send(producer, topic, 1, round*10+1, round*10+3)
		producer.Close()
	}
	k.transactional(id)
	committed := k.committedReader(topic)
	equal("committed values", []string{"0", "10", "20", "30"}, valuesOf(k.poll(committed, 4)))
	k.none(committed, 400*time.Millisecond)
}

// endTransaction sends EndTxn as it is, without the client's own state.
func (k *kit) endTransaction(version int16, id string, producerID int64, epoch int16, commit bool) error {
	request := kmsg.NewPtrEndTxnRequest()
	request.TransactionalID, request.ProducerID, request.ProducerEpoch, request.Commit = id, producerID, epoch, commit
	client := k.client(kgo.MaxVersions(func() *kversion.Versions {
		versions := kversion.V4_0_0()
		versions.SetMaxKeyVersion(request.Key(), version)
		return versions
	}()))
	for {
		response, err := request.RequestWith(k.ctx, client)
		ok(err)
		// The markers of the last end may still be on their way.
		if err = kerr.ErrorForCode(response.ErrorCode); !errors.Is(err, kerr.ConcurrentTransactions) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func transactionDelayedEnd(k *kit) {
	topic, id := k.createTopic("transaction-delayed", 1), k.unique("delayed")
	producer := k.transactional(id)
	producerID, epoch, err := producer.ProducerID(k.ctx)
	ok(err)
	k.sendTransaction(producer, topic, 0, 1)
	ok(producer.BeginTransaction())
	k.send(producer, topic, 1, 1, 3)
	// The EndTxn of the first transaction, twice more: the same answer again would
	// be right only while nothing new is open.
	fails(kerr.ProducerFenced, k.endTransaction(5, id, producerID, epoch, true))
	fails(kerr.ProducerFenced, k.endTransaction(5, id, producerID, epoch, false))
	equal("ends", []int64{2, 4}, k.ends(topic))
	ok(producer.EndTransaction(k.ctx, kgo.TryAbort))
	k.sendTransaction(producer, topic, 3, 4)
	equal("committed values", []string{"0", "3"}, valuesOf(k.poll(k.committedReader(topic), 2)))
}

func transactionProtocolV1(k *kit) {
	topic, id := k.createTopic("transaction-v1", 1), k.unique("v1")
	producer := k.transactional(id, firstProtocol)
	firstID, firstEpoch, err := producer.ProducerID(k.ctx)
	ok(err)
	for round := range 3 {
		k.sendTransaction(producer, topic, round, round+1)
		producerID, epoch, err := producer.ProducerID(k.ctx)
		ok(err)
		equal("producer", []any{firstID, firstEpoch}, []any{producerID, epoch})
	}
	// A retry of the last EndTxn gets the same answer; the other end is refused.
	ok(k.endTransaction(4, id, firstID, firstEpoch, true))
	fails(kerr.InvalidTxnState, k.endTransaction(4, id, firstID, firstEpoch, false))
	ok(producer.BeginTransaction())
	k.send(producer, topic, 1, 3, 5)
	ok(producer.EndTransaction(k.ctx, kgo.TryAbort))
	k.sendTransaction(producer, topic, 5, 6)
	equal("committed values", []string{"0", "1", "2", "5"}, valuesOf(k.poll(k.committedReader(topic), 4)))
}

func transactionProtocolV2(k *kit) {
	topic, id := k.createTopic("transaction-v2", 1), k.unique("v2")
	producer := k.transactional(id)
	_, last, err := producer.ProducerID(k.ctx)
	ok(err)
	for round := range 3 {
		k.sendTransaction(producer, topic, round, round+1)
		ok(producer.BeginTransaction())
		_, epoch, err := producer.ProducerID(k.ctx)
		ok(err)
		equal("epoch after a commit", last+1, epoch)
		k.send(producer, topic, 1, 10+round, 11+round)
		ok(producer.EndTransaction(k.ctx, kgo.TryAbort))
		_, last, err = producer.ProducerID(k.ctx)
		ok(err)
		equal("epoch after an abort", epoch+1, last)
	}
	equal("committed values", numbers(0, 3), valuesOf(k.poll(k.committedReader(topic), 3)))
}

func transactionList(k *kit) {
	topic, stem := k.createTopic("transaction-list", 1), k.unique("list")
	open := k.transactional(stem + "-open")
	ok(open.BeginTransaction())
	k.send(open, topic, 1, 0, 1)
	done := k.transactional(stem + "-done")
	k.sendTransaction(done, topic, 1, 2)
	k.transactional(stem + "-empty")
	admin := k.admin()
	listed := func(ids []int64, states []string, pattern string) []string {
		listings, err := admin.ListTransactionsByTxPattern(k.ctx, ids, states, pattern)
		ok(err)
		return listings.TransactionalIDs()
	}
	all := []string{stem + "-done", stem + "-empty", stem + "-open"}
	equal("by pattern", all, listed(nil, nil, stem+"-.*"))
	for state, id := range map[string]string{"Ongoing": "-open", "CompleteCommit": "-done", "Empty": "-empty"} {
		eventually(id+" is "+state, func() bool {
			return slices.Equal([]string{stem + id}, listed(nil, []string{state}, stem+"-.*"))
		})
	}
	producerID, _, err := done.ProducerID(k.ctx)
	ok(err)
	equal("by producer id", []string{stem + "-done"}, listed([]int64{producerID}, nil, ""))
	_, err = admin.ListTransactionsByTxPattern(k.ctx, nil, nil, "(")
	that(err != nil, "a pattern that is none was taken")
}

func transactionDescribe(k *kit) {
	topic, id := k.createTopic("transaction-describe", 3), k.unique("describe")
	producer := k.transactional(id, kgo.TransactionTimeout(34567*time.Millisecond))
	producerID, epoch, err := producer.ProducerID(k.ctx)
	ok(err)
	ok(producer.BeginTransaction())
	k.send(producer, topic, 2, 0, 4)
	admin := k.admin()
	described, err := admin.DescribeTransactions(k.ctx, id)
	ok(err)
	open := described[id]
	ok(open.Err)
	equal(
		"open transaction",
		[]any{"Ongoing", int32(34567), producerID, epoch, map[string][]int32{topic: {0, 1}}},
		[]any{open.State, open.TimeoutMillis, open.ProducerID, open.ProducerEpoch, sortedSets(open.Topics)},
	)
	that(time.Since(time.UnixMilli(open.StartTimestamp)) < time.Minute, "the start is long ago")
	ok(producer.EndTransaction(k.ctx, kgo.TryAbort))
	eventually("the end", func() bool {
		described, err := admin.DescribeTransactions(k.ctx, id)
		ok(err)
		return described[id].State == "CompleteAbort" && len(described[id].Topics) == 0
	})
	nobody := k.unique("nobody")
	described, err = admin.DescribeTransactions(k.ctx, nobody)
	ok(err)
	fails(kerr.TransactionalIDNotFound, described[nobody].Err)
}

func sortedSets(topics kadm.TopicsSet) map[string][]int32 {
	sorted := map[string][]int32{}
	for _, list := range topics.Sorted() {
		sorted[list.Topic] = list.Partitions
	}
	return sorted
}

func (k *kit) producerStates(topic string) map[int64]kadm.DescribedProducer {
	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	described, err := k.admin().DescribeProducers(k.ctx, set)
	ok(err)
	ok(described[topic].Partitions[0].Err)
	return described[topic].Partitions[0].ActiveProducers
}

func transactionProducers(k *kit) {
	topic := k.createTopic("transaction-producers", 1)
	equal("producers of a new topic", 0, len(k.producerStates(topic)))
	producer := k.transactional(k.unique("producers"))
	producerID, epoch, err := producer.ProducerID(k.ctx)
	ok(err)
	k.produceNumbers(topic, 1, 0, 4)
	ok(producer.BeginTransaction())
	k.send(producer, topic, 1, 4, 7)
	open := k.producerStates(topic)[producerID]
	equal(
		"state of the producer",
		[]any{epoch, int32(2), int64(4)},
		[]any{open.ProducerEpoch, open.LastSequence, open.CurrentTxnStartOffset},
	)
	ok(producer.EndTransaction(k.ctx, kgo.TryCommit))
	eventually("the marker", func() bool { return k.producerStates(topic)[producerID].CurrentTxnStartOffset == -1 })
}

func transactionAbortHanging(k *kit) {
	topic := k.createTopic("transaction-hanging", 1)
	producer := k.transactional(k.unique("hanging"))
	producerID, _, err := producer.ProducerID(k.ctx)
	ok(err)
	ok(producer.BeginTransaction())
	k.send(producer, topic, 1, 0, 3)
	equal("ends", []int64{0, 3}, k.ends(topic))
	open := k.producerStates(topic)[producerID]
	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	written, err := k.admin().WriteTxnMarkers(k.ctx, kadm.TxnMarkers{
		ProducerID: producerID, ProducerEpoch: open.ProducerEpoch, Commit: false, CoordinatorEpoch: max(0, open.CoordinatorEpoch), Topics: set,
	})
	ok(err)
	written.EachPartition(func(partition kadm.TxnMarkersPartitionResponse) { ok(partition.Err) })
	equal("ends after the marker", []int64{4, 4}, k.ends(topic))
}
