// 20 topics of 500 partitions, written evenly, and what a restart with them costs.
const full = {
  warmUpMb: 100,
  window: '5s',
  topics: 20,
  partitions: 500,
  // Five records for each, twice: what a new partition costs, whose index files Kafka makes with its second batch.
  newMb: 50,
  // One of the two is many times slower: from ten seconds of work to two minutes for each on a quiet machine.
  mb: { odradek: 2000, kafka: 300 },
  tightMb: { odradek: 1000, kafka: 40 },
}

/** Records that a producer holds which is tight on memory: as much as Kafka's own by its defaults, 32 MB. */
const tight = { buffered: 32_000 }

export const manyPartitions = {
  volumes: {
    full,
    quick: {
      ...full,
      warmUpMb: 20,
      window: '2s',
      partitions: 50,
      newMb: 5,
      mb: { odradek: 100, kafka: 20 },
      tightMb: { odradek: 100, kafka: 20 },
    },
  },
  cases: {
    partitions: {
      secondsMax: 720,
      roundsMax: { kafka: 2 },
      measure: async bench => {
        const { warmUpMb, window, newMb, mb, tightMb } = bench.volume
        await bench.warmUp(warmUpMb)
        const ten = { topic: 'few', partitions: 10, size: 1000, window }
        const few = await bench.load('produce', ten)
        const fewTight = await bench.load('produce', { ...ten, ...tight })
        await create(bench)
        const fresh = [await spread(bench, newMb, tight), await spread(bench, newMb, tight)]
        const manyTight = await spread(bench, tightMb[bench.brokerName], tight)
        const many = await spread(bench, mb[bench.brokerName])
        return {
          newPartitions: (2 * newMb) / (fresh[0].seconds + fresh[1].seconds),
          fewPartitions: few.mb_per_s,
          manyPartitions: many.mb_per_s,
          manyToFew: many.mb_per_s / few.mb_per_s,
          fewPartitionsTight: fewTight.mb_per_s,
          manyPartitionsTight: manyTight.mb_per_s,
          manyToFewTight: manyTight.mb_per_s / fewTight.mb_per_s,
        }
      },
    },
    restart: {
      secondsMax: 480,
      roundsMax: { kafka: 1 },
      measure: async bench => {
        await create(bench)
        // Two records for each of the 10,000, should they be new.
        await spread(bench, 20, tight)
        const { ackMs } = await bench.restart(`${topics}-0`)
        return { manyRestart: ackMs }
      },
    },
  },
}

const topics = 'many'

/** Makes the topics unless they are there; Apache Kafka takes a minute over it. */
function create(bench) {
  return bench.load('create', {
    topic: topics,
    topics: bench.volume.topics,
    partitions: bench.volume.partitions,
  })
}

function spread(bench, mb, held = {}) {
  const shape = { topic: topics, topics: bench.volume.topics, partitions: bench.volume.partitions }
  return bench.load('produce', { ...shape, size: 1000, mb, ...held, acks: 'all' })
}
