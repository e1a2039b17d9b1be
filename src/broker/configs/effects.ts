import type { BrokerConfigName } from './settings.ts'
import { boundsOf, groupConfigs } from './tables/group.ts'
import { topicConfigs } from './tables/topic.ts'
import type { TopicConfigName } from './topic-config.ts'

/**
 * The broker settings that do something here, and what: DescribeConfigs gives these sentences as documentation, and
 * whoever sets one that is missing is told so at start. A test holds this list against what the source reads.
 */
export const brokerEffects: Partial<Record<BrokerConfigName, string>> = {
  'advertised.listeners': 'What clients are told to connect to; without it, what `listeners` says.',
  'auto.create.topics.enable': 'Whether Metadata makes a topic that it is asked for and that is not there.',
  'broker.id': 'An older name of `node.id`.',
  'broker.rack': 'The rack that clients are told.',
  'controller.listener.names': 'Listeners that are never opened, since there is no quorum to talk to.',
  'default.replication.factor':
    'The replication factor of a topic when nobody says; there is one node, so it can be 1 alone.',
  'delete.topic.enable': 'Whether topics may be deleted.',
  'fetch.max.bytes': 'The most that one Fetch is answered with; its first batch is always whole.',
  'group.consumer.assignors':
    'What members of consumer groups may ask for; the first is taken where nobody asks.',
  'group.consumer.max.size': 'How many members a consumer group may have.',
  'group.consumer.migration.policy':
    'Whether a classic group with members may become a consumer group, and a consumer group a classic one.',
  'group.initial.rebalance.delay.ms': 'How long the first member of an empty group waits for others.',
  'group.max.session.timeout.ms': 'The longest session that a group member may ask for.',
  'group.max.size': 'How many members a classic group may have.',
  'group.min.session.timeout.ms': 'The shortest session that a group member may ask for.',
  'group.share.max.share.sessions': 'How many sessions of members of share groups are remembered.',
  'group.share.max.size': 'How many members a share group may have.',
  'group.streams.max.size': 'How many members a streams group may have.',
  'listener.security.protocol.map': 'What each listener speaks. PLAINTEXT alone is served.',
  'log.cleaner.backoff.ms': 'How long compaction rests after each look for something to do.',
  'log.cleaner.dedupe.buffer.size': 'How much memory one pass of compaction may take to remember keys in.',
  'log.cleaner.enable': 'Whether logs are compacted.',
  'log.cleaner.io.buffer.load.factor': 'How full that memory may become.',
  'log.cleaner.io.max.bytes.per.second':
    'How fast compaction may read and write; rewriting to give back space too.',
  'log.dir': 'The directory to keep everything in, where `log.dirs` does not say.',
  'log.dirs': 'The one directory to keep everything in.',
  'log.initial.task.delay.ms': 'How long after the start retention and compaction are looked at first.',
  'log.retention.check.interval.ms': 'How often it is looked for what retention no longer keeps.',
  'max.incremental.fetch.session.cache.slots': 'How many fetch sessions are remembered.',
  'max.request.partition.size.limit': 'How many partitions one DescribeTopicPartitions is answered with.',
  'node.id': "The broker's number in the cluster.",
  'num.partitions': 'How many partitions a topic gets when nobody says.',
  'odradek.backlog.bytes.max': 'How much may wait for the disk before the sockets that feed it are paused.',
  'odradek.backlog.records.max': 'The same in records.',
  'odradek.block.bytes.max': 'How much is written and synced together at most.',
  'odradek.block.delay.ms.max':
    'How long a batch waits for others to be written with: in async topics, and where it is set in group ones.',
  'odradek.block.records.max':
    'How many records are waited for, to be written together: in async topics, and where it is set in group ones.',
  'odradek.durability':
    'When a produce is answered: after a sync of its own, after the sync of its block, or at once and synced behind.',
  'odradek.log.level': 'The least that is worth a line on standard error.',
  'odradek.shard.rewrite.live.ratio':
    'A file of the log of which a smaller share is in use is rewritten without the rest.',
  'odradek.shard.segment.bytes': 'The size of a file of the log.',
  'odradek.shards': 'How many logs new partitions are spread over.',
  'odradek.spare.segments.max':
    'How many files of the log are kept to be written again when all that they held was deleted.',
  'odradek.storage': 'Where to keep everything: in files, or in memory until the broker stops.',
  'odradek.stride.records': 'The step of the index, in records of a partition.',
  'odradek.tail.bytes.max': 'How much of the newest data stays in memory for readers.',
  'odradek.vlsn.gap.timeout.ms':
    'How long the ordered view of a VLSN topic waits for a number that is missing while later ones are there.',
  'offset.metadata.max.bytes': 'The longest text that may come with a committed offset.',
  'offsets.retention.check.interval.ms': 'How often it is looked for offsets that may go.',
  'offsets.retention.minutes': 'How long offsets are kept that no member of their group reads for.',
  'offsets.topic.num.partitions': 'How many partitions `__consumer_offsets` gets when it is made.',
  'offsets.topic.segment.bytes': 'The `segment.bytes` of `__consumer_offsets`.',
  'connections.max.idle.ms': 'How long a connection may be silent before it is closed; negative is for ever.',
  'producer.id.expiration.check.interval.ms': 'How often it is looked for producers to forget.',
  'producer.id.expiration.ms':
    'How long a partition remembers a producer that no longer writes to it and has no transaction open there.',
  'queued.max.request.bytes':
    'Memory for requests of which a part has come; above it connections wait. Not positive is without bound.',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms':
    'How often it is looked for transactions that took longer than their producers asked for, to abort them.',
  'transaction.max.timeout.ms': 'The longest timeout that a transactional producer may ask for.',
  'transaction.partition.verification.enable':
    'Whether a partition has to be in the transaction of who writes to it, where clients add partitions themselves.',
  'transaction.remove.expired.transaction.cleanup.interval.ms':
    'How often it is looked for transactional ids to forget.',
  'share.coordinator.state.topic.min.isr':
    'The `min.insync.replicas` of `__share_group_state`, which means nothing here.',
  'transaction.state.log.min.isr':
    'The `min.insync.replicas` of `__transaction_state`, which means nothing here.',
  'transaction.state.log.num.partitions': 'How many partitions `__transaction_state` gets when it is made.',
  'transaction.state.log.segment.bytes': 'The `segment.bytes` of `__transaction_state`.',
  'transaction.two.phase.commit.enable': 'Whether a producer may have transactions without a timeout.',
  'transactional.id.expiration.ms': 'How long a transactional id is remembered that nobody uses.',
  'share.coordinator.snapshot.update.records.per.snapshot':
    'How many changes of a share partition are written before all that is known of it is written again.',
  'share.coordinator.state.topic.num.partitions':
    'How many partitions `__share_group_state` gets when it is made.',
  'share.coordinator.state.topic.segment.bytes': 'The `segment.bytes` of `__share_group_state`.',
  'socket.request.max.bytes': 'The largest request; a larger one costs its connection.',
  listeners: 'Where to listen: NAME://HOST:PORT, several separated by commas. Port 0 takes a free one.',
}

