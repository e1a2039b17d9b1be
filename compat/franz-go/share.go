package main

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Members of share groups (KIP-932): they divide records, not partitions.
func shareScenarios() []scenario {
	return []scenario{
		{"share-implicit", shareImplicit},
		{"share-explicit", shareExplicit},
		{"share-lock-timeout", shareLockTimeout},
		{"share-renew", shareRenew},
		{"share-delivery-limit", shareDeliveryLimit},
		{"share-record-limit", shareRecordLimit},
		{"share-members", shareMembers},
		{"share-leave", shareLeave},
		{"admin-share-groups", adminShareGroups},
		{"admin-share-offsets", adminShareOffsets},
	}
}

// shareGroup is a group that starts at the beginning, with settings of its own.
func (k *kit) shareGroup(label string, configs ...string) string {
	group := k.unique(label)
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	all := append([]string{"share.auto.offset.reset", "earliest"}, configs...)
	for i := 0; i < len(all); i += 2 {
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = all[i], &all[i+1]
		resource.Configs = append(resource.Configs, config)
	}
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(k.ctx, k.client())
	ok(err)
	ok(kerr.ErrorForCode(answer.Resources[0].ErrorCode))
	return group
}

func (k *kit) sharer(group, topic string, opts ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{kgo.ShareGroup(group), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(200 * time.Millisecond)}
	return k.client(append(common, opts...)...)
}

// share polls until count records have come and acknowledges each at once.
func (k *kit) share(sharer *kgo.Client, count int, acknowledge func(*kgo.Record)) []*kgo.Record {
	records := []*kgo.Record{}
	// The first share group of a broker has its coordinators made, and its
	// members are heard of every five seconds.
	ctx, cancel := context.WithTimeout(k.ctx, 40*time.Second)
	defer cancel()
	for len(records) < count {
		fetches := sharer.PollFetches(ctx)
		that(ctx.Err() == nil, "not all records within 40 s")
		ok(fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			acknowledge(r)
			records = append(records, r)
		})
	}
	return records
}

func with(status kgo.AckStatus) func(*kgo.Record) {
	return func(r *kgo.Record) { r.Ack(status) }
}

func keep(*kgo.Record) {}

func deliveryCounts(records []*kgo.Record) []int32 {
	counts := []int32{}
	for _, r := range records {
		if !slices.Contains(counts, r.DeliveryCount()) {
			counts = append(counts, r.DeliveryCount())
		}
	}
	slices.Sort(counts)
	return counts
}

// Records that were not acknowledged are accepted by the next poll.
func shareImplicit(k *kit) {
	topic, group := k.createTopic("share-implicit", 2), k.shareGroup("share-implicit")
	k.produceNumbers(topic, 2, 0, 100)
	first := k.sharer(group, topic)
	equal("values", numbers(0, 100), sortedValues(k.share(first, 100, keep)))
	k.none(first, 600*time.Millisecond)
	ok(first.FlushAcks(k.ctx))
	second := k.sharer(group, topic)
	k.produceNumbers(topic, 2, 100, 110)
	var records []*kgo.Record
	eventually("the rest", func() bool {
		for _, sharer := range []*kgo.Client{first, second} {
			ctx, cancel := context.WithTimeout(k.ctx, 200*time.Millisecond)
			records = append(records, sharer.PollFetches(ctx).Records()...)
			cancel()
		}
		return len(records) >= 10
	})
	equal("values that came later", numbers(100, 110), sortedValues(records))
}

func shareExplicit(k *kit) {
	topic, group := k.createTopic("share-explicit", 1), k.shareGroup("share-explicit")
	k.produceNumbers(topic, 1, 0, 9)
	sharer := k.sharer(group, topic)
	statuses := []kgo.AckStatus{kgo.AckAccept, kgo.AckRelease, kgo.AckReject}
	k.share(sharer, 9, func(r *kgo.Record) { r.Ack(statuses[r.Offset%3]) })
	ok(sharer.FlushAcks(k.ctx))
	again := k.share(sharer, 3, with(kgo.AckAccept))
	equal("what was given back", []string{"1", "4", "7"}, sortedValues(again))
	equal("delivery counts", []int32{2}, deliveryCounts(again))
	ok(sharer.FlushAcks(k.ctx))
	k.none(sharer, 600*time.Millisecond)
}

