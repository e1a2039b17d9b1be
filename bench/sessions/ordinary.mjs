// Few partitions, defaults: how fast a broker starts, produces, consumes and answers.
import { setTimeout as sleep } from 'node:timers/promises'
import { touchPageCache } from '../disk.mjs'

/** Records a second that the latency case sends, of 1,000 bytes each. */
export const latencyRate = 5000

export const ordinary = {
  volumes: {
    full: { warmUpMb: 200, repeats: 2, mb1k: 2000, mb100b: 500, latencySeconds: 12, idleMs: 3000 },
    quick: { warmUpMb: 40, repeats: 1, mb1k: 100, mb100b: 20, latencySeconds: 2, idleMs: 1000 },
  },
  cases: {
    start: { secondsMax: 10, measure: async ({ running }) => ({ firstMetadata: running.readyMs }) },
    memory: {
      secondsMax: 30,
      measure: async bench => {
        await sleep(bench.volume.idleMs)
        return { idleMemory: bench.residentMb() }
      },
    },
    '1k': { secondsMax: 180, measure: bench => throughput(bench, '1k', 1000, bench.volume.mb1k) },
    '100b': { secondsMax: 180, measure: bench => throughput(bench, '100b', 100, bench.volume.mb100b) },
    tail: {
      secondsMax: 120,
      measure: async bench => {
        const { warmUpMb, mb1k } = bench.volume
        await bench.warmUp(warmUpMb)
        await touchPageCache(bench.folder, mb1k * 1.1)
        const result = await bench.load('tail', { topic: 'tail', size: 1000, mb: mb1k })
        return { tail: result.mb_per_s, endMemory: bench.residentMb() }
      },
    },
    latency: {
      secondsMax: 90,
      measure: async bench => {
        await bench.warmUp(bench.volume.warmUpMb)
        const options = { rate: latencyRate, seconds: bench.volume.latencySeconds, size: 1000 }
        const result = await bench.load('latency', { topic: 'latency', ...options })
        return {
          ackP50: result.ack_ms.p50,
          ackP99: result.ack_ms.p99,
          endToEndP50: result.end_to_end_ms.p50,
          endToEndP99: result.end_to_end_ms.p99,
          endMemory: bench.residentMb(),
        }
      },
    },
  },
}

async function throughput(bench, name, size, mb) {
  const { warmUpMb, repeats } = bench.volume
  await bench.warmUp(warmUpMb)
  const runs = []
  for (let repeat = 1; repeat <= repeats; repeat++) {
    const topic = `load-${name}-${repeat}`
    await touchPageCache(bench.folder, mb * 1.1)
    const produced = await bench.load('produce', { topic, size, mb, acks: 'all' })
    const consumed = await bench.load('consume', { topic, size, mb })
    runs.push({ produced, consumed })
  }
  return {
    [`produce${name}`]: runs.map(run => run.produced.mb_per_s),
    [`consume${name}`]: runs.map(run => run.consumed.mb_per_s),
    [`produce${name}Cpu`]: runs.map(run => run.produced.broker_cpu_s_per_gb),
    [`consume${name}Cpu`]: runs.map(run => run.consumed.broker_cpu_s_per_gb),
    endMemory: bench.residentMb(),
  }
}
