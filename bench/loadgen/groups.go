package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The modes of groups, by name; each takes its own flags.
var groupModes = map[string]func(args []string) any{
	"members": measureMembers,
	"groups":  measureGroups,
	"offset":  measureFirstOffset,
}

const (
	sessionTimeout   = 45 * time.Second
	rebalanceTimeout = 60 * time.Second
	// What clients do by themselves; the consumer protocol is told by the broker.
	classicHeartbeat = 3 * time.Second
	// How long a group may take to come to rest.
	stableWait = 150 * time.Second
)

// groupMember is one member of a group of either protocol; it lives until the program ends.
type groupMember struct {
	*wire
	group, topic string
	topicID      [16]byte
	protocol     string
	id           string
	generation   int32
	owned        []int32
	interval     time.Duration
}

// census is what members tell while they live.
type census struct {
	mu         sync.Mutex
	partitions map[*groupMember][]int32
	generation map[*groupMember]int32
	changed    time.Time
	heartbeats atomic.Int64
	latencies  []float64
}

func (c *census) tell(m *groupMember) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.partitions[m] = slices.Clone(m.owned)
	c.generation[m] = m.generation
	c.changed = time.Now()
}

// isStable says whether so many members share so many partitions, each with one owner, in one generation.
func (c *census) isStable(members, partitions int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	owners := map[int32]bool{}
	generations := map[int32]bool{}
	for m, owned := range c.partitions {
		generations[c.generation[m]] = true
		for _, partition := range owned {
			if owners[partition] {
				return false
			}
			owners[partition] = true
		}
	}
	return len(c.partitions) == members && len(owners) == partitions && len(generations) == 1
}

func (c *census) heard(took time.Duration) {
	c.heartbeats.Add(1)
	c.mu.Lock()
	c.latencies = append(c.latencies, float64(took.Microseconds())/1e3)
	c.mu.Unlock()
}

// errRejoin: the group asks its members to join again.
var errRejoin = errors.New("the group rebalances")

func (m *groupMember) live(c *census) error {
	if m.protocol == "consumer" {
		return m.liveByConsumerProtocol(c)
	}
	for {
		if err := m.joinClassic(); err == errRejoin {
			continue
		} else if err != nil {
			return err
		}
		c.tell(m)
		for {
			time.Sleep(classicHeartbeat)
			at := time.Now()
			request := kmsg.NewPtrHeartbeatRequest()
			request.Group, request.MemberID, request.Generation = m.group, m.id, m.generation
			answer, err := call[*kmsg.HeartbeatResponse](m.wire, request, 4)
			if err != nil {
				return err
			}
			c.heard(time.Since(at))
			if answer.ErrorCode == kerr.RebalanceInProgress.Code {
				break
			}
			if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
				return err
			}
		}
	}
}

// joinClassic joins, assigns where it leads, and learns what it has.
func (m *groupMember) joinClassic() error {
	subscription := kmsg.NewConsumerMemberMetadata()
	subscription.Topics = []string{m.topic}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "range", subscription.AppendTo(nil)
	request := kmsg.NewPtrJoinGroupRequest()
	request.Group, request.ProtocolType, request.Protocols = m.group, "consumer", []kmsg.JoinGroupRequestProtocol{protocol}
	request.SessionTimeoutMillis, request.RebalanceTimeoutMillis = int32(sessionTimeout.Milliseconds()), int32(rebalanceTimeout.Milliseconds())
	request.MemberID = m.id
	joined, err := call[*kmsg.JoinGroupResponse](m.wire, request, 9)
	if err != nil {
		return err
	}
	m.id = joined.MemberID
	if joined.ErrorCode == kerr.MemberIDRequired.Code || joined.ErrorCode == kerr.RebalanceInProgress.Code {
		return errRejoin
	}
	if err := kerr.ErrorForCode(joined.ErrorCode); err != nil {
		return err
	}
	m.generation = joined.Generation
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation = m.group, m.id, m.generation
	sync.ProtocolType, sync.Protocol = joined.ProtocolType, joined.Protocol
	if joined.LeaderID == m.id {
		for index, member := range joined.Members {
			assignment := kmsg.NewConsumerMemberAssignment()
			topic := kmsg.NewConsumerMemberAssignmentTopic()
			topic.Topic = m.topic
			for partition := index; partition < groupPartitions; partition += len(joined.Members) {
				topic.Partitions = append(topic.Partitions, int32(partition))
			}
			assignment.Topics = append(assignment.Topics, topic)
			each := kmsg.NewSyncGroupRequestGroupAssignment()
			each.MemberID, each.MemberAssignment = member.MemberID, assignment.AppendTo(nil)
			sync.GroupAssignment = append(sync.GroupAssignment, each)
		}
	}
	synced, err := call[*kmsg.SyncGroupResponse](m.wire, sync, 5)
	if err != nil {
		return err
	}
	if synced.ErrorCode == kerr.RebalanceInProgress.Code {
		return errRejoin
	}
	if err := kerr.ErrorForCode(synced.ErrorCode); err != nil {
		return err
	}
	assignment := kmsg.NewConsumerMemberAssignment()
	if err := assignment.ReadFrom(synced.MemberAssignment); err != nil {
		return err
	}
	m.owned = nil
	for _, topic := range assignment.Topics {
		m.owned = append(m.owned, topic.Partitions...)
	}
	return nil
}