/** The same for topics. */
export const topicEffects: Partial<Record<TopicConfigName, string>> = {
  'cleanup.policy':
    'Whether old segments are deleted, and whether only the latest record of each key is kept; then records must have keys.',
  'compression.gzip.level': 'How hard to compress where `compression.type` is gzip.',
  'compression.type': 'What records are stored in; `producer` leaves them as they come.',
  'compression.zstd.level': 'How hard to compress where `compression.type` is zstd.',
  'flush.messages': 'In async topics, how many records may be acknowledged and not synced.',
  'flush.ms': 'In async topics, the longest that a record waits for its sync to begin.',
  'delete.retention.ms': 'How long compaction leaves tombstones to those who are reading.',
  'file.delete.delay.ms': 'How long a file stays after everything in it was deleted.',
  'internal.segment.bytes': 'A `segment.bytes` that may be smaller, for tests.',
  'max.compaction.lag.ms': 'The longest that a record may wait for compaction, however little is dirty.',
  'max.message.bytes': 'The largest batch that is taken, as it lies in the log.',
  'message.timestamp.after.max.ms': 'How far ahead of the clock a record may claim to be.',
  'message.timestamp.before.max.ms': 'How far behind the clock a record may claim to be.',
  'message.timestamp.type': 'Whether records keep their own time, or take that of their arrival.',
  'min.cleanable.dirty.ratio': 'How much of a log has to be dirty for compaction to be worth while.',
  'min.compaction.lag.ms': 'How long a record is left as it is.',
  'odradek.durability':
    'When a produce is answered: after a sync of its own, after the sync of its block, or at once and synced behind. In an async topic a crash takes back what was not synced, acknowledged and read or not.',
  'odradek.partitioning':
    'With vlsn, keys are numbers that the writer counts, each in the partition of its remainder, and NAME.vlsn reads them in order. Decided when the topic is made.',
  'odradek.vlsn.gap.timeout.ms':
    'How long the ordered view waits for a number that is missing while later ones are there.',
  'odradek.vlsn.start': 'The first number, in a VLSN topic. Decided when the topic is made.',
  'retention.bytes': 'How large a partition may become before its oldest segments are deleted.',
  'retention.ms': 'How old the newest record of a segment may become before it is deleted.',
  'segment.bytes':
    'Where segments end for retention and compaction, and the largest batch that is taken; files of the log have a size of their own.',
  'segment.jitter.ms': 'How much earlier than `segment.ms` segments may end, so that not all do at once.',
  'segment.ms': 'The longest time that one segment takes records.',
}

