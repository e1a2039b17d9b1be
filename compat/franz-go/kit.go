package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kit is what a scenario works with. Everything it opens is closed with it.
type kit struct {
	address string
	ctx     context.Context
	closers []func()
}

func newKit(address string) *kit {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	return &kit{address: address, ctx: ctx, closers: []func(){cancel}}
}

func (k *kit) close() {
	for i := len(k.closers) - 1; i >= 0; i-- {
		k.closers[i]()
	}
}

// unique is a name nobody has used on this broker.
func (k *kit) unique(label string) string {
	return fmt.Sprintf("franz-%s-%08x", label, rand.Uint32())
}

func (k *kit) client(opts ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{
		kgo.SeedBrokers(k.address),
		kgo.ClientID("compat-franz"),
		kgo.RetryTimeout(15 * time.Second),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}
	client, err := kgo.NewClient(append(common, opts...)...)
	ok(err)
	k.closers = append(k.closers, func() {
		client.PurgeTopicsFromClient()
		client.Close()
	})
	return client
}

func (k *kit) admin() *kadm.Client { return kadm.NewClient(k.client()) }

// consumer starts at the beginning of the topics and needs no group.
func (k *kit) consumer(opts ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(200 * time.Millisecond),
	}
	return k.client(append(common, opts...)...)
}

func (k *kit) createTopic(label string, partitions int32, configs ...string) string {
	topic := k.unique(label)
	entries := map[string]*string{}
	for i := 0; i < len(configs); i += 2 {
		entries[configs[i]] = &configs[i+1]
	}
	_, err := k.admin().CreateTopic(k.ctx, partitions, 1, entries, topic)
	ok(err)
	k.awaitLeaders(topic, int(partitions))
	return topic
}

// awaitLeaders bridges the moment in which Apache Kafka has answered
// CreateTopics but does not yet lead every partition.
func (k *kit) awaitLeaders(topic string, partitions int) {
	admin := k.admin()
	eventually("leaders of "+topic, func() bool {
		ends, err := admin.ListEndOffsets(k.ctx, topic)
		return err == nil && ends.Error() == nil && len(ends[topic]) == partitions
	})
}

// produceNumbers produces the values "from" to "to"-1, value n to partition n
// modulo partitions.
func (k *kit) produceNumbers(topic string, partitions, from, to int, opts ...kgo.Opt) {
	producer := k.client(append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)...)
	records := []*kgo.Record{}
	for n := from; n < to; n++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(n % partitions), Value: []byte(strconv.Itoa(n))})
	}
	ok(producer.ProduceSync(k.ctx, records...).FirstErr())
}

// node is the id of the first broker.
func (k *kit) node() int32 {
	brokers, err := k.admin().ListBrokers(k.ctx)
	ok(err)
	return brokers[0].NodeID
}

// deleteRecords deletes what lies before an offset of partition 0.
func (k *kit) deleteRecords(topic string, before int64) kadm.DeleteRecordsResponse {
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: before})
	answers, err := k.admin().DeleteRecords(k.ctx, offsets)
	ok(err)
	return answers[topic][0]
}

// poll polls until count records have come.
func (k *kit) poll(consumer *kgo.Client, count int) []*kgo.Record {
	ctx, cancel := context.WithTimeout(k.ctx, 20*time.Second)
	defer cancel()
	records := []*kgo.Record{}
	for len(records) < count {
		fetches := consumer.PollFetches(ctx)
		if ctx.Err() != nil {
			panic(fmt.Sprintf("only %d of %d records within 20 s", len(records), count))
		}
		ok(fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

// none polls for a while and expects nothing.
func (k *kit) none(consumer *kgo.Client, during time.Duration) {
	ctx, cancel := context.WithTimeout(k.ctx, during)
	defer cancel()
	equal("records", 0, consumer.PollFetches(ctx).NumRecords())
}

// member is a group member that polls on its own and remembers what happened.
type member struct {
	client *kgo.Client
	stop   func()

	mu       sync.Mutex
	owned    map[string]map[int32]bool
	assigned int
	revoked  int
	records  []*kgo.Record
	strays   []string
	errors   []error
}

func (k *kit) member(group string, opts ...kgo.Opt) *member {
	m := &member{owned: map[string]map[int32]bool{}}
	release := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for topic, numbers := range partitions {
			for _, number := range numbers {
				delete(m.owned[topic], number)
				m.revoked++
			}
		}
	}
	common := []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second),
		kgo.RebalanceTimeout(10 * time.Second),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.assigned++
			for topic, numbers := range partitions {
				if m.owned[topic] == nil {
					m.owned[topic] = map[int32]bool{}
				}
				for _, number := range numbers {
					m.owned[topic][number] = true
				}
			}
		}),
		kgo.OnPartitionsRevoked(release),
		kgo.OnPartitionsLost(release),
	}
	m.client = k.consumer(append(common, opts...)...)
	ctx, cancel := context.WithCancel(k.ctx)
	done := make(chan struct{})
	m.stop = func() {
		cancel()
		<-done
	}
	k.closers = append(k.closers, m.stop)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			m.take(m.client.PollFetches(ctx))
			m.client.AllowRebalance()
		}
	}()
	return m
}

func (m *member) take(fetches kgo.Fetches) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fetches.EachError(func(_ string, _ int32, err error) { m.errors = append(m.errors, err) })
	fetches.EachRecord(func(r *kgo.Record) {
		if !m.owned[r.Topic][r.Partition] {
			m.strays = append(m.strays, fmt.Sprintf("%s-%d@%d", r.Topic, r.Partition, r.Offset))
		}
		m.records = append(m.records, r)
	})
}

// partitions are those the member owns now, sorted.
func (m *member) partitions(topic string) []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	numbers := []int32{}
	for number := range m.owned[topic] {
		numbers = append(numbers, number)
	}
	sort.Slice(numbers, func(i, j int) bool { return numbers[i] < numbers[j] })
	return numbers
}

// history is how often the member was given partitions, and how many it lost.
func (m *member) history() (assigned, revoked int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.assigned, m.revoked
}

func (m *member) strayRecords() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.strays
}

func (m *member) values() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return valuesOf(m.records)
}

func (m *member) has(err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.errors {
		if errors.Is(one, err) {
			return true
		}
	}
	return false
}

func valuesOf(records []*kgo.Record) []string {
	values := []string{}
	for _, r := range records {
		values = append(values, string(r.Value))
	}
	return values
}

func numbers(from, to int) []string {
	values := []string{}
	for n := from; n < to; n++ {
		values = append(values, strconv.Itoa(n))
	}
	return values
}

func noise(size int) []byte {
	bytes := make([]byte, size)
	for i := range bytes {
		bytes[i] = byte(rand.Uint32())
	}
	return bytes
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(what string, expected, actual any) {
	if !reflect.DeepEqual(expected, actual) {
		panic(fmt.Sprintf("%s: expected %v, got %v", what, expected, actual))
	}
}

func that(condition bool, otherwise string) {
	if !condition {
		panic(otherwise)
	}
}

func fails(expected *kerr.Error, err error) {
	if !errors.Is(err, expected) {
		panic(fmt.Sprintf("expected %s, got %v", expected.Message, err))
	}
}

func eventually(what string, condition func() bool) {
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			panic("not within 20 s: " + what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
