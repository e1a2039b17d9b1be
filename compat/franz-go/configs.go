package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Changing settings of topics and the broker while it runs.
func configScenarios() []scenario {
	return []scenario{{"admin-alter-configs", alterConfigs}}
}

func change(op kadm.IncrementalOp, name, value string) kadm.AlterConfig {
	return kadm.AlterConfig{Op: op, Name: name, Value: &value}
}

func outcome(responses kadm.AlterConfigsResponses, err error) error {
	ok(err)
	return responses[0].Err
}

func alterConfigs(k *kit) {
	topic := k.createTopic("alter", 1, "segment.ms", "86400000")
	admin := k.admin()
	alter := func(changes ...kadm.AlterConfig) error {
		return outcome(admin.AlterTopicConfigs(k.ctx, changes, topic))
	}
	valueOf := func(name string) string {
		config := configsOf(admin.DescribeTopicConfigs(k.ctx, topic))[name]
		return config.MaybeValue()
	}
	becomes := func(name, value string) {
		eventually(fmt.Sprintf("%s becomes %s", name, value), func() bool { return valueOf(name) == value })
	}
	validated := []kadm.AlterConfig{change(kadm.SetConfig, "retention.ms", "1")}
	ok(outcome(admin.ValidateAlterTopicConfigs(k.ctx, validated, topic)))
	equal("retention.ms", "604800000", valueOf("retention.ms"))
	fails(kerr.InvalidConfig, alter(change(kadm.SetConfig, "retention.ms", "soon")))
	fails(kerr.UnknownTopicOrPartition, outcome(admin.AlterTopicConfigs(k.ctx, validated, k.unique("unknown"))))

	ok(alter(change(kadm.SetConfig, "max.message.bytes", "2000"), change(kadm.AppendConfig, "cleanup.policy", "compact")))
	becomes("max.message.bytes", "2000")
	becomes("cleanup.policy", "delete,compact")
	equal("segment.ms", "86400000", valueOf("segment.ms"))
	ok(alter(change(kadm.SubtractConfig, "cleanup.policy", "compact")))
	becomes("cleanup.policy", "delete")
	producer := k.client(kgo.ProducerBatchCompression(kgo.NoCompression()))
	large := &kgo.Record{Topic: topic, Value: []byte(strings.Repeat("x", 5000))}
	fails(kerr.MessageTooLarge, producer.ProduceSync(k.ctx, large).FirstErr())
	ok(alter(change(kadm.DeleteConfig, "max.message.bytes", "")))
	becomes("max.message.bytes", "1048588")
	ok(producer.ProduceSync(k.ctx, large).FirstErr())

	alterBrokerConfigs(k, admin)
}

func alterBrokerConfigs(k *kit, admin *kadm.Client) {
	brokers, err := admin.ListBrokers(k.ctx)
	ok(err)
	node := brokers[0].NodeID
	alter := func(changes ...kadm.AlterConfig) error {
		return outcome(admin.AlterBrokerConfigs(k.ctx, changes, node))
	}
	const name = "log.cleaner.max.compaction.lag.ms"
	becomes := func(value string, source kmsg.ConfigSource) {
		eventually(fmt.Sprintf("%s becomes %s", name, value), func() bool {
			config := configsOf(admin.DescribeBrokerConfigs(k.ctx, node))[name]
			return config.MaybeValue() == value && config.Source == source
		})
	}
	ok(alter(change(kadm.SetConfig, name, "77000000")))
	becomes("77000000", kmsg.ConfigSourceDynamicBrokerConfig)
	ok(alter(change(kadm.DeleteConfig, name, "")))
	becomes("9223372036854775807", kmsg.ConfigSourceDefaultConfig)
	fails(kerr.InvalidRequest, alter(change(kadm.SetConfig, "num.partitions", "2")))
}