type GroupConfigName = keyof typeof groupConfigs

/** The same for groups. */
export const groupEffects: Partial<Record<GroupConfigName, string>> = {
  'consumer.assignment.interval.ms': 'The least time between two assignments of a consumer group.',
  'consumer.heartbeat.interval.ms': 'How often members of a consumer group are told to send heartbeats.',
  'consumer.session.timeout.ms':
    'How long a member of a consumer group may be silent before it is taken for dead.',
  'odradek.commit.strategy':
    'How the position of a group in a VLSN topic is kept: an offset for each partition, one number for all, or both.',
  'share.assignment.interval.ms':
    'How long assignments of a share group rest, so that many members are assigned together.',
  'share.auto.offset.reset': 'Where a share group begins in a partition that it never read.',
  'share.delivery.count.limit': 'How often a record is handed out before it is given up.',
  'share.heartbeat.interval.ms': 'How often members of a share group are to be heard of.',
  'share.isolation.level': 'Whether a share group waits for transactions to be decided.',
  'share.partition.max.record.locks': 'How many records of a partition may be handed out and not done with.',
  'share.record.lock.duration.ms': 'How long a record is whose it was handed to.',
  'share.renew.acknowledge.enable': 'Whether members may hold records for longer.',
  'share.session.timeout.ms': 'How long a member of a share group may be silent before it counts as gone.',
  'streams.assignment.interval.ms': 'The least time between two assignments of a streams group.',
  'streams.heartbeat.interval.ms': 'How often members of a streams group are told to send heartbeats.',
  'streams.initial.rebalance.delay.ms': 'How long the first assignment of a streams group waits for members.',
  'streams.num.standby.replicas': 'How many copies of the state of each task of a streams group are kept.',
  'streams.session.timeout.ms':
    'How long a member of a streams group may be silent before it is taken for dead.',
}

/** What is said of every other setting. */
export const noEffect = "Kept and shown as Kafka's clients and tools expect it; odradek does nothing with it."

/** What a broker setting does, be it only as what topics or groups fall back to; undefined when it does nothing. */
export function effectOf(name: string): string | undefined {
  const own: Readonly<Record<string, string>> = brokerEffects
  if (own[name] !== undefined) return own[name]
  const topicNames = Object.keys(topicEffects) as TopicConfigName[]
  const topicName = topicNames.find(each => topicConfigs[each].synonyms.includes(name))
  if (topicName) return `What topics fall back to that do not set \`${topicName}\`.`
  const groupNames = Object.keys(groupEffects) as GroupConfigName[]
  const groupName = groupNames.find(each => groupConfigs[each].synonyms.includes(name))
  if (groupName) return `What groups fall back to that do not set \`${groupName}\`.`
  const bounded = groupNames.find(each => Object.values(boundsOf(each)).includes(name))
  return bounded && `A bound of what groups may set as \`${bounded}\`.`
}
