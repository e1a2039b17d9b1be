// What each durability mode costs and gives, in this process and over TCP, beside the figures of seed 004.
//   node bench/durability.mjs [--rounds N] [--quick]
// Writes bench/DURABILITY.md and bench/durability.svg, unless it is --quick.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareOdradek, startOdradek } from '../compat/odradek.mjs'
import { format } from './figures.mjs'
import { diskSyncP99Ms, syncAll } from './disk.mjs'
import { measureLimits } from './limit.mjs'
import { prepareLoadgen, runLoadgen } from './loadgen.mjs'
import { drawRatios } from './picture.mjs'
import { median } from './report.mjs'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, quick: { type: 'boolean', default: false } },
})
const rounds = options.quick ? 1 : Number(options.rounds)
const runMs = options.quick ? 300 : 1000

const modes = ['sync', 'group', 'async']
const batchSizes = [1, 10, 100]
/** Seed 004's own table. */
const seed = {
  sync: { latency: '~1.5 ms', perSecond: 600 },
  group: { latency: '~10-50 ms', perSecond: 100_000 },
  async: { latency: '< 100 ns', perSecond: 500_000 },
}
/** Entries that are accepted and not answered, where there are many. */
const windowEntries = 4096
const tcpRate = 2000

await prepareOdradek()
// What was just built.
const { batchOf, makeFolder, withStore } = await import('./store.mjs')
const { groupCommit } = await import('../dist/storage/durability.js')

const durabilities = {
  sync: { ...groupCommit, mode: 'sync' },
  group: groupCommit,
  async: { ...groupCommit, mode: 'async', recordsMax: 1000, delayMsMax: 20 },
}
const entry = batchOf(1, 100)

await main()

async function main() {
  const startedAt = performance.now()
  const folder = await makeFolder('probe-')
  const diskP99Ms = diskSyncP99Ms(folder)
  await rm(folder, { recursive: true, force: true })
  const inProcess = await repeated(inProcessRound)
  const loadgen = await prepareLoadgen()
  const overTcp = loadgen.skip ? undefined : await repeated(tcpRound)
  const limits = await measureLimits({ rounds, mb: options.quick ? 32 : 256 })
  const seconds = (performance.now() - startedAt) / 1000
  const text = reportOf({ inProcess, overTcp, limits, diskP99Ms, seconds })
  console.log(text)
  if (options.quick) return
  writeFileSync(join(import.meta.dirname, 'DURABILITY.md'), text)
  const title = 'Appends a second, one process, against the figures of seed 004: right of the line is better'
  const bars = modes.flatMap(mode =>
    batchSizes.map(size => ({
      group: mode,
      name: size === 1 ? 'one at a time' : `${size} at once`,
      ratio: inProcess[`${mode} rate ${size}`] / seed[mode].perSecond,
    })),
  )
  writeFileSync(join(import.meta.dirname, 'durability.svg'), drawRatios(bars, title, 'seed 004'))
}

/** The medians of all rounds, figure by figure. */
async function repeated(round) {
  const all = []
  for (let index = 0; index < rounds; index++) {
    all.push(await round())
    console.error(`${round.name} ${index + 1}/${rounds}`)
  }
  return Object.fromEntries(Object.keys(all[0]).map(key => [key, median(all.map(each => each[key]))]))
}

async function inProcessRound() {
  const figures = {}
  for (const mode of modes) {
    const { p50, p99 } = await latencies(mode)
    figures[`${mode} p50`] = p50
    figures[`${mode} p99`] = p99
    for (const size of batchSizes) {
      const { perSecond, cpu } = await throughput(mode, size)
      figures[`${mode} rate ${size}`] = perSecond
      figures[`${mode} cpu ${size}`] = cpu
    }
    // As many entries in a turn, each appended by itself: what a batch saves.
    for (const size of batchSizes.slice(1)) {
      figures[`${mode} single ${size}`] = (await throughput(mode, size, { asBatch: false })).perSecond
    }
  }
  return figures
}

