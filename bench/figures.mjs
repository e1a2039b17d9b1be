// What the figures are: their names, units, good direction and targets, in the order of the tables.

/** The groups in which the figures are shown. */
export const groups = [
  'Throughput',
  'Transactions',
  'Latency',
  'Start and memory',
  'Many partitions',
  'Durability',
]

/**
 * Every figure by its key. `better` is the good direction. A target is a least advantage over Apache Kafka
 * (`timesKafka`, and below it the one that must be reached, `timesKafkaMin`), a bound of its own (`atMost`,
 * `atLeast`), or the disk's p99 sync and so much (`overDiskMs`). An `own` figure compares a broker with itself.
 */
export const figures = {
  ...grouped('Throughput', {
    produce1k: {
      name: 'produce, 1 KB records',
      unit: 'MB/s',
      better: 'more',
      timesKafka: 1.2,
      timesKafkaMin: 1,
    },
    produce100b: {
      name: 'produce, 100 B records',
      unit: 'MB/s',
      better: 'more',
      timesKafka: 1.2,
      timesKafkaMin: 1,
    },
    consume1k: { name: 'consume, 1 KB records', unit: 'MB/s', better: 'more', timesKafka: 1 },
    consume100b: { name: 'consume, 100 B records', unit: 'MB/s', better: 'more', timesKafka: 1 },
    tail: { name: 'consume at the tail, 1 KB', unit: 'MB/s', better: 'more', timesKafka: 1 },
    coldRead: { name: 'consume cold, 10 GB', unit: 'MB/s', better: 'more', timesKafka: 1 },
    produce1kCpu: { name: 'broker CPU, produce 1 KB', unit: 's/GB', better: 'less' },
    produce100bCpu: { name: 'broker CPU, produce 100 B', unit: 's/GB', better: 'less' },
    consume1kCpu: { name: 'broker CPU, consume 1 KB', unit: 's/GB', better: 'less' },
    consume100bCpu: { name: 'broker CPU, consume 100 B', unit: 's/GB', better: 'less' },
  }),
  ...grouped('Transactions', {
    transactional: { name: 'produce 1 KB, 100 ms transactions', unit: 'MB/s', better: 'more', timesKafka: 1 },
    idempotent: { name: 'produce 1 KB, idempotent', unit: 'MB/s', better: 'more' },
    transactionalToIdempotent: {
      name: 'transactional against idempotent',
      unit: 'x',
      better: 'more',
      atLeast: 0.85,
      own: true,
    },
    transactionalCpu: { name: 'broker CPU, transactional', unit: 's/GB', better: 'less' },
  }),
  ...grouped('Latency', {
    ackP50: { name: 'produce to ack, p50', unit: 'ms', better: 'less' },
    ackP99: { name: 'produce to ack, p99', unit: 'ms', better: 'less', overDiskMs: 2 },
    endToEndP50: { name: 'produce to consume, p50', unit: 'ms', better: 'less' },
    endToEndP99: { name: 'produce to consume, p99', unit: 'ms', better: 'less' },
  }),
  ...grouped('Start and memory', {
    firstMetadata: { name: 'start to first Metadata', unit: 'ms', better: 'less', atMost: 250 },
    idleMemory: { name: 'memory, idle', unit: 'MB', better: 'less', atMost: 90 },
    endMemory: { name: 'memory, after these cases', unit: 'MB', better: 'less', atMost: 300 },
    largeMemory: { name: 'memory, 10 GB written and read', unit: 'MB', better: 'less', atMost: 300 },
    recoveredMemory: { name: 'memory, 10 GB recovered', unit: 'MB', better: 'less' },
  }),
  ...grouped('Many partitions', {
    newPartitions: { name: 'produce, 10,000 new partitions', unit: 'MB/s', better: 'more' },
    fewPartitions: { name: 'produce, 10 partitions', unit: 'MB/s', better: 'more' },
    manyPartitions: { name: 'produce, 10,000 partitions', unit: 'MB/s', better: 'more', timesKafka: 30 },
    manyToFew: { name: '10,000 partitions against 10', unit: 'x', better: 'more', atLeast: 0.3, own: true },
    fewPartitionsTight: { name: 'produce, 10 partitions, 32 MB held', unit: 'MB/s', better: 'more' },
    manyPartitionsTight: {
      name: 'produce, 10,000 partitions, 32 MB held',
      unit: 'MB/s',
      better: 'more',
      timesKafka: 30,
    },
    manyToFewTight: {
      name: '10,000 partitions against 10, 32 MB held',
      unit: 'x',
      better: 'more',
      atLeast: 0.3,
      own: true,
    },
    manyRestart: { name: 'kill -9 to first ack, 10,000', unit: 'ms', better: 'less', atMost: 2000 },
  }),
  ...grouped('Durability', {
    flush16k: {
      name: 'produce 16 KB, Kafka flushing',
      unit: 'MB/s',
      better: 'more',
      timesKafka: 10,
    },
    flush1m: { name: 'produce 1 MB, Kafka flushing', unit: 'MB/s', better: 'more' },
    recovery: { name: 'kill -9 to Metadata, 10 GB', unit: 'ms', better: 'less', atMost: 1000 },
  }),
}

/** A figure with about three digits. */
export function format(value) {
  if (value === undefined) return '-'
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(value >= 10 ? 3 : 2)
}

/** The figures of a result on one line. */
export function describe(result) {
  return Object.entries(result)
    .map(([key, values]) => {
      const { name, unit } = figures[key]
      return `${name}: ${[values].flat().map(format).join(', ')} ${unit}`
    })
    .join('; ')
}

function grouped(group, members) {
  return Object.fromEntries(Object.entries(members).map(([key, figure]) => [key, { group, ...figure }]))
}
