import { blockBytesDefault } from '../../../storage/store.ts'
import { double, int, long, longMax, string } from '../definition.ts'

const mebibyte = 1024 * 1024

/** One request timeout of the Java producer: what a client sends again still finds its place. */
const gapTimeoutMsDefault = 30_000

const durability = () => string('group').oneOf('sync', 'group', 'async')

/** odradek's own broker settings. */
export const ownConfigs = {
  'odradek.backlog.bytes.max': long(64 * mebibyte).atLeast(mebibyte),
  // Seed 003's @max_buffer is 5,000; a limit in bytes serves batches of every size, so that this one waits to be set.
  'odradek.backlog.records.max': long(longMax).atLeast(1),
  'odradek.block.bytes.max': int(blockBytesDefault).between(4096, 256 * mebibyte),
  // Seed 003's @flush_interval and @user_stride.
  'odradek.block.delay.ms.max': int(20).atLeast(0).clusterWide(),
  'odradek.block.records.max': int(1000).atLeast(1).clusterWide(),
  'odradek.durability': durability().clusterWide(),
  'odradek.log.level': string('info').oneOf('debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  // A third more than what is alive, half with the directories of 1 KB batches; a byte gained costs at most three copied ones.
  'odradek.shard.rewrite.live.ratio': double(0.75).between(0, 1).clusterWide(),
  'odradek.shard.segment.bytes': long(256 * mebibyte).atLeast(mebibyte),
  'odradek.shards': int(1).between(1, 64),
  'odradek.spare.segments.max': int(2).between(0, 1000),
  'odradek.storage': string('files').oneOf('files', 'memory'),
  'odradek.stride.records': int(4096).atLeast(1),
  'odradek.tail.bytes.max': long(64 * mebibyte).atLeast(0),
  'odradek.vlsn.gap.timeout.ms': long(gapTimeoutMsDefault).atLeast(0).clusterWide(),
}

/** odradek's own topic settings. */
export const ownTopicConfigs = {
  'odradek.durability': durability().from('odradek.durability'),
  'odradek.partitioning': string('client').oneOf('client', 'vlsn'),
  'odradek.vlsn.gap.timeout.ms': long(gapTimeoutMsDefault).atLeast(0).from('odradek.vlsn.gap.timeout.ms'),
  'odradek.vlsn.start': long(0).atLeast(0),
}

/** odradek's own group settings. */
export const ownGroupConfigs = {
  'odradek.commit.strategy': string('per_partition').oneOf('per_partition', 'vlsn', 'hybrid'),
}