/** One append at a time, from the call until it may be answered; microseconds. */
function latencies(mode) {
  return withStore({}, async ({ logs }) => {
    const durability = durabilities[mode]
    const times = []
    const end = performance.now() + runMs
    for (let turn = 0; performance.now() < end; turn++) {
      const from = process.hrtime.bigint()
      const { committed } = logs[turn % logs.length].append(entry, { durability })
      // An async append is answered by having been called.
      if (mode !== 'async') await committed
      times.push(Number(process.hrtime.bigint() - from) / 1000)
      if (mode === 'async' && turn % 64 === 0) await new Promise(resolve => void setImmediate(resolve))
    }
    times.sort((a, b) => a - b)
    return { p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] }
  })
}

/** Many callers at once, each with `size` entries a time; entries a second and CPU microseconds an entry. */
function throughput(mode, size, { asBatch = true } = {}) {
  return withStore({}, async ({ store, logs }) => {
    const durability = durabilities[mode]
    let appended = 0
    let turn = 0
    const append = () => {
      if (size === 1) return [logs[turn++ % logs.length].append(entry, { durability })]
      const entries = Array.from({ length: size }, () => ({ log: logs[turn++ % logs.length], batch: entry }))
      if (asBatch) return store.appendBatch(entries, durability)
      return entries.map(({ log, batch }) => log.append(batch, { durability }))
    }
    const end = performance.now() + runMs
    const caller = async () => {
      while (performance.now() < end) {
        const outcomes = append()
        appended += size
        await outcomes.at(-1).committed
      }
    }
    /** Nobody waits for anything but for memory, as a socket does. */
    const careless = async () => {
      while (performance.now() < end) {
        for (let count = 0; count < 1000; count += size) {
          append()
          appended += size
        }
        await new Promise(resolve => void setImmediate(() => store.onceRelieved(resolve)))
      }
    }
    const cpuBefore = process.cpuUsage()
    const start = performance.now()
    const callers = mode === 'async' ? 1 : Math.max(1, Math.floor(windowEntries / size))
    await Promise.all(Array.from({ length: callers }, mode === 'async' ? careless : caller))
    await store.flushed()
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    return { perSecond: appended / seconds, cpu: (user + system) / appended }
  })
}