// groupPartitions: partitions of the topic that the members share.
var groupPartitions int

func (m *groupMember) liveByConsumerProtocol(c *census) error {
	isNews := true
	for {
		request := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		request.Group, request.MemberID, request.MemberEpoch = m.group, m.id, m.generation
		if m.generation == 0 {
			request.RebalanceTimeoutMillis = int32(rebalanceTimeout.Milliseconds())
			request.SubscribedTopicNames = []string{m.topic}
		}
		if isNews {
			request.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
			if len(m.owned) > 0 {
				topic := kmsg.NewConsumerGroupHeartbeatRequestTopic()
				topic.TopicID, topic.Partitions = m.topicID, m.owned
				request.Topics = append(request.Topics, topic)
			}
		}
		at := time.Now()
		answer, err := call[*kmsg.ConsumerGroupHeartbeatResponse](m.wire, request, 1)
		if err != nil {
			return err
		}
		if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
			return err
		}
		c.heard(time.Since(at))
		isNews = answer.Assignment != nil && !(m.generation == 0 && len(answer.Assignment.Topics) == 0)
		if answer.Assignment != nil {
			m.owned = nil
			for _, topic := range answer.Assignment.Topics {
				m.topicID = topic.TopicID
				m.owned = append(m.owned, topic.Partitions...)
			}
		}
		if isNews || m.generation != answer.MemberEpoch {
			m.generation = answer.MemberEpoch
			c.tell(m)
		}
		// As clients do: what has changed is acknowledged at once.
		if !isNews {
			time.Sleep(time.Duration(answer.HeartbeatIntervalMillis) * time.Millisecond)
		}
	}
}

func startMember(c *census, address, group, topic, protocol string, number int) {
	w, err := dial(address)
	fatal(err)
	m := &groupMember{wire: w, group: group, topic: topic, protocol: protocol}
	if protocol == "consumer" {
		m.id = fmt.Sprintf("member-%017d", number)
	}
	go func() { fatal(m.live(c)) }()
}

func newCensus() *census {
	return &census{partitions: map[*groupMember][]int32{}, generation: map[*groupMember]int32{}}
}

// rest is what the broker does while nothing happens but heartbeats.
func (c *census) rest(seconds, pid int) map[string]any {
	before, heartbeats := readUsage(pid), c.heartbeats.Load()
	c.mu.Lock()
	c.latencies = nil
	c.mu.Unlock()
	time.Sleep(time.Duration(seconds) * time.Second)
	after := readUsage(pid)
	c.mu.Lock()
	defer c.mu.Unlock()
	return map[string]any{
		"cpu_s_per_s":      (after.cpu - before.cpu) / float64(seconds),
		"heartbeats_per_s": float64(c.heartbeats.Load()-heartbeats) / float64(seconds),
		"heartbeat_ms":     percentiles(c.latencies),
		"rss_mb":           after.rssMB,
	}
}

