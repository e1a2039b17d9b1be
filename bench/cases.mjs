// What is measured. A case takes a running broker and returns figures by name, a number or one for each
// repeat; `figures` says what each one is.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { syncAll, touchPageCache } from './disk.mjs'
import { runLoadgen } from './loadgen.mjs'

/**
 * Every figure in the order of the table. `better` is the good direction; a target is a least advantage over
 * Apache Kafka (`timesKafka`), a bound of its own (`atMost`), or the disk's p99 sync and so much (`overDiskMs`).
 */
export const figures = {
  produce1k: { name: 'produce, 1 KB records', unit: 'MB/s', better: 'more', timesKafka: 1.2 },
  produce100b: { name: 'produce, 100 B records', unit: 'MB/s', better: 'more', timesKafka: 1.2 },
  consume1k: { name: 'consume, 1 KB records', unit: 'MB/s', better: 'more', timesKafka: 1 },
  consume100b: { name: 'consume, 100 B records', unit: 'MB/s', better: 'more', timesKafka: 1 },
  produce1kCpu: { name: 'broker CPU, produce 1 KB', unit: 's/GB', better: 'less' },
  produce100bCpu: { name: 'broker CPU, produce 100 B', unit: 's/GB', better: 'less' },
  consume1kCpu: { name: 'broker CPU, consume 1 KB', unit: 's/GB', better: 'less' },
  consume100bCpu: { name: 'broker CPU, consume 100 B', unit: 's/GB', better: 'less' },
  ackP50: { name: 'produce to ack, p50', unit: 'ms', better: 'less' },
  ackP99: { name: 'produce to ack, p99', unit: 'ms', better: 'less', overDiskMs: 2 },
  endToEndP50: { name: 'produce to consume, p50', unit: 'ms', better: 'less' },
  endToEndP99: { name: 'produce to consume, p99', unit: 'ms', better: 'less' },
  firstMetadata: { name: 'start to first Metadata', unit: 'ms', better: 'less', atMost: 250 },
  idleMemory: { name: 'resident memory, idle', unit: 'MB', better: 'less', atMost: 90 },
  endMemory: { name: 'resident memory, at the end', unit: 'MB', better: 'less', atMost: 300 },
}

/** Records a second that the latency case sends, of 1,000 bytes each. */
export const latencyRate = 5000

const volumes = {
  full: { warmUpMb: 200, repeats: 2, mb1k: 2000, mb100b: 500, latencySeconds: 12, idleMs: 3000 },
  quick: { warmUpMb: 100, repeats: 1, mb1k: 200, mb100b: 50, latencySeconds: 3, idleMs: 1000 },
}

/** The cases in the order they run against one broker process; each takes (broker, volume). */
const cases = {
  start: async ({ broker }) => ({ firstMetadata: broker.readyMs }),
  memory: async ({ broker, volume }) => {
    await sleep(volume.idleMs)
    return { idleMemory: residentMb(broker.pid) }
  },
  '1k': ({ broker, volume }) => throughput(broker, '1k', 1000, volume.mb1k, volume.repeats),
  '100b': ({ broker, volume }) => throughput(broker, '100b', 100, volume.mb100b, volume.repeats),
  latency: async ({ broker, volume }) => {
    const options = { rate: latencyRate, seconds: volume.latencySeconds, size: 1000 }
    const result = await load('latency', broker, { topic: 'latency', ...options })
    return {
      ackP50: result.ack_ms.p50,
      ackP99: result.ack_ms.p99,
      endToEndP50: result.end_to_end_ms.p50,
      endToEndP99: result.end_to_end_ms.p99,
    }
  },
}

/** The names that `--case` takes. */
export const caseNames = Object.keys(cases)

/** Runs the chosen cases against one fresh broker, warmed up first; `progress` gets a line for each. */
export async function measure(broker, { only, quick, progress }) {
  const volume = quick ? volumes.quick : volumes.full
  const names = caseNames.filter(name => only === undefined || name === only)
  const measured = {}
  let warm = false
  for (const name of names) {
    if (!warm && !['start', 'memory'].includes(name)) {
      await warmUp(broker, volume.warmUpMb)
      warm = true
    }
    const result = await cases[name]({ broker, volume })
    Object.assign(measured, result)
    progress(`${name.padEnd(8)} ${describe(result)}`)
  }
  if (warm) measured.endMemory = residentMb(broker.pid)
  if (warm) progress(`${'end'.padEnd(8)} ${describe({ endMemory: measured.endMemory })}`)
  return measured
}

async function warmUp(broker, mb) {
  await load('produce', broker, { topic: 'warm-up', size: 1000, mb })
  await load('produce', broker, { topic: 'warm-up-100b', size: 100, mb: mb / 4 })
  await load('consume', broker, { topic: 'warm-up', mb })
  await load('consume', broker, { topic: 'warm-up-100b', mb: mb / 4 })
}

async function throughput(broker, name, size, mb, repeats) {
  const runs = []
  for (let repeat = 1; repeat <= repeats; repeat++) {
    const topic = `load-${name}-${repeat}`
    await touchPageCache(join(broker.dataDir, '..'), mb * 1.1)
    const produced = await load('produce', broker, { topic, size, mb, acks: 'all' })
    const consumed = await load('consume', broker, { topic, size, mb })
    runs.push({ produced, consumed })
  }
  return {
    [`produce${name}`]: runs.map(run => run.produced.mb_per_s),
    [`consume${name}`]: runs.map(run => run.consumed.mb_per_s),
    [`produce${name}Cpu`]: runs.map(run => run.produced.broker_cpu_s_per_gb),
    [`consume${name}Cpu`]: runs.map(run => run.consumed.broker_cpu_s_per_gb),
  }
}

async function load(mode, broker, options) {
  await syncAll()
  return runLoadgen(mode, { b: broker.address, pid: broker.pid, ...options })
}

function residentMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024
}

function describe(result) {
  return Object.entries(result)
    .map(
      ([key, values]) =>
        `${figures[key].name}: ${[values].flat().map(format).join(', ')} ${figures[key].unit}`,
    )
    .join('; ')
}

/** A figure with about three digits. */
export function format(value) {
  if (value === undefined) return '-'
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(value >= 10 ? 3 : 2)
}
