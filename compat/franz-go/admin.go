package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The admin client: topics, records, configurations, cluster, groups, and what is refused.
func adminScenarios() []scenario {
	return []scenario{
		{"admin-topics", adminTopics},
		{"topic-ids", topicIDs},
		{"admin-create-partitions", adminCreatePartitions},
		{"admin-delete-records", adminDeleteRecords},
		{"admin-delete-records-policy", adminDeleteRecordsPolicy},
		{"admin-topic-configs", adminTopicConfigs},
		{"admin-broker-configs", adminBrokerConfigs},
		{"admin-cluster", adminCluster},
		{"admin-groups", adminGroups},
		{"admin-group-offsets", adminGroupOffsets},
		{"error-topic-exists", errorTopicExists},
		{"error-replication-factor", errorReplicationFactor},
		{"error-invalid-topic-name", errorInvalidTopicName},
		{"error-invalid-partitions", errorInvalidPartitions},
		{"error-many-partitions", errorManyPartitions},
		{"error-reserved-name", errorReservedName},
		{"error-invalid-config", errorInvalidConfig},
		{"error-unknown-topic", errorUnknownTopic},
	}
}

func listed(k *kit, admin *kadm.Client, topic string) bool {
	topics, err := admin.ListTopics(k.ctx)
	ok(err)
	return topics.Has(topic)
}

func text(value string) *string { return &value }

func adminTopics(k *kit) {
	admin, topic := k.admin(), k.unique("topics")
	configs := map[string]*string{"retention.ms": text("3600000")}
	validated, err := admin.ValidateCreateTopics(k.ctx, 3, 1, configs, topic)
	ok(err)
	ok(validated[topic].Err)
	that(!listed(k, admin, topic), "validation created the topic")
	created, err := admin.CreateTopic(k.ctx, 3, 1, configs, topic)
	ok(err)
	equal("partitions in the answer", int32(3), created.NumPartitions)
	equal("replication factor in the answer", int16(1), created.ReplicationFactor)
	retention := created.Configs["retention.ms"]
	equal("configuration in the answer", "3600000", retention.MaybeValue())
	eventually("the topic is listed", func() bool { return listed(k, admin, topic) })
	metadata, err := admin.Metadata(k.ctx, topic)
	ok(err)
	detail := metadata.Topics[topic]
	equal("topic id", created.ID, detail.ID)
	equal("partitions", []int32{0, 1, 2}, detail.Partitions.Numbers())
	node := metadata.Brokers[0].NodeID
	for _, partition := range detail.Partitions {
		equal("leader", node, partition.Leader)
		equal("leader epoch", int32(0), partition.LeaderEpoch)
		equal("replicas", []int32{node}, partition.Replicas)
		equal("in-sync replicas", []int32{node}, partition.ISR)
	}
	defaulted := k.unique("defaulted")
	defaults, err := admin.CreateTopic(k.ctx, -1, -1, nil, defaulted)
	ok(err)
	equal("default partitions", int32(1), defaults.NumPartitions)
	deleted, err := admin.DeleteTopics(k.ctx, topic, defaulted)
	ok(err)
	ok(deleted.Error())
	eventually("the topic is gone", func() bool { return !listed(k, admin, topic) })
}

func topicIDs(k *kit) {
	topic := k.createTopic("ids", 2)
	admin := k.admin()
	details, err := admin.ListTopics(k.ctx, topic)
	ok(err)
	id := details[topic].ID
	that(id != kadm.TopicID{}, "the topic has no id")
	byID := metadataByID(k, id)
	ok(kerr.ErrorForCode(byID.ErrorCode))
	equal("name of the topic with the id", topic, *byID.Topic)
	equal("partitions of the topic with the id", 2, len(byID.Partitions))
	fails(kerr.UnknownTopicID, kerr.ErrorForCode(metadataByID(k, kadm.TopicID{1, 2, 3}).ErrorCode))
	_, err = admin.DeleteTopic(k.ctx, topic)
	ok(err)
	eventually("the topic is gone", func() bool { return !listed(k, admin, topic) })
	created, err := admin.CreateTopic(k.ctx, 2, 1, nil, topic)
	ok(err)
	that(created.ID != id, "the new topic has the id of the old one")
}

