// What each way to keep a counter costs and gives, beside the figures that seeds 000 to 002 give for it.
//   node bench/sequencers.mjs [--rounds N] [--quick]
// Writes bench/SEQUENCERS.md and bench/sequencers.svg, unless it is --quick.
import { closeSync, fdatasyncSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareOdradek } from '../compat/odradek.mjs'
import { diskSyncP99Ms, syncAll } from './disk.mjs'
import { format } from './figures.mjs'
import { drawRatios } from './picture.mjs'
import { median } from './report.mjs'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, quick: { type: 'boolean', default: false } },
})
const rounds = options.quick ? 1 : Number(options.rounds)
const runMs = options.quick ? 200 : 1000
/** Who asks at once. */
const callers = 4096
const capacity = 1_000_000_000

await prepareOdradek()
// What was just built.
const { SequencerFolder } = await import('../dist/sequencers/index.js')
const { makeFolder } = await import('./store.mjs')

/** `seed`: the seeds' own figures for one number, numbers a second, recovery and disk at a billion. */
const counters = [
  {
    name: 'Obelisk',
    survives: 'power loss',
    open: folder => folder.obelisk('counter'),
    seed: { latency: '1-2 us', perSecond: 500_000, recovery: '2 us', disk: '4-8 KB' },
  },
  {
    name: 'Obelisk, 65,536 ahead',
    survives: 'power loss',
    open: folder => folder.obelisk('counter', { ahead: 65_536 }),
    seed: { latency: '1-2 us', perSecond: 500_000, recovery: '2 us', disk: '4-8 KB' },
  },
  {
    name: 'checkpoint, every 1000',
    survives: 'power loss',
    open: folder => folder.checkpoint('counter', { every: 1000 }),
    seed: { latency: '100 ns', perSecond: 200_000, recovery: 'instant', disk: '1 KB' },
  },
  {
    name: 'fixed mmap, synced',
    survives: 'power loss',
    open: folder => folder.fixedMmap('counter'),
    seed: { latency: '-', recovery: '2 us', disk: '4 KB' },
  },
  {
    name: 'bitmap mmap, synced',
    survives: 'power loss',
    open: folder => folder.bitmapMmap('counter', { capacity }),
    seed: { latency: '-', recovery: '2 s, or 20 us', disk: '1 GB' },
  },
  {
    name: 'fixed mmap, stored',
    survives: 'kill',
    open: folder => folder.fixedMmap('counter', { survives: 'kill' }),
    seed: { latency: '20-40 ns', perSecond: 1_000_000, recovery: '2 us', disk: '4 KB' },
  },
  {
    name: 'bitmap mmap, stored',
    survives: 'kill',
    open: folder => folder.bitmapMmap('counter', { capacity, survives: 'kill' }),
    seed: { latency: '50-100 ns', perSecond: 1_000_000, recovery: '2 s, or 20 us', disk: '1 GB' },
  },
]
const generators = [
  {
    name: 'Scarab',
    bound: 4096 * 1000,
    open: folder => folder.scarab('ids', { datacenter: 1, worker: 1 }),
    seed: { latency: '-', perSecond: 4_096_000 },
  },
  {
    name: 'timestamp oracle',
    bound: 8192 * 1000,
    open: folder => folder.timestampOracle('ids', { id: 1 }),
    seed: { latency: '1-2 us', perSecond: 500_000 },
  },
  {
    name: 'transaction ids',
    bound: 4096 * 1000,
    open: folder => folder.transactionIds('ids', { id: 1 }),
    seed: { latency: '1-2 us', perSecond: 500_000 },
  },
  {
    name: 'session ids',
    bound: 4096 * 1000,
    open: folder => folder.sessionIds('ids', { id: 1 }),
    seed: { latency: '1-2 us', perSecond: 500_000 },
  },
]

await main()