// measureMembers: one group of many members, from nothing until it is at rest.
func measureMembers(args []string) any {
	fs := flag.NewFlagSet("members", flag.ExitOnError)
	b := fs.String("b", "127.0.0.1:9092", "bootstrap")
	topic := fs.String("topic", "", "topic; it is there")
	group := fs.String("group", "", "group")
	protocol := fs.String("protocol", "consumer", "classic or consumer")
	count := fs.Int("count", 1000, "members, each with a connection")
	seconds := fs.Int("seconds", 20, "rest for so long")
	pid := fs.Int("pid", 0, "the broker")
	fs.IntVar(&groupPartitions, "partitions", 1000, "partitions of the topic")
	fs.Parse(args)
	awaitCoordinator(*b, *group)
	c := newCensus()
	before := readUsage(*pid)
	t0 := time.Now()
	for number := range *count {
		startMember(c, *b, *group, *topic, *protocol, number)
	}
	for !c.isStable(*count, groupPartitions) {
		if time.Since(t0) > stableWait {
			fatal(fmt.Errorf("the group is not at rest after %v: %d members have told", stableWait, len(c.partitions)))
		}
		time.Sleep(10 * time.Millisecond)
	}
	after := readUsage(*pid)
	out := map[string]any{
		"members": *count, "stable_s": c.changed.Sub(t0).Seconds(),
		"rss_before_mb": before.rssMB, "stable_cpu_s": after.cpu - before.cpu,
	}
	for name, value := range c.rest(*seconds, *pid) {
		out[name] = value
	}
	out["still_stable"] = c.isStable(*count, groupPartitions)
	return out
}

func groupName(number int) string { return fmt.Sprintf("group-%05d", number) }

// measureGroups: many groups with offsets, some of them with a member, and what admins ask of them.
func measureGroups(args []string) any {
	fs := flag.NewFlagSet("groups", flag.ExitOnError)
	b := fs.String("b", "127.0.0.1:9092", "bootstrap")
	topic := fs.String("topic", "", "topic; it is there")
	count := fs.Int("count", 10_000, "groups")
	each := fs.Int("each", 3, "partitions that a group has offsets in")
	live := fs.Int("live", 200, "groups with a member by the consumer protocol")
	connections := fs.Int("connections", 32, "connections that commit")
	seconds := fs.Int("seconds", 20, "rest for so long")
	pid := fs.Int("pid", 0, "the broker")
	fs.IntVar(&groupPartitions, "partitions", 1000, "partitions of the topic")
	fs.Parse(args)

	awaitCoordinator(*b, groupName(0))
	before := readUsage(*pid)
	t0 := time.Now()
	var next atomic.Int64
	var done sync.WaitGroup
	for range *connections {
		done.Go(func() {
			w, err := dial(*b)
			fatal(err)
			defer w.conn.Close()
			for number := int(next.Add(1)) - 1; number < *count; number = int(next.Add(1)) - 1 {
				fatal(commitOffsets(w, groupName(number), *topic, number, *each))
			}
		})
	}
	done.Wait()
	made := readUsage(*pid)
	out := map[string]any{
		"groups": *count, "made_s": time.Since(t0).Seconds(), "made_cpu_s": made.cpu - before.cpu,
		"rss_before_mb": before.rssMB,
	}
	c := newCensus()
	for number := range *live {
		startMember(c, *b, fmt.Sprintf("live-%05d", number), *topic, "consumer", number)
	}
	for deadline := time.Now().Add(stableWait); ; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		assigned := 0
		for _, owned := range c.partitions {
			if len(owned) == groupPartitions {
				assigned++
			}
		}
		c.mu.Unlock()
		if assigned == *live {
			break
		}
		if time.Now().After(deadline) {
			fatal(fmt.Errorf("only %d of %d members have their partitions", assigned, *live))
		}
	}
	for name, value := range c.rest(*seconds, *pid) {
		out[name] = value
	}
	w, err := dial(*b)
	fatal(err)
	out["list_ms"] = median(5, func() {
		answer, err := call[*kmsg.ListGroupsResponse](w, kmsg.NewPtrListGroupsRequest(), 5)
		fatal(err)
		if len(answer.Groups) != *count+*live {
			fatal(fmt.Errorf("%d groups are listed", len(answer.Groups)))
		}
	})
	out["describe_ms"] = median(5, func() {
		request := kmsg.NewPtrDescribeGroupsRequest()
		for number := range 1000 {
			request.Groups = append(request.Groups, groupName(number))
		}
		answer, err := call[*kmsg.DescribeGroupsResponse](w, request, 5)
		fatal(err)
		for _, group := range answer.Groups {
			if group.State != "Empty" {
				fatal(fmt.Errorf("%s is %s", group.Group, group.State))
			}
		}
	})
	return out
}