func metadataByID(k *kit, id kadm.TopicID) kmsg.MetadataResponseTopic {
	request := kmsg.NewPtrMetadataRequest()
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.TopicID = id
	request.Topics = append(request.Topics, wanted)
	answer, err := request.RequestWith(k.ctx, k.client())
	ok(err)
	return answer.Topics[0]
}

func adminCreatePartitions(k *kit) {
	topic := k.createTopic("partitions", 1)
	admin := k.admin()
	k.produceNumbers(topic, 1, 0, 5)
	created, err := admin.UpdatePartitions(k.ctx, 4, topic)
	ok(err)
	ok(created.Error())
	k.awaitLeaders(topic, 4)
	k.produceNumbers(topic, 4, 7, 8)
	values := valuesOf(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 6))
	sort.Strings(values)
	equal("values", []string{"0", "1", "2", "3", "4", "7"}, values)
	for _, count := range []int{2, 4} {
		refused, err := admin.UpdatePartitions(k.ctx, count, topic)
		ok(err)
		fails(kerr.InvalidPartitions, refused[topic].Err)
	}
}

func adminDeleteRecords(k *kit) {
	topic := k.createTopic("delete-records", 1)
	k.produceNumbers(topic, 1, 0, 10)
	answer := k.deleteRecords(topic, 6)
	ok(answer.Err)
	equal("low watermark", int64(6), answer.LowWatermark)
	starts, err := k.admin().ListStartOffsets(k.ctx, topic)
	ok(err)
	equal("start", int64(6), starts[topic][0].Offset)
	equal("values that stay", numbers(6, 10), valuesOf(k.poll(k.consumer(kgo.ConsumeTopics(topic)), 4)))
	fails(kerr.OffsetOutOfRange, k.deleteRecords(topic, 11).Err)
	all := k.deleteRecords(topic, -1)
	ok(all.Err)
	equal("low watermark at the end", int64(10), all.LowWatermark)
}

func adminDeleteRecordsPolicy(k *kit) {
	for _, policy := range []string{"delete", "compact,delete", ""} {
		topic := k.createTopic("delete-policy", 1, "cleanup.policy", policy)
		placed(0, k.produceBatch(topic, batch{records: []kmsg.Record{keyed, keyed}}.bytes()))
		answer := k.deleteRecords(topic, 1)
		ok(answer.Err)
		equal("low watermark", int64(1), answer.LowWatermark)
		fails(kerr.OffsetOutOfRange, k.deleteRecords(topic, 3).Err)
	}
	topic := k.createTopic("delete-policy", 1, "cleanup.policy", "compact")
	placed(0, k.produceBatch(topic, batch{records: []kmsg.Record{keyed, keyed}}.bytes()))
	// The policy is looked at before the offset.
	for _, before := range []int64{1, 3, -1} {
		answer := k.deleteRecords(topic, before)
		fails(kerr.PolicyViolation, answer.Err)
		equal("low watermark of a refusal", int64(-1), answer.LowWatermark)
	}
	starts, err := k.admin().ListStartOffsets(k.ctx, topic)
	ok(err)
	equal("start", int64(0), starts[topic][0].Offset)
}

func configsOf(resources kadm.ResourceConfigs, err error) map[string]kadm.Config {
	ok(err)
	ok(resources[0].Err)
	configs := map[string]kadm.Config{}
	for _, config := range resources[0].Configs {
		configs[config.Key] = config
	}
	return configs
}

func adminTopicConfigs(k *kit) {
	topic := k.createTopic("configs", 1, "retention.ms", "3600000", "cleanup.policy", "compact")
	admin := k.admin()
	configs := configsOf(admin.DescribeTopicConfigs(k.ctx, topic))
	equal("source of retention.ms", kmsg.ConfigSourceDynamicTopicConfig, configs["retention.ms"].Source)
	equal("source of segment.bytes", kmsg.ConfigSourceDefaultConfig, configs["segment.bytes"].Source)
	for name, expected := range map[string]string{
		"retention.ms": "3600000", "cleanup.policy": "compact", "max.message.bytes": "1048588",
		"segment.bytes": "1073741824", "compression.type": "producer", "message.timestamp.type": "CreateTime",
	} {
		config := configs[name]
		equal(name, expected, config.MaybeValue())
	}
	unknown, err := admin.DescribeTopicConfigs(k.ctx, k.unique("unknown"))
	ok(err)
	fails(kerr.UnknownTopicOrPartition, unknown[0].Err)
}

