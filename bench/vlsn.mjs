// What the ordered view of a VLSN topic costs against its partitions, and a commit of one number against one of each partition.
//   node bench/vlsn.mjs [--rounds N] [--quick]
// Writes bench/VLSN.md, bench/vlsn.svg and bench/vlsn-commits.svg, unless it is --quick.
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareOdradek, startOdradek } from '../compat/odradek.mjs'
import { syncAll } from './disk.mjs'
import { format } from './figures.mjs'
import { prepareLoadgen, runLoadgen } from './loadgen.mjs'
import { drawLines, drawRatios } from './picture.mjs'
import { median } from './report.mjs'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, quick: { type: 'boolean', default: false } },
})
const rounds = options.quick ? 1 : Number(options.rounds)

const partitions = 12
/** What is read: as a producer at full speed leaves it, and in batches as Java's default has them. */
const loads = [
  { name: '1 KB', topic: 'records-1k', size: 1000, mb: 600 },
  { name: '100 B', topic: 'records-100b', size: 100, mb: 150 },
  { name: '1 KB, batches of 16 KB', topic: 'batches-16k', size: 1000, mb: 300, batch: 16_384 },
]
const points = options.quick ? 300 : 1000

const partitionCounts = [1, 12, 120, 1200]
/** Who commits what: all partitions of a topic, or its view. */
const committers = [
  { name: 'all partitions, per_partition', strategy: 'per_partition', of: topic => topic },
  { name: 'all partitions, vlsn', strategy: 'vlsn', of: topic => topic },
  { name: 'the view, vlsn', strategy: 'vlsn', of: topic => `${topic}.vlsn` },
]
const commitWindow = options.quick ? '500ms' : '1s'

await main()

async function main() {
  const startedAt = performance.now()
  await prepareOdradek()
  const loadgen = await prepareLoadgen()
  if (loadgen.skip) throw new Error(loadgen.skip)
  const reads = await withBroker(measureReads)
  const commits = await withBroker(measureCommits)
  const seconds = (performance.now() - startedAt) / 1000
  const text = reportOf({ reads, commits, seconds })
  console.log(text)
  if (options.quick) return
  writeFileSync(join(import.meta.dirname, 'VLSN.md'), text)
  const bars = reads.flatMap(({ name, plain, view, offset, vlsn }) => [
    { group: name, name: 'throughput', ratio: view.rate / plain.rate },
    { group: name, name: 'broker CPU', ratio: plain.cpu / view.cpu },
    { group: name, name: 'point read, p50', ratio: offset.p50 / vlsn.p50 },
    { group: name, name: 'point read, p99', ratio: offset.p99 / vlsn.p99 },
  ])
  const title = 'The ordered view against its partitions: right of the line is better'
  writeFileSync(join(import.meta.dirname, 'vlsn.svg'), drawRatios(bars, title, 'partitions'))
  const panels = [
    { title: 'Bytes in __consumer_offsets', figure: 'bytes' },
    { title: 'Broker CPU, microseconds', figure: 'cpu' },
  ].map(({ title, figure }) => ({
    title,
    lines: committers.map(({ name }) => ({
      name,
      points: commits
        .filter(each => each.committer === name)
        .map(each => ({ x: each.partitionCount, y: each[figure] })),
    })),
  }))
  const lines = drawLines(panels, 'One commit, by how many partitions the topic has')
  writeFileSync(join(import.meta.dirname, 'vlsn-commits.svg'), lines)
}

