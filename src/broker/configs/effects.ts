import type { BrokerConfigName } from './settings.ts'
import type { groupConfigs } from './tables/group.ts'
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
  'group.initial.rebalance.delay.ms': 'How long the first member of an empty group waits for others.',
  'group.max.session.timeout.ms': 'The longest session that a group member may ask for.',
  'group.max.size': 'How many members a classic group may have.',
  'group.min.session.timeout.ms': 'The shortest session that a group member may ask for.',
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
  'offsets.topic.num.partitions': 'How many partitions `__consumer_offsets` gets when it is made.',
  'offsets.topic.segment.bytes': 'The `segment.bytes` of `__consumer_offsets`.',
  'connections.max.idle.ms': 'How long a connection may be silent before it is closed; negative is for ever.',
  'producer.id.expiration.check.interval.ms': 'How often it is looked for producers to forget.',
  'producer.id.expiration.ms':
    'How long a partition remembers a producer that no longer writes to it and has no transaction open there.',
  'queued.max.request.bytes':
    'Memory for requests of which a part has come; above it connections wait. Not positive is without bound.',
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
    'Where segments end for retention and compaction; the files of the log have a size of their own.',
  'segment.jitter.ms': 'How much earlier than `segment.ms` segments may end, so that not all do at once.',
  'segment.ms': 'The longest time that one segment takes records.',
}

/** The same for groups. */
export const groupEffects: Partial<Record<keyof typeof groupConfigs, string>> = {}

/** What is said of every other setting. */
export const noEffect = "Kept and shown as Kafka's clients and tools expect it; odradek does nothing with it."

/** What a broker setting does, be it only as what topics fall back to; undefined when it does nothing. */
export function effectOf(name: string): string | undefined {
  const own: Readonly<Record<string, string>> = brokerEffects
  if (own[name] !== undefined) return own[name]
  const topicNames = Object.keys(topicEffects) as TopicConfigName[]
  const topicName = topicNames.find(each => topicConfigs[each].synonyms.includes(name))
  return topicName && `What topics fall back to that do not set \`${topicName}\`.`
}
