package main

import (
	"fmt"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Groups of the classic protocol: sharing, leaving, committing.
func groupScenarios() []scenario {
	return []scenario{
		{"group-rebalance", groupRebalance},
		{"cooperative-sticky", cooperativeSticky},
		{"static-membership", staticMembership},
		{"commit-resume", commitResume},
		{"standalone-commit", standaloneCommit},
		{"pattern-subscription", patternSubscription},
		{"unknown-group", unknownGroup},
	}
}

// settle waits until every member owns share partitions, none of them twice.
func settle(topic string, share int, members ...*member) {
	eventually(fmt.Sprintf("%d partitions for each of %d members", share, len(members)), func() bool {
		union := map[int32]bool{}
		for _, m := range members {
			owned := m.partitions(topic)
			if len(owned) != share {
				return false
			}
			for _, partition := range owned {
				union[partition] = true
			}
		}
		return len(union) == share*len(members)
	})
}

func delivered(from, to int, members ...*member) {
	eventually(fmt.Sprintf("records %d to %d", from, to), func() bool {
		seen := map[string]bool{}
		for _, m := range members {
			for _, value := range m.values() {
				seen[value] = true
			}
		}
		for _, value := range numbers(from, to) {
			if !seen[value] {
				return false
			}
		}
		return true
	})
	for _, m := range members {
		equal("records of partitions the member does not own", []string(nil), m.strayRecords())
	}
}

func groupRebalance(k *kit) {
	topic, group := k.createTopic("rebalance", 6), k.unique("rebalance")
	opts := []kgo.Opt{kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer())}
	first, second, third := k.member(group, opts...), k.member(group, opts...), k.member(group, opts...)
	settle(topic, 2, first, second, third)
	k.produceNumbers(topic, 6, 0, 60)
	delivered(0, 60, first, second, third)
	equal("records in all, each once", 60, len(first.values())+len(second.values())+len(third.values()))
	for _, m := range []*member{first, second, third} {
		ok(m.client.CommitUncommittedOffsets(k.ctx))
	}

	first.stop()
	ok(first.client.LeaveGroupContext(k.ctx))
	settle(topic, 3, second, third)
	before := len(second.values()) + len(third.values())
	k.produceNumbers(topic, 6, 60, 120)
	delivered(60, 120, second, third)
	equal("records after the rebalance, each once", before+60, len(second.values())+len(third.values()))
	settle(topic, 2, second, third, k.member(group, opts...))
}

func cooperativeSticky(k *kit) {
	topic, group := k.createTopic("cooperative", 6), k.unique("cooperative")
	opts := []kgo.Opt{kgo.ConsumeTopics(topic), kgo.Balancers(kgo.CooperativeStickyBalancer())}
	first := k.member(group, opts...)
	settle(topic, 6, first)
	second := k.member(group, opts...)
	settle(topic, 3, first, second)
	_, taken := first.history()
	equal("partitions taken from the first member", 3, taken)
	_, taken = second.history()
	equal("partitions taken from the second member", 0, taken)
	k.produceNumbers(topic, 6, 0, 60)
	delivered(0, 60, first, second)
}

func staticMembership(k *kit) {
	topic, group := k.createTopic("static", 4), k.unique("static")
	opts := []kgo.Opt{kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer())}
	a, b := append(opts, kgo.InstanceID("a")), append(opts, kgo.InstanceID("b"))
	first, second := k.member(group, a...), k.member(group, b...)
	settle(topic, 2, first, second)
	owned := first.partitions(topic)
	before, _ := second.history()
	first.stop()
	first.client.Close()
	again := k.member(group, a...)
	settle(topic, 2, again, second)
	equal("partitions of the returning member", owned, again.partitions(topic))
	after, _ := second.history()
	equal("assignments of the other member", before, after)

	usurper := k.member(group, b...)
	eventually("the usurper is in", func() bool { return len(usurper.partitions(topic)) == 2 })
	eventually("the fenced member is told", func() bool { return second.has(kerr.FencedInstanceID) })

	left, err := k.admin().LeaveGroup(k.ctx, kadm.LeaveGroup(group).InstanceIDs("a", "b"))
	ok(err)
	ok(left.Error())
}

func commitResume(k *kit) {
	topic, group := k.createTopic("resume", 1), k.unique("resume")
	k.produceNumbers(topic, 1, 0, 10)
	first := k.member(group, kgo.ConsumeTopics(topic))
	delivered(0, 10, first)
	var failure error
	withNote := kgo.PreCommitFnContext(k.ctx, func(request *kmsg.OffsetCommitRequest) error {
		request.Topics[0].Partitions[0].Metadata = kmsg.StringPtr("note")
		return nil
	})
	first.client.CommitOffsetsSync(
		withNote,
		map[string]map[int32]kgo.EpochOffset{topic: {0: {Epoch: 0, Offset: 4}}},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
			failure = err
		},
	)
	ok(failure)
	fetched, err := k.admin().FetchOffsets(k.ctx, group)
	ok(err)
	committed, _ := fetched.Lookup(topic, 0)
	equal("committed", []any{int64(4), int32(0), "note"}, []any{committed.At, committed.LeaderEpoch, committed.Metadata})
	first.stop()
	first.client.Close()
	second := k.member(group, kgo.ConsumeTopics(topic))
	delivered(4, 10, second)
	equal("values after the commit", numbers(4, 10), second.values())
}

func standaloneCommit(k *kit) {
	topic, group := k.createTopic("standalone", 2), k.unique("standalone")
	admin := k.admin()
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: 1, At: 3, LeaderEpoch: 0, Metadata: "note"})
	committed, err := admin.CommitOffsets(k.ctx, group, offsets)
	ok(err)
	ok(committed.Error())
	fetched, err := admin.FetchOffsets(k.ctx, group)
	ok(err)
	offset, _ := fetched.Lookup(topic, 1)
	equal("offset", int64(3), offset.At)
	equal("metadata", "note", offset.Metadata)
	equal("leader epoch", int32(0), offset.LeaderEpoch)
	_, known := fetched.Lookup(topic, 0)
	equal("an offset of the other partition", false, known)
}

func patternSubscription(k *kit) {
	stem := k.unique("pattern")
	topics := []string{k.createTopic(stem+"-a", 1), k.createTopic(stem+"-b", 1)}
	k.createTopic("other-"+stem, 1)
	m := k.member(k.unique("pattern"), kgo.ConsumeRegex(), kgo.ConsumeTopics("^franz-"+stem+"-.*"),
		kgo.MetadataMaxAge(300*time.Millisecond))
	for _, topic := range topics {
		settle(topic, 1, m)
	}
	// A topic that comes later belongs to the pattern as well.
	late := k.createTopic(stem+"-c", 1)
	k.produceNumbers(late, 1, 0, 5)
	delivered(0, 5, m)
	m.mu.Lock()
	defer m.mu.Unlock()
	owned := []string{}
	for topic := range m.owned {
		owned = append(owned, topic)
	}
	sort.Strings(owned)
	equal("topics", append(topics, late), owned)
}

func unknownGroup(k *kit) {
	admin, group := k.admin(), k.unique("nobody")
	offsets, err := admin.FetchOffsets(k.ctx, group)
	ok(err)
	equal("offsets", 0, len(offsets))
	_, err = admin.DeleteGroup(k.ctx, group)
	fails(kerr.GroupIDNotFound, err)
	described, err := admin.DescribeGroups(k.ctx, group)
	ok(err)
	fails(kerr.GroupIDNotFound, described[group].Err)
	equal("state", "Dead", described[group].State)
}