async function main() {
  const startedAt = performance.now()
  const probe = await makeFolder('probe-')
  const diskP99Ms = diskSyncP99Ms(probe)
  await rm(probe, { recursive: true, force: true })
  const figures = { append: await appendAsTheSeed() }
  for (const kind of [...counters, ...generators]) {
    const all = []
    for (let round = 0; round < rounds; round++) all.push(await measure(kind))
    figures[kind.name] = medians(all)
    console.error(`${kind.name}: ${JSON.stringify(figures[kind.name])}`)
  }
  for (const kind of counters) Object.assign(figures[kind.name], await atABillion(kind))
  const seconds = (performance.now() - startedAt) / 1000
  const text = reportOf({ figures, diskP99Ms, seconds })
  console.log(text)
  if (options.quick) return
  writeFileSync(join(import.meta.dirname, 'SEQUENCERS.md'), text)
  const title = 'Numbers a second, against the figures of seeds 000 to 002: right of the line is better'
  const bars = [...counters, ...generators]
    .filter(({ seed }) => seed.perSecond !== undefined)
    .flatMap(({ name, seed }) => [
      { group: name, name: 'one at a time', ratio: figures[name].single / seed.perSecond },
      { group: name, name: `${callers} at once`, ratio: figures[name].concurrent / seed.perSecond },
    ])
  writeFileSync(join(import.meta.dirname, 'sequencers.svg'), drawRatios(bars, title, 'the seeds'))
}

function medians(all) {
  return Object.fromEntries(Object.keys(all[0]).map(key => [key, median(all.map(each => each[key]))]))
}

/** Calls `work` with a source in a new folder on the disk, and removes it. */
async function withSource({ open }, work) {
  const path = await makeFolder('sequencer-')
  await syncAll()
  try {
    const folder = await SequencerFolder.open(path)
    try {
      return await work(await open(folder), path)
    } finally {
      await folder.close()
    }
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function measure(kind) {
  const one = await withSource(kind, oneAtATime)
  const many = await withSource(kind, manyAtOnce)
  return { ...one, ...many }
}

/** One number at a time: microseconds each, and how many a second. */
async function oneAtATime(source) {
  for (let count = 0; count < 100; count++) await source.next()
  const times = []
  const start = performance.now()
  while (performance.now() - start < runMs) {
    const from = process.hrtime.bigint()
    await source.next()
    times.push(Number(process.hrtime.bigint() - from) / 1000)
  }
  const seconds = (performance.now() - start) / 1000
  const single = times.length / seconds
  times.sort((a, b) => a - b)
  return { p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)], single }
}