func adminBrokerConfigs(k *kit) {
	configs := configsOf(k.admin().DescribeBrokerConfigs(k.ctx, k.node()))
	for name, expected := range map[string]string{
		"message.max.bytes": "1048588", "num.partitions": "1", "auto.create.topics.enable": "true",
	} {
		config := configs[name]
		equal(name, expected, config.MaybeValue())
	}
}

func adminCluster(k *kit) {
	admin := k.admin()
	metadata, err := admin.BrokerMetadata(k.ctx)
	ok(err)
	equal("brokers", 1, len(metadata.Brokers))
	broker := metadata.Brokers[0]
	equal("address", k.address, fmt.Sprintf("%s:%d", broker.Host, broker.Port))
	equal("controller", broker.NodeID, metadata.Controller)
	that(metadata.Cluster != "", "the cluster has no id")
	versions, err := admin.ApiVersions(k.ctx)
	ok(err)
	for _, key := range []kmsg.Key{kmsg.Produce, kmsg.Fetch, kmsg.Metadata, kmsg.JoinGroup, kmsg.CreateTopics} {
		of := versions[broker.NodeID]
		_, known := of.KeyMaxVersion(key.Int16())
		that(known, key.Name()+" is not among the versions")
	}
}

func adminGroups(k *kit) {
	topic, group := k.createTopic("groups", 2), k.unique("groups")
	admin := k.admin()
	m := k.member(group, kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer()))
	settle(topic, 2, m)
	groups, err := admin.ListGroups(k.ctx)
	ok(err)
	equal("state in the list", "Stable", groups[group].State)
	equal("protocol type in the list", "consumer", groups[group].ProtocolType)
	empties, err := admin.ListGroups(k.ctx, "Empty")
	ok(err)
	that(!slices.Contains(empties.Groups(), group), "among the empty groups")
	classics, err := admin.ListGroupsByType(k.ctx, []string{"classic"})
	ok(err)
	that(slices.Contains(classics.Groups(), group), "not among the classic groups")
	described, err := admin.DescribeGroups(k.ctx, group)
	ok(err)
	d := described[group]
	ok(d.Err)
	equal("state", "Stable", d.State)
	equal("protocol", "range", d.Protocol)
	equal("members", 1, len(d.Members))
	equal("client id", "compat-franz", d.Members[0].ClientID)
	equal("host", "/127.0.0.1", d.Members[0].ClientHost)
	that(strings.HasPrefix(d.Members[0].MemberID, "compat-franz-"), "the member id does not start with the client id")
	assigned := d.AssignedPartitions()
	that(assigned.Lookup(topic, 0) && assigned.Lookup(topic, 1), "the assignment is not described")
	_, err = admin.DeleteGroup(k.ctx, group)
	fails(kerr.NonEmptyGroup, err)
	m.stop()
	ok(m.client.LeaveGroupContext(k.ctx))
	described, err = admin.DescribeGroups(k.ctx, group)
	ok(err)
	equal("state without members", "Empty", described[group].State)
	_, err = admin.DeleteGroup(k.ctx, group)
	ok(err)
	groups, err = admin.ListGroups(k.ctx)
	ok(err)
	that(!slices.Contains(groups.Groups(), group), "the deleted group is listed")
}