/** Calls `work` with what the load generator needs to know of a new broker, which is gone afterwards. */
async function withBroker(work) {
  const folder = await mkdtemp(join(import.meta.dirname, '.cache', 'vlsn-'))
  const broker = await startOdradek({ dataDir: join(folder, 'data') })
  try {
    return await work({ b: broker.address, pid: broker.pid })
  } finally {
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Every load is read by partitions and by view in turn, of the same broker and the same data; medians of all rounds. */
async function measureReads(base) {
  const all = []
  for (const load of loads) {
    const { name, topic, size, mb, batch = 1_000_000 } = load
    const scale = options.quick ? 0.2 : 1
    const volume = { topic, size, mb: mb * scale }
    await runLoadgen('produce', { ...base, ...volume, batch, partitions, numbered: true })
    await syncAll()
    const taken = { plain: [], view: [], points: [] }
    // The first rounds are for the compiler.
    for (let round = options.quick ? 0 : -2; round < rounds; round++) {
      const plain = await runLoadgen('consume', { ...base, ...volume })
      const view = await runLoadgen('consume', { ...base, ...volume, topic: `${topic}.vlsn` })
      const point = await runLoadgen('point', { b: base.b, topic, beside: `${topic}.vlsn`, points })
      if (round < 0) continue
      taken.plain.push(plain)
      taken.view.push(view)
      taken.points.push(point)
    }
    const pointed = (ms, bytes) => ({
      p50: median(taken.points.map(run => run[ms].p50)),
      p99: median(taken.points.map(run => run[ms].p99)),
      bytes: median(taken.points.map(run => run[bytes])),
    })
    const result = {
      name,
      plain: consumed(taken.plain),
      view: consumed(taken.view),
      offset: pointed('ms', 'bytes'),
      vlsn: pointed('beside_ms', 'beside_bytes'),
    }
    console.error(JSON.stringify(result))
    all.push(result)
  }
  return all
}

function consumed(runs) {
  return {
    rate: median(runs.map(run => run.mb_per_s)),
    cpu: median(runs.map(run => run.broker_cpu_s_per_gb)),
  }
}

async function measureCommits(base) {
  for (const partitionCount of partitionCounts) {
    const load = { topic: topicOf(partitionCount), partitions: partitionCount, size: 10, mb: 1 }
    await runLoadgen('produce', { ...base, ...load, numbered: true })
  }
  const all = []
  // The first round is for the compiler.
  for (let round = options.quick ? 0 : -1; round < Math.min(rounds, 3); round++) {
    for (const partitionCount of partitionCounts) {
      for (const { name, strategy, of } of committers) {
        const topic = of(topicOf(partitionCount))
        const group = `${strategy}-${topic}`
        const load = { topic, group, strategy, window: commitWindow }
        const {
          bytes_per_commit: bytes,
          broker_cpu_us_per_commit: cpu,
          ms,
        } = await runLoadgen('commit', {
          ...base,
          ...load,
        })
        if (round >= 0) all.push({ partitionCount, committer: name, bytes, cpu, p50: ms.p50 })
      }
    }
  }
  return partitionCounts.flatMap(partitionCount =>
    committers.map(({ name }) => {
      const taken = all.filter(each => each.partitionCount === partitionCount && each.committer === name)
      const of = figure => median(taken.map(each => each[figure]))
      return { partitionCount, committer: name, bytes: of('bytes'), cpu: of('cpu'), p50: of('p50') }
    }),
  )
}

function topicOf(partitionCount) {
  return `of-${partitionCount}`
}

function reportOf({ reads, commits, seconds }) {
  const readRows = reads.map(({ name, plain, view }) => [
    name,
    `${format(plain.rate)} MB/s`,
    `${format(view.rate)} MB/s`,
    times(view.rate / plain.rate),
    view.rate / plain.rate >= 0.5 ? 'yes' : 'no',
    `${format(plain.cpu)} s/GB`,
    `${format(view.cpu)} s/GB`,
  ])
  const pointRows = reads.map(({ name, offset, vlsn }) => [
    name,
    `${format(offset.p50)} ms`,
    `${format(vlsn.p50)} ms`,
    times(vlsn.p50 / offset.p50),
    vlsn.p50 / offset.p50 <= 1.5 ? 'yes' : 'no',
    `${format(offset.p99)} ms`,
    `${format(vlsn.p99)} ms`,
    `${format(offset.bytes)} B`,
    `${format(vlsn.bytes)} B`,
  ])
  const commitRows = commits.map(({ partitionCount, committer, bytes, cpu, p50 }) => [
    plainly(partitionCount),
    committer,
    `${plainly(bytes)} B`,
    `${plainly(cpu)} us`,
    `${format(p50)} ms`,
  ])
  return `# VLSN topics

Written by \`node ${['bench/vlsn.mjs', ...process.argv.slice(2)].join(' ')}\` on ${new Date().toISOString().slice(0, 10)}, in ${Math.round(seconds)} s.
${cpus().length} cores (${cpus()[0].model.trim()}), Node ${process.versions.node}, ${rounds} rounds, medians. Processes that wanted a core when it
ended: ${format(loadavg()[0])}; with many more than cores, the figures are those of a share of a core, and what is beside each other compares.
How the view works: [docs/vlsn.md](../docs/vlsn.md).

## The view against its partitions

franz-go from a process of its own reads a topic of ${partitions} partitions from the start: all partitions, or the ordered view of the same
data, in turn. Target: the view at half of the speed at least.

${tableOf(
  ['records', 'partitions', 'view', 'view against partitions', '>= 0.5x', 'broker CPU, partitions', 'view'],
  readRows,
)}

One fetch of one byte at most, one at a time, at a random offset of a random partition, and at a random VLSN of the view. A batch
comes whole, so the partition sends the one that the record is in, and the view a short one. Target: within 1.5x.

${tableOf(
  [
    'records',
    'by offset, p50',
    'by VLSN, p50',
    'VLSN against offset',
    '<= 1.5x',
    'by offset, p99',
    'by VLSN, p99',
    'sent, by offset',
    'by VLSN',
  ],
  pointRows,
)}

![The view against its partitions](vlsn.svg)

## One commit

One client commits all that it has read, one OffsetCommit at a time, under each strategy (\`odradek.commit.strategy\`): an offset for each
partition, as consumers of partitions do, or the one of the view. Bytes are those of the batches in \`__consumer_offsets\`, CPU is that of
the whole broker, request and answer included: they name each partition, so that only the reader of the view has a commit of the same
cost for any number of partitions.

${tableOf(['partitions', 'commits', 'bytes', 'broker CPU', 'answered, p50'], commitRows)}

![One commit by number of partitions](vlsn-commits.svg)
`
}

function times(ratio) {
  return `${ratio.toFixed(2)}x`
}

function plainly(value) {
  return Math.round(value).toLocaleString('en')
}

function line(cells) {
  return `| ${cells.join(' | ')} |`
}

function tableOf(header, rows) {
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
