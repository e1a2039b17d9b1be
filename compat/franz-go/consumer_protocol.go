package main

import (
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Groups of the consumer protocol (KIP-848), which franz-go speaks when it is
// told to leave assigning to the broker.
func consumerProtocolScenarios() []scenario {
	return []scenario{
		{"consumer-protocol-rebalance", consumerProtocolRebalance},
		{"consumer-protocol-pattern", consumerProtocolPattern},
		{"consumer-protocol-commits", consumerProtocolCommits},
		{"consumer-protocol-migration", consumerProtocolMigration},
		{"consumer-protocol-admin", consumerProtocolAdmin},
	}
}

func serverSide(opts ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer())}, opts...)
}

func (m *member) leave(k *kit) {
	m.stop()
	ok(m.client.CommitUncommittedOffsets(k.ctx))
	ok(m.client.LeaveGroupContext(k.ctx))
}

func (k *kit) describeConsumerGroup(group string) kadm.DescribedConsumerGroup {
	described, err := k.admin().DescribeConsumerGroups(k.ctx, group)
	ok(err)
	return described[group]
}

func consumerProtocolRebalance(k *kit) {
	topic, group := k.createTopic("rebalance", 6), k.unique("rebalance")
	first := k.member(group, serverSide(kgo.ConsumeTopics(topic))...)
	settle(topic, 6, first)
	second := k.member(group, serverSide(kgo.ConsumeTopics(topic))...)
	settle(topic, 3, first, second)
	// A group of the classic protocol has no answer to this.
	ok(k.describeConsumerGroup(group).Err)
	_, taken := first.history()
	equal("partitions taken from the first member", 3, taken)
	_, taken = second.history()
	equal("partitions taken from the second member", 0, taken)
	k.produceNumbers(topic, 6, 0, 60)
	delivered(0, 60, first, second)
	equal("records in all, each once", 60, len(first.values())+len(second.values()))
	first.leave(k)
	settle(topic, 6, second)
}

// A broken pattern does not leave the client: Go compiles it first.
func consumerProtocolPattern(k *kit) {
	stem := k.unique("pattern")
	topic := k.createTopic(stem+"-a", 1)
	k.createTopic("other-"+stem, 1)
	m := k.member(k.unique("pattern"), serverSide(kgo.ConsumeRegex(), kgo.ConsumeTopics("franz-"+stem+"-.*"))...)
	settle(topic, 1, m)
	late := k.createTopic(stem+"-b", 1)
	k.produceNumbers(late, 1, 0, 5)
	delivered(0, 5, m)
	settle(topic, 1, m)
	settle(late, 1, m)
}

func consumerProtocolCommits(k *kit) {
	topic, group := k.createTopic("commits", 2), k.unique("commits")
	k.produceNumbers(topic, 2, 0, 20)
	first := k.member(group, serverSide(kgo.ConsumeTopics(topic))...)
	delivered(0, 20, first)
	first.leave(k)
	k.produceNumbers(topic, 2, 20, 30)
	second := k.member(group, serverSide(kgo.ConsumeTopics(topic))...)
	delivered(20, 30, second)
	equal("records after the commit", 10, len(second.values()))
	fetched, err := k.admin().FetchOffsets(k.ctx, group)
	ok(err)
	committed, _ := fetched.Lookup(topic, 0)
	equal("committed offset", int64(10), committed.At)
}

// From the classic protocol to the consumer protocol one by one, and back.
func consumerProtocolMigration(k *kit) {
	topic, group := k.createTopic("migration", 4), k.unique("migration")
	classic := k.member(group, kgo.ConsumeTopics(topic), kgo.Balancers(kgo.CooperativeStickyBalancer()))
	settle(topic, 4, classic)
	fails(kerr.GroupIDNotFound, k.describeConsumerGroup(group).Err)
	modern := k.member(group, serverSide(kgo.ConsumeTopics(topic))...)
	settle(topic, 2, classic, modern)
	ok(k.describeConsumerGroup(group).Err)
	k.produceNumbers(topic, 4, 0, 40)
	delivered(0, 40, classic, modern)
	modern.leave(k)
	settle(topic, 4, classic)
	fails(kerr.GroupIDNotFound, k.describeConsumerGroup(group).Err)
	k.produceNumbers(topic, 4, 40, 60)
	delivered(40, 60, classic)
}

func consumerProtocolAdmin(k *kit) {
	topic, group := k.createTopic("admin", 2), k.unique("admin")
	m := k.member(group, kgo.ConsumeTopics(topic), kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()),
		kgo.ClientID("member-one"))
	settle(topic, 2, m)
	groups, err := k.admin().ListGroupsByType(k.ctx, []string{"consumer"})
	ok(err)
	equal("listing", []string{"consumer", "Stable"}, []string{groups[group].ProtocolType, groups[group].State})
	groups, err = k.admin().ListGroupsByType(k.ctx, []string{"classic"})
	ok(err)
	that(groups[group].Group == "", "it is listed among the classic groups")
	described := k.describeConsumerGroup(group)
	ok(described.Err)
	equal("state", "Stable", described.State)
	equal("assignor", "range", described.AssignorName)
	equal("epochs", described.Epoch, described.AssignmentEpoch)
	equal("members", 1, len(described.Members))
	one := described.Members[0]
	equal("client id", "member-one", one.ClientID)
	equal("member epoch", described.Epoch, one.MemberEpoch)
	equal("whether it speaks the consumer protocol", int8(1), one.MemberType)
	equal("assignment", []int32{0, 1}, one.Assignment.Sorted()[0].Partitions)
	m.stop()
	ok(m.client.LeaveGroupContext(k.ctx))
	equal("state without members", "Empty", k.describeConsumerGroup(group).State)
	_, err = k.admin().DeleteGroup(k.ctx, group)
	ok(err)
}