func shareLockTimeout(k *kit) {
	topic := k.createTopic("share-lock", 1)
	group := k.shareGroup("share-lock", "share.record.lock.duration.ms", "1000")
	k.produceNumbers(topic, 1, 0, 5)
	// Who fetches only when polled takes nothing for itself once its time is over.
	k.share(k.sharer(group, topic, kgo.MaxConcurrentFetches(0)), 5, keep)
	again := k.share(k.sharer(group, topic), 5, with(kgo.AckAccept))
	equal("what was held for too long", numbers(0, 5), sortedValues(again))
	equal("delivery counts", []int32{2}, deliveryCounts(again))
}

func shareRenew(k *kit) {
	topic := k.createTopic("share-renew", 1)
	group := k.shareGroup("share-renew", "share.record.lock.duration.ms", "2000")
	k.produceNumbers(topic, 1, 0, 3)
	holder := k.sharer(group, topic)
	held := k.share(holder, 3, keep)
	// Only now: a member fetches, and takes, before it is polled.
	other := k.sharer(group, topic)
	for range 5 {
		holder.MarkAcks(kgo.AckRenew, held...)
		ok(holder.FlushAcks(k.ctx))
		k.none(other, 700*time.Millisecond)
	}
	holder.MarkAcks(kgo.AckAccept, held...)
	ok(holder.FlushAcks(k.ctx))
	k.none(other, 2500*time.Millisecond)
}

func shareDeliveryLimit(k *kit) {
	topic := k.createTopic("share-limit", 1)
	group := k.shareGroup("share-limit", "share.delivery.count.limit", "3")
	k.produceNumbers(topic, 1, 0, 4)
	sharer := k.sharer(group, topic)
	for delivery := int32(1); delivery <= 3; delivery++ {
		equal("delivery counts", []int32{delivery}, deliveryCounts(k.share(sharer, 4, with(kgo.AckRelease))))
		ok(sharer.FlushAcks(k.ctx))
	}
	k.none(sharer, 600*time.Millisecond)
}

func shareRecordLimit(k *kit) {
	topic, group := k.createTopic("share-records", 1), k.shareGroup("share-records")
	k.produceNumbers(topic, 1, 0, 30)
	few := k.sharer(group, topic, kgo.ShareMaxRecords(4), kgo.ShareMaxRecordsStrict())
	records := k.share(few, 4, keep)
	equal("values", numbers(0, 4), valuesOf(records))
	rest := k.share(k.sharer(group, topic), 26, with(kgo.AckAccept))
	equal("what nobody held", numbers(4, 30), sortedValues(rest))
	few.MarkAcks(kgo.AckAccept, records...)
	ok(few.FlushAcks(k.ctx))
}

func shareMembers(k *kit) {
	topic, group := k.createTopic("share-members", 2), k.shareGroup("share-members")
	sharers := []*kgo.Client{k.sharer(group, topic), k.sharer(group, topic), k.sharer(group, topic)}
	records := []*kgo.Record{}
	round := func() {
		for _, sharer := range sharers {
			ctx, cancel := context.WithTimeout(k.ctx, 50*time.Millisecond)
			records = append(records, sharer.PollFetches(ctx).Records()...)
			cancel()
		}
	}
	for from := 0; from < 600; from += 20 {
		k.produceNumbers(topic, 2, from, from+20)
		round()
	}
	eventually("600 records", func() bool {
		round()
		return len(records) >= 600
	})
	equal("values, each once", numbers(0, 600), sortedValues(records))
}