func median(times int, work func()) float64 {
	var ms []float64
	for range times {
		at := time.Now()
		work()
		ms = append(ms, float64(time.Since(at).Microseconds())/1e3)
	}
	slices.Sort(ms)
	return ms[len(ms)/2]
}

// commitOffsets commits as an admin does, without being a member; again while the coordinator is not there yet.
func commitOffsets(w *wire, group, topic string, number, each int) error {
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group, request.Generation = group, -1
	committed := kmsg.NewOffsetCommitRequestTopic()
	committed.Topic = topic
	for index := range each {
		partition := kmsg.NewOffsetCommitRequestTopicPartition()
		partition.Partition, partition.Offset = int32((number+index)%groupPartitions), int64(number)
		committed.Partitions = append(committed.Partitions, partition)
	}
	request.Topics = []kmsg.OffsetCommitRequestTopic{committed}
	for {
		answer, err := call[*kmsg.OffsetCommitResponse](w, request, 8)
		if err != nil {
			return err
		}
		err = kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
		if err == nil || !kerr.IsRetriable(err) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// awaitCoordinator returns once the group's coordinator answers for it.
func awaitCoordinator(address, group string) {
	w, err := dial(address)
	fatal(err)
	defer w.conn.Close()
	for {
		request := kmsg.NewPtrDescribeGroupsRequest()
		request.Groups = []string{group}
		answer, err := call[*kmsg.DescribeGroupsResponse](w, request, 5)
		fatal(err)
		if !kerr.IsRetriable(kerr.ErrorForCode(answer.Groups[0].ErrorCode)) {
			return
		}
		time.Sleep(20 * time.Millisecond)
		find(w, group)
	}
}

// find asks for the group's coordinator, which makes one where there is none yet.
func find(w *wire, group string) bool {
	request := kmsg.NewPtrFindCoordinatorRequest()
	request.CoordinatorKeys = []string{group}
	answer, err := call[*kmsg.FindCoordinatorResponse](w, request, 4)
	return err == nil && len(answer.Coordinators) == 1 && answer.Coordinators[0].ErrorCode == 0
}

// measureFirstOffset: milliseconds until a group's coordinator is found and tells an offset that was committed before.
func measureFirstOffset(args []string) any {
	fs := flag.NewFlagSet("offset", flag.ExitOnError)
	b := fs.String("b", "127.0.0.1:9092", "bootstrap")
	topic := fs.String("topic", "", "topic")
	number := fs.Int("number", 0, "which of the groups that the mode groups has made")
	timeout := fs.Duration("timeout", 120*time.Second, "give up after")
	fs.Parse(args)
	groupPartitions = 1000
	t0 := time.Now()
	for time.Since(t0) < *timeout {
		if offset, err := fetchOffset(*b, groupName(*number), *topic, int32(*number%groupPartitions)); err == nil {
			if offset != int64(*number) {
				fatal(fmt.Errorf("offset %d was lost: %d", *number, offset))
			}
			return map[string]any{"ms": float64(time.Since(t0).Microseconds()) / 1e3}
		}
		time.Sleep(2 * time.Millisecond)
	}
	fatal(errors.New("nobody told the offset in time"))
	return nil
}

func fetchOffset(address, group, topic string, partition int32) (int64, error) {
	w, err := dial(address)
	if err != nil {
		return 0, err
	}
	defer w.conn.Close()
	w.conn.SetDeadline(time.Now().Add(5 * time.Second))
	if !find(w, group) {
		return 0, errors.New("no coordinator")
	}
	request := kmsg.NewPtrOffsetFetchRequest()
	asked := kmsg.NewOffsetFetchRequestGroup()
	asked.Group, asked.Topics = group, []kmsg.OffsetFetchRequestGroupTopic{{Topic: topic, Partitions: []int32{partition}}}
	request.Groups = []kmsg.OffsetFetchRequestGroup{asked}
	answer, err := call[*kmsg.OffsetFetchResponse](w, request, 8)
	if err != nil {
		return 0, err
	}
	told := answer.Groups[0]
	if err := kerr.ErrorForCode(told.ErrorCode); err != nil {
		return 0, err
	}
	return told.Topics[0].Partitions[0].Offset, kerr.ErrorForCode(told.Topics[0].Partitions[0].ErrorCode)
}

// printGroups runs a mode of groups, if that is one.
func printGroups(mode string, args []string) bool {
	measure, is := groupModes[mode]
	if is {
		json.NewEncoder(os.Stdout).Encode(measure(args))
	}
	return is
}
