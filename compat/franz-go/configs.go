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
	return []scenario{
		{"admin-alter-configs", alterConfigs},
		{"admin-alter-lists", alterLists},
		{"admin-alter-written", alterWritten},
		{"admin-alter-refused", alterRefused},
		{"admin-alter-threads", alterThreads},
	}
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
	node := k.node()
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

func alterLists(k *kit) {
	topic := k.createTopic("alter-lists", 1)
	admin := k.admin()
	alter := func(op kadm.IncrementalOp, value string) error {
		return outcome(admin.AlterTopicConfigs(k.ctx, []kadm.AlterConfig{change(op, "cleanup.policy", value)}, topic))
	}
	becomes := func(value string) {
		eventually(fmt.Sprintf("cleanup.policy becomes %q", value), func() bool {
			config := configsOf(admin.DescribeTopicConfigs(k.ctx, topic))["cleanup.policy"]
			return config.MaybeValue() == value && config.Source == kmsg.ConfigSourceDynamicTopicConfig
		})
	}
	for _, step := range []struct {
		op            kadm.IncrementalOp
		value, policy string
	}{
		{kadm.AppendConfig, "compact,", "delete,compact"},
		{kadm.SubtractConfig, "delete,,", "compact"},
		{kadm.AppendConfig, ",", "compact"},
		{kadm.SubtractConfig, "compact", ""},
		{kadm.AppendConfig, "delete,", "delete"},
		{kadm.SetConfig, "", ""},
		{kadm.AppendConfig, "delete", "delete"},
	} {
		ok(alter(step.op, step.value))
		becomes(step.policy)
	}
	// In front, between, and where a list is set whole, a comma makes an empty element.
	fails(kerr.InvalidConfig, alter(kadm.AppendConfig, ",compact"))
	fails(kerr.InvalidConfig, alter(kadm.AppendConfig, "compact,,delete"))
	fails(kerr.InvalidConfig, alter(kadm.AppendConfig, ""))
	fails(kerr.InvalidConfig, alter(kadm.SetConfig, "compact,"))
	becomes("delete")
}

func alterWritten(k *kit) {
	admin := k.admin()
	asked := map[string]string{"retention.ms": " +5 ", "cleanup.policy": "compact, delete", "min.cleanable.dirty.ratio": ".5"}
	configs := map[string]*string{}
	for name, value := range asked {
		configs[name] = text(value)
	}
	topic := k.unique("written")
	created, err := admin.CreateTopic(k.ctx, 1, 1, configs, topic)
	ok(err)
	for name, value := range asked {
		config := created.Configs[name]
		equal(name+" in the answer", value, config.MaybeValue())
	}
	set := func(name, value string) error {
		return outcome(admin.AlterTopicConfigs(k.ctx, []kadm.AlterConfig{change(kadm.SetConfig, name, value)}, topic))
	}
	for _, ratio := range []string{"0.5f", " .5D ", "1d", "1."} {
		ok(set("min.cleanable.dirty.ratio", ratio))
	}
	for _, ratio := range []string{"nan", "infinity", "NaNf", "f", ".", "1e", "1ff"} {
		fails(kerr.InvalidConfig, set("min.cleanable.dirty.ratio", ratio))
	}
	for _, replicas := range []string{"0:1,", "0:1,,1:1", "*,"} {
		ok(set("leader.replication.throttled.replicas", replicas))
	}
	fails(kerr.InvalidConfig, set("leader.replication.throttled.replicas", "0:1,*"))

	// What a move of replicas sets on running brokers is shown while it is set.
	const rate = "follower.replication.throttled.rate"
	shown := func() string {
		config := configsOf(admin.DescribeBrokerConfigs(k.ctx, k.node()))[rate]
		return config.MaybeValue()
	}
	alter := func(one kadm.AlterConfig) {
		ok(outcome(admin.AlterBrokerConfigs(k.ctx, []kadm.AlterConfig{one}, k.node())))
	}
	equal(rate, "", shown())
	alter(change(kadm.SetConfig, rate, "1000"))
	eventually(rate+" is shown", func() bool { return shown() == "1000" })
	alter(change(kadm.DeleteConfig, rate, ""))
	eventually(rate+" is not shown", func() bool { return shown() == "" })
}

