// Both brokers sync before they answer: Apache Kafka with flush.messages=1, odradek as always.
export const flush = {
  startOptions: { kafka: { properties: { 'log.flush.interval.messages': 1 } } },
  volumes: {
    full: { warmUpMb: 100, window: '6s' },
    quick: { warmUpMb: 8, window: '2s' },
  },
  cases: {
    flush: {
      secondsMax: 180,
      measure: async bench => {
        await bench.warmUp(bench.volume.warmUpMb)
        const rate = async batch => {
          // A time and not a volume, since one of the two may be many times slower.
          const load = { topic: `batches-${batch}`, size: 1000, batch, window: bench.volume.window }
          return (await bench.load('produce', load)).mb_per_s
        }
        return { flush16k: await rate(16_384), flush1m: await rate(1_000_000) }
      },
    },
  },
}
