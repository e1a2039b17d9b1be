package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// transform consumes, transforms, produces, exactly once, until it is killed.
// Arguments: address, input, output, group, and the name under which it comes
// back (transactional id and instance id). Value v at offset o of the input
// becomes "o:v" in the same partition of the output. Prints a line per
// transaction. An error ends the process: the next one of its name goes on from
// what was committed.
func transform(address, input, output, group, name string) {
	die := func(err error) {
		if err != nil {
			fmt.Println("ended by", err)
			os.Exit(1)
		}
	}
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(address),
		kgo.TransactionalID(name),
		kgo.TransactionTimeout(time.Minute),
		kgo.ConsumerGroup(group),
		kgo.InstanceID(name),
		kgo.ConsumeTopics(input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.SessionTimeout(10*time.Second),
		kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	die(err)
	ctx := context.Background()
	// franz-go would ask for its epoch when it first produces; until then offsets
	// of a predecessor's open transaction would keep it from consuming at all.
	for err = errors.New("not asked"); err != nil; time.Sleep(50 * time.Millisecond) {
		_, _, err = session.Client().ProducerID(ctx)
	}
	for {
		fetches := session.PollRecords(ctx, 20)
		// Errors of single fetches are those of a broker that is away.
		if fetches.NumRecords() == 0 {
			continue
		}
		die(session.Begin())
		fetches.EachRecord(func(r *kgo.Record) {
			value := fmt.Appendf(nil, "%d:%s", r.Offset, r.Value)
			session.Produce(ctx, &kgo.Record{Topic: output, Partition: r.Partition, Value: value}, func(*kgo.Record, error) {})
		})
		// Written and not yet committed: where a kill hurts most.
		die(session.Client().Flush(ctx))
		time.Sleep(10 * time.Millisecond)
		committed, err := session.End(ctx, kgo.TryCommit)
		die(err)
		if committed {
			fmt.Println("committed", fetches.NumRecords())
		}
	}
}