// What a member holds that leaves is free again at once.
func shareLeave(k *kit) {
	topic, group := k.createTopic("share-leave", 1), k.shareGroup("share-leave")
	k.produceNumbers(topic, 1, 0, 6)
	leaver := k.sharer(group, topic)
	held := k.share(leaver, 6, keep)
	leaver.MarkAcks(kgo.AckAccept, held[:2]...)
	leaver.MarkAcks(kgo.AckRelease, held[2:]...)
	ok(leaver.LeaveGroupContext(k.ctx))
	rest := k.share(k.sharer(group, topic), 4, with(kgo.AckAccept))
	equal("values", numbers(2, 6), sortedValues(rest))
	equal("delivery counts", []int32{2}, deliveryCounts(rest))
}

func (k *kit) describeShareGroup(group string) kadm.DescribedShareGroup {
	described, err := k.admin().DescribeShareGroups(k.ctx, group)
	ok(err)
	return described[group]
}

func adminShareGroups(k *kit) {
	topic, group := k.createTopic("share-admin", 2), k.shareGroup("share-admin")
	k.produceNumbers(topic, 2, 0, 4)
	sharer := k.sharer(group, topic, kgo.ClientID("sharer"))
	k.share(sharer, 4, with(kgo.AckAccept))
	groups, err := k.admin().ListGroupsByType(k.ctx, []string{"share"})
	ok(err)
	equal("listing", []string{"share", "Stable"}, []string{groups[group].ProtocolType, groups[group].State})
	described := k.describeShareGroup(group)
	ok(described.Err)
	equal("state", "Stable", described.GroupState)
	equal("members", 1, len(described.Members))
	one := described.Members[0]
	equal("client id", "sharer", one.ClientID)
	equal("host", "/127.0.0.1", one.ClientHost)
	equal("assignment", []int32{0, 1}, one.Assignment.Sorted()[0].Partitions)
	_, err = k.admin().DeleteGroup(k.ctx, group)
	fails(kerr.NonEmptyGroup, err)
	ok(sharer.LeaveGroupContext(k.ctx))
	eventually("no members", func() bool { return k.describeShareGroup(group).GroupState == "Empty" })
	_, err = k.admin().DeleteGroup(k.ctx, group)
	ok(err)
	fails(kerr.GroupIDNotFound, k.describeShareGroup(group).Err)
}

func adminShareOffsets(k *kit) {
	topic, group := k.createTopic("share-offsets", 1), k.shareGroup("share-offsets")
	admin := k.admin()
	k.produceNumbers(topic, 1, 0, 10)
	sharer := k.sharer(group, topic)
	k.share(sharer, 10, func(r *kgo.Record) {
		if r.Offset < 6 {
			r.Ack(kgo.AckAccept)
		} else {
			r.Ack(kgo.AckRelease)
		}
	})
	ok(sharer.FlushAcks(k.ctx))
	offset := func() kadm.ShareOffset {
		described, err := admin.DescribeShareGroupOffsets(k.ctx, group)
		ok(err)
		ok(described[group].Err)
		return described[group].Offsets[topic][0]
	}
	eventually("a lag of 4", func() bool { return offset().Lag == 4 })
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 8})
	refused, err := admin.AlterShareGroupOffsets(k.ctx, group, offsets)
	if err == nil {
		err = refused.Error()
	}
	fails(kerr.NonEmptyGroup, err)
	ok(sharer.LeaveGroupContext(k.ctx))
	eventually("no members", func() bool { return k.describeShareGroup(group).GroupState == "Empty" })
	altered, err := admin.AlterShareGroupOffsets(k.ctx, group, offsets)
	ok(err)
	ok(altered.Error())
	equal("altered offset", int64(8), offset().StartOffset)
	deleted, err := admin.DeleteShareGroupOffsets(k.ctx, group, topic)
	ok(err)
	ok(deleted.Error())
	// Apache Kafka may still hand out what it had at hand before it begins again.
	last := k.sharer(group, topic)
	seen := map[string]bool{}
	eventually("values from the beginning on", func() bool {
		for _, value := range valuesOf(k.share(last, 1, with(kgo.AckAccept))) {
			seen[value] = true
		}
		return len(seen) == 10
	})
}