async function tcpRound() {
  const figures = {}
  for (const mode of modes) {
    const folder = await makeFolder('tcp-')
    const broker = await startOdradek({
      dataDir: join(folder, 'data'),
      args: ['--set', `odradek.durability=${mode}`],
    })
    try {
      const base = { b: broker.address, pid: broker.pid }
      await runLoadgen('produce', { ...base, topic: 'warm-up', size: 100, mb: options.quick ? 5 : 30 })
      const load = { ...base, topic: 'latency', rate: tcpRate, seconds: options.quick ? 2 : 6, size: 100 }
      const { ack_ms: ack, end_to_end_ms: endToEnd } = await runLoadgen('latency', load)
      await syncAll()
      const mb = options.quick ? 20 : 200
      const produced = await runLoadgen('produce', { ...base, topic: 'load', size: 100, mb })
      figures[`${mode} p50`] = ack.p50
      figures[`${mode} p99`] = ack.p99
      figures[`${mode} end p50`] = endToEnd.p50
      figures[`${mode} rate`] = (produced.mb_per_s * 1e6) / 100
      figures[`${mode} cpu`] = produced.broker_cpu_s_per_gb
    } finally {
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
  return figures
}

function reportOf({ inProcess, overTcp, limits, diskP99Ms, seconds }) {
  const promises = {
    sync: 'each produce has a sync of its own before it is answered',
    group: 'each produce is answered after the sync of its block, which it shares',
    async: 'answered once accepted, written and synced behind; a crash takes the rest back',
  }
  const inProcessRows = modes.map(mode => [
    `\`${mode}\``,
    promises[mode],
    micro(inProcess[`${mode} p50`]),
    micro(inProcess[`${mode} p99`]),
    seed[mode].latency,
    ...batchSizes.map(size => plain(inProcess[`${mode} rate ${size}`])),
    `${plain(seed[mode].perSecond)}${mode === 'sync' ? '' : '+'}`,
  ])
  const batchRows = modes.flatMap(mode =>
    batchSizes.slice(1).map(size => {
      const gain = inProcess[`${mode} rate ${size}`] / inProcess[`${mode} single ${size}`] - 1
      return [
        `\`${mode}\``,
        String(size),
        plain(inProcess[`${mode} single ${size}`]),
        plain(inProcess[`${mode} rate ${size}`]),
        `${gain >= 0 ? '+' : ''}${Math.round(gain * 100)} %`,
        inProcess[`${mode} cpu ${size}`].toFixed(1),
      ]
    }),
  )
  const tcpRows = modes.map(mode => [
    `\`${mode}\``,
    `${format(overTcp?.[`${mode} p50`])} ms`,
    `${format(overTcp?.[`${mode} p99`])} ms`,
    `${format(overTcp?.[`${mode} end p50`])} ms`,
    overTcp ? plain(overTcp[`${mode} rate`]) : '-',
    format(overTcp?.[`${mode} cpu`]),
  ])
  const limitRows = limits.map(({ blockKib, file, bare, odradek, share }) => [
    `${blockKib} KiB`,
    file,
    ...[bare, odradek].flatMap(({ rate, cpu }) => [plain(rate), cpu.toFixed(2)]),
    `${Math.round(share * 100)} %`,
  ])
  return `# Durability modes

Written by \`node ${['bench/durability.mjs', ...process.argv.slice(2)].join(' ')}\` on ${new Date().toISOString().slice(0, 10)}, in ${Math.round(seconds)} s.
${cpus().length} cores (${cpus()[0].model.trim()}), Node ${process.versions.node}, ${rounds} rounds, medians.
The disk's own p99 of a 4 KiB append and sync was ${format(diskP99Ms)} ms.

## In one process

Entries of one record of 100 bytes, over 8 partitions. Latency is one append at a time, until it may be answered; throughput
has ${plain(windowEntries)} entries waiting at most (async: as much as the backlog takes), ${batchSizes.join(', ')} of them appended at once, and
counts what was synced in the end. The last columns of each are the figures that seed 004 gives for itself.

${tableOf(
  ['mode', 'promise', 'p50', 'p99', 'seed', ...batchSizes.map(size => `${size} at once, /s`), 'seed, /s'],
  inProcessRows,
)}

![Appends a second against seed 004](durability.svg)

\`appendBatch\` against as many single appends in the same turn of the event loop. Seed 004 gives 20 to 50 % for more than 10:

${tableOf(['mode', 'entries', 'single, /s', 'appendBatch, /s', 'gain', 'CPU us an entry'], batchRows)}

In \`sync\` mode that is one sync instead of many; in the others a block is shared either way, and what is left is the cost of
an entry.

## Over TCP

franz-go from a process of its own, acks=all: latency at ${plain(tcpRate)} records of 100 bytes a second, throughput with all that it
gives. An async topic shows records once they are written, which waits for 1,000 records or 20 ms.

${tableOf(['mode', 'produce to ack, p50', 'p99', 'produce to consume, p50', 'records/s', 'CPU s/GB'], tcpRows)}

## Against the bare disk

The produce path behind the socket (copy, check, stamp, append, commit) in blocks of one size, against a loop that does nothing but
writev and fdatasync of as many bytes; in files that grow, and in files that were written before. The loop writes into the page cache,
the log around it (\`base/direct-file\`), which is why it may be the faster one.

${tableOf(['block', 'file', 'bare, MB/s', 'CPU s/GB', 'odradek, MB/s', 'CPU s/GB', 'share'], limitRows)}
`
}

function plain(value) {
  return Math.round(value).toLocaleString('en')
}

function micro(value) {
  return `${format(value)} us`
}

function line(cells) {
  return `| ${cells.join(' | ')} |`
}

function tableOf(header, rows) {
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