func adminGroupOffsets(k *kit) {
	topic, group := k.createTopic("group-offsets", 2), k.unique("group-offsets")
	admin := k.admin()
	k.produceNumbers(topic, 2, 0, 10)
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 2, LeaderEpoch: -1})
	offsets.Add(kadm.Offset{Topic: topic, Partition: 1, At: 4, LeaderEpoch: -1})
	ok(admin.CommitAllOffsets(k.ctx, group, offsets))
	many := admin.FetchManyOffsets(k.ctx, group, k.unique("nobody"))
	equal("groups in one answer", 2, len(many))
	ok(many[group].Err)
	at, _ := many[group].Fetched.Lookup(topic, 1)
	equal("offset", int64(4), at.At)

	m := k.member(group, kgo.ConsumeTopics(topic))
	eventually("the records after the commits", func() bool { return len(m.values()) == 4 })
	refused, err := admin.CommitOffsets(k.ctx, group, offsets)
	ok(err)
	fails(kerr.UnknownMemberID, refused.Error())
	partition := kadm.TopicsSet{topic: {0: {}}}
	deleted, err := admin.DeleteOffsets(k.ctx, group, partition)
	ok(err)
	fails(kerr.GroupSubscribedToTopic, deleted[topic][0])
	m.stop()
	ok(m.client.LeaveGroupContext(k.ctx))
	deleted, err = admin.DeleteOffsets(k.ctx, group, partition)
	ok(err)
	ok(deleted.Error())
	fetched, err := admin.FetchOffsets(k.ctx, group)
	ok(err)
	_, gone := fetched.Lookup(topic, 0)
	_, stays := fetched.Lookup(topic, 1)
	equal("offsets after the deletion", []bool{false, true}, []bool{gone, stays})
}

func errorTopicExists(k *kit) {
	topic := k.createTopic("exists", 1)
	_, err := k.admin().CreateTopic(k.ctx, 1, 1, nil, topic)
	fails(kerr.TopicAlreadyExists, err)
}

func errorReplicationFactor(k *kit) {
	for _, replicas := range []int16{0, 3} {
		_, err := k.admin().CreateTopic(k.ctx, 1, replicas, nil, k.unique("replicas"))
		fails(kerr.InvalidReplicationFactor, err)
	}
}

func errorInvalidTopicName(k *kit) {
	for _, topic := range []string{"with space", "..", ".", "slash/", strings.Repeat("x", 250)} {
		_, err := k.admin().CreateTopic(k.ctx, 1, 1, nil, topic)
		fails(kerr.InvalidTopicException, err)
	}
}

func errorInvalidPartitions(k *kit) {
	_, err := k.admin().CreateTopic(k.ctx, 0, 1, nil, k.unique("none"))
	fails(kerr.InvalidPartitions, err)
}

func errorManyPartitions(k *kit) {
	request := kmsg.NewPtrCreateTopicsRequest()
	ask := func(topic string, partitions int32) {
		one := kmsg.NewCreateTopicsRequestTopic()
		one.Topic, one.NumPartitions, one.ReplicationFactor = topic, partitions, 1
		request.Topics = append(request.Topics, one)
	}
	small, large := k.unique("small"), k.unique("large")
	ask(small, 1)
	ask("in vain", 5000)
	ask(large, 5000)
	response, err := request.RequestWith(k.ctx, k.client())
	ok(err)
	equal("answers", 3, len(response.Topics))
	for _, topic := range response.Topics {
		fails(kerr.PolicyViolation, kerr.ErrorForCode(topic.ErrorCode))
	}
	that(!listed(k, k.admin(), small), "a topic of a refused request was made")
}

func errorReservedName(k *kit) {
	const name = "__cluster_metadata"
	_, err := k.admin().CreateTopic(k.ctx, 1, 1, nil, name)
	fails(kerr.InvalidRequest, err)
	client := k.client()
	for range 2 {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = text(name)
		request := kmsg.NewPtrMetadataRequest()
		request.AllowAutoTopicCreation, request.Topics = true, []kmsg.MetadataRequestTopic{topic}
		response, err := request.RequestWith(k.ctx, client)
		ok(err)
		fails(kerr.UnknownTopicOrPartition, kerr.ErrorForCode(response.Topics[0].ErrorCode))
	}
}

func errorInvalidConfig(k *kit) {
	for name, value := range map[string]string{"no.such.config": "1", "retention.ms": "soon", "cleanup.policy": "burn"} {
		_, err := k.admin().CreateTopic(k.ctx, 1, 1, map[string]*string{name: &value}, k.unique("config"))
		fails(kerr.InvalidConfig, err)
	}
}

func errorUnknownTopic(k *kit) {
	topic := k.unique("unknown")
	_, err := k.admin().DeleteTopic(k.ctx, topic)
	fails(kerr.UnknownTopicOrPartition, err)
	details, err := k.admin().ListTopics(k.ctx, topic)
	ok(err)
	fails(kerr.UnknownTopicOrPartition, details[topic].Err)
}