/** Many callers, each with one number at a time. Fails where a number comes twice, or is left out though nothing has crashed. */
async function manyAtOnce(source) {
  // An array of millions of bigints would have the collector take more than the sequencer does.
  let taken = new BigUint64Array(1 << 20)
  let count = 0
  const take = number => {
    if (count === taken.length) {
      const larger = new BigUint64Array(2 * count)
      larger.set(taken)
      taken = larger
    }
    taken[count++] = number
  }
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const caller = async () => {
    while (performance.now() - start < runMs) take(await source.next())
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  const numbers = taken.subarray(0, count).sort()
  const isCounter = source.value !== undefined
  for (let index = 0; index < numbers.length; index++) {
    if (isCounter ? numbers[index] !== BigInt(index) : numbers[index] === numbers[index - 1]) {
      throw new Error(`number ${index} of ${numbers.length} is ${numbers[index]}`)
    }
  }
  return { concurrent: count / seconds, cpu: (user + system) / count }
}

/** How long a start takes and what lies on the disk, a billion numbers on. */
async function atABillion({ open }) {
  const path = await makeFolder('sequencer-')
  try {
    const first = await SequencerFolder.open(path)
    await (await open(first)).reserve(capacity - 1000)
    await first.close()
    const times = []
    for (let start = 0; start < 25; start++) {
      const folder = await SequencerFolder.open(path)
      const from = process.hrtime.bigint()
      const sequencer = await open(folder)
      times.push(Number(process.hrtime.bigint() - from) / 1000)
      if (sequencer.value < BigInt(capacity - 1000)) throw new Error(`it stands at ${sequencer.value}`)
      await folder.close()
    }
    return { recovery: median(times), disk: statSync(join(path, 'counter')).blocks * 512 }
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

/** Seed 002's own way: one zero byte is written and synced for each number. */
async function appendAsTheSeed() {
  const path = await makeFolder('sequencer-')
  const file = join(path, 'counter')
  const descriptor = openSync(file, 'w')
  const zero = Buffer.alloc(1)
  const times = []
  const start = performance.now()
  while (performance.now() - start < runMs) {
    const from = process.hrtime.bigint()
    writeSync(descriptor, zero)
    fdatasyncSync(descriptor)
    times.push(Number(process.hrtime.bigint() - from) / 1000)
  }
  const seconds = (performance.now() - start) / 1000
  writeSync(descriptor, Buffer.alloc(1_000_000 - times.length))
  fdatasyncSync(descriptor)
  closeSync(descriptor)
  const perMillion = statSync(file).blocks * 512
  await rm(path, { recursive: true, force: true })
  times.sort((a, b) => a - b)
  return { p50: times[times.length >> 1], perSecond: times.length / seconds, perMillion }
}

function reportOf({ figures, diskP99Ms, seconds }) {
  const exact = figures['Obelisk'].concurrent
  const ahead = figures['Obelisk, 65,536 ahead'].concurrent
  const verdict = rate => `${plain(rate)}, ${rate >= 500_000 ? 'met' : 'missed'}`
  const { append } = figures
  const rate = ({ perSecond }) => (perSecond === undefined ? '-' : plain(perSecond))
  const counterRows = counters.map(({ name, survives, seed }) => {
    const { p50, p99, single, concurrent, cpu } = figures[name]
    return [
      name,
      survives,
      micro(p50),
      micro(p99),
      seed.latency,
      plain(single),
      plain(concurrent),
      micro(cpu),
      rate(seed),
    ]
  })
  const restRows = counters.map(({ name, seed }) => {
    const { recovery, disk } = figures[name]
    return [name, micro(recovery), seed.recovery, bytes(disk), seed.disk]
  })
  const idRows = generators.map(({ name, bound, seed }) => {
    const { p50, p99, single, concurrent, cpu } = figures[name]
    return [
      name,
      micro(p50),
      micro(p99),
      plain(single),
      plain(concurrent),
      micro(cpu),
      plain(bound),
      rate(seed),
    ]
  })
  return `# Sequencers

Written by \`node ${['bench/sequencers.mjs', ...process.argv.slice(2)].join(' ')}\` on ${new Date().toISOString().slice(0, 10)}, in ${Math.round(seconds)} s.
${cpus().length} cores (${cpus()[0].model.trim()}), Node ${process.versions.node}, ${rounds} rounds, medians.
The disk's own p99 of a 4 KiB append and sync was ${format(diskP99Ms)} ms. Processes that wanted a core when it ended: ${format(loadavg()[0])}, of which
this is one: with many more than cores the rates are those of a share of a core, and only the CPU time of a number is its own.
What they promise, and where the seeds are wrong: [docs/sequencers.md](../docs/sequencers.md).

Target: Obelisk hands out at least 500,000 numbers a second, one each call, to callers that share its syncs. With a sync for every
number: ${verdict(exact)}. With a sync that may be 65,536 numbers ahead of those who ask, which a crash loses: ${verdict(ahead)}.
Every run of every kind is checked for numbers that come twice or are left out.

## Counters

One number at a time, and ${plain(callers)} callers that each want one at a time. "Survives" is what no number comes twice after.

${tableOf(
  [
    '',
    'survives',
    'one, p50',
    'p99',
    'seed',
    'one at a time, /s',
    `${plain(callers)} at once, /s`,
    'CPU each',
    'seed, /s',
  ],
  counterRows,
)}

![Numbers a second against the seeds](sequencers.svg)

A zero byte written and synced for each number, as seed 002 does it: ${micro(append.p50)} at p50, ${plain(append.perSecond)} numbers a second, and
${bytes(append.perMillion)} on the disk for a million numbers, where the seed says 4 KB.

## A billion numbers on

How long it takes to open the counter again, in a process that runs, and what it takes on the disk.

${tableOf(['', 'open', 'seed', 'disk', 'seed'], restRows)}

## Ids

The bound is what the bits for the sequence allow.

${tableOf(
  [
    '',
    'one, p50',
    'p99',
    'one at a time, /s',
    `${plain(callers)} at once, /s`,
    'CPU each',
    'bound, /s',
    'seed, /s',
  ],
  idRows,
)}
`
}

function plain(value) {
  return Math.round(value).toLocaleString('en')
}

function micro(value) {
  return `${format(value)} us`
}

function bytes(value) {
  if (value >= 1e6) return `${format(value / 1e6)} MB`
  return value >= 1000 ? `${format(value / 1000)} KB` : `${value} B`
}

function line(cells) {
  return `| ${cells.join(' | ')} |`
}

function tableOf(header, rows) {
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
