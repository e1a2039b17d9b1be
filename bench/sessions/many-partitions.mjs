// 20 topics of 500 partitions, written evenly, and what a restart with them costs.
const full = {
  warmUpMb: 100,
  window: '5s',
  topics: 20,
  partitions: 500,
  // Five records for each, twice: what a new partition costs, whose index files Kafka makes with its second batch.
  newMb: 50,
  // One of the two may be many times slower: some ten seconds of work for each on a quiet machine.
  mb: { odradek: 1000, kafka: 40 },
}

/** Records that the producer holds, so that batches are alike whatever the volume: as much as Kafka's own, 32 MB. */
const buffered = 32_000

export const manyPartitions = {
  volumes: {
    full,
    quick: { ...full, warmUpMb: 20, window: '2s', partitions: 50, newMb: 5, mb: { odradek: 100, kafka: 20 } },
  },
  cases: {
    partitions: {
      secondsMax: 480,
      roundsMax: { kafka: 2 },
      measure: async bench => {
        const { warmUpMb, window, newMb, mb } = bench.volume
        await bench.warmUp(warmUpMb)
        const ten = { topic: 'few', partitions: 10, size: 1000, window, buffered }
        const few = await bench.load('produce', ten)
        await create(bench)
        const fresh = [await spread(bench, newMb), await spread(bench, newMb)]
        const many = await spread(bench, mb[bench.brokerName])
        return {
          fewPartitions: few.mb_per_s,
          newPartitions: (2 * newMb) / (fresh[0].seconds + fresh[1].seconds),
          manyPartitions: many.mb_per_s,
          manyToFew: many.mb_per_s / few.mb_per_s,
        }
      },
    },
    restart: {
      secondsMax: 480,
      roundsMax: { kafka: 1 },
      measure: async bench => {
        await create(bench)
        // Two records for each of the 10,000, should they be new.
        await spread(bench, 20)
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

function spread(bench, mb) {
  const shape = { topic: topics, topics: bench.volume.topics, partitions: bench.volume.partitions }
  return bench.load('produce', { ...shape, size: 1000, mb, buffered, acks: 'all' })
}