func alterRefused(k *kit) {
	admin := k.admin()
	node := k.node()
	described := func(names []string) []string {
		configs, values := configsOf(admin.DescribeBrokerConfigs(k.ctx, node)), []string{}
		for _, name := range names {
			config := configs[name]
			values = append(values, fmt.Sprintf("%s=%s by %s", name, config.MaybeValue(), config.Source))
		}
		return values
	}
	for _, changes := range [][]kadm.AlterConfig{
		{change(kadm.SetConfig, "log.roll.ms", "0")},
		{change(kadm.SetConfig, "log.roll.ms", "-1")},
		{change(kadm.SetConfig, "log.roll.jitter.ms", "-1")},
		{change(kadm.SetConfig, "log.retention.ms", "0")},
		{change(kadm.SetConfig, "log.segment.bytes", "1048575")},
		{change(kadm.SetConfig, "log.cleaner.threads", "0")},
		{change(kadm.SetConfig, "log.cleaner.dedupe.buffer.size", "1048576")},
		{change(kadm.SetConfig, "log.cleaner.dedupe.buffer.size", "2097153"), change(kadm.SetConfig, "log.cleaner.threads", "2")},
		{change(kadm.SetConfig, "group.consumer.assignment.interval.ms", "15001")},
		{change(kadm.SetConfig, "group.share.assignment.interval.ms", "15001")},
		{change(kadm.SetConfig, "group.streams.assignment.interval.ms", "15001")},
		{change(kadm.SetConfig, "max.connections.per.ip.overrides", "a:b")},
		{change(kadm.SetConfig, "max.connections.per.ip.overrides", "a")},
		{change(kadm.SetConfig, "max.connections.per.ip.overrides", "no host:1")},
		{change(kadm.SetConfig, "max.connections.per.ip", "0")},
		{change(kadm.SetConfig, "max.connections", "0")},
		{change(kadm.SetConfig, "max.connection.creation.rate", "0")},
		{change(kadm.SetConfig, "metric.reporters", "no.such.Class")},
		{change(kadm.AppendConfig, "metric.reporters", "no.such.Class")},
		// What is refused takes the others with it.
		{change(kadm.SetConfig, "log.retention.bytes", "5000"), change(kadm.SetConfig, "log.roll.ms", "0")},
	} {
		names := []string{}
		for _, one := range changes {
			names = append(names, one.Name)
		}
		before := described(names)
		// For all brokers, then for this one.
		for _, nodes := range [][]int32{{}, {node}} {
			fails(kerr.InvalidRequest, outcome(admin.AlterBrokerConfigs(k.ctx, changes, nodes...)))
		}
		equal("what is in force", before, described(names))
	}
}

func alterThreads(k *kit) {
	admin := k.admin()
	node := k.node()
	for name, current := range map[string]int{
		"num.io.threads": 8, "num.network.threads": 3, "num.replica.fetchers": 1, "num.recovery.threads.per.data.dir": 2,
		"background.threads": 10, "remote.log.reader.threads": 10, "log.cleaner.threads": 1,
	} {
		set := func(threads int) error {
			return outcome(admin.AlterBrokerConfigs(k.ctx, []kadm.AlterConfig{change(kadm.SetConfig, name, fmt.Sprint(threads))}, node))
		}
		takeBack := func() error {
			return outcome(admin.AlterBrokerConfigs(k.ctx, []kadm.AlterConfig{change(kadm.DeleteConfig, name, "")}, node))
		}
		becomes := func(threads int) {
			eventually(fmt.Sprintf("%s becomes %d", name, threads), func() bool {
				config := configsOf(admin.DescribeBrokerConfigs(k.ctx, node))[name]
				return config.MaybeValue() == fmt.Sprint(threads)
			})
		}
		becomes(current)
		fails(kerr.InvalidRequest, set(2*current+1))
		fails(kerr.InvalidRequest, set(current/2-1))
		ok(set(2 * current))
		becomes(2 * current)
		ok(set(4 * current))
		becomes(4 * current)
		fails(kerr.InvalidRequest, set(2*current-1))
		// Taking it back is a step too.
		fails(kerr.InvalidRequest, takeBack())
		ok(set(2 * current))
		becomes(2 * current)
		ok(takeBack())
		becomes(current)
	}
}
