// A group of 1,000 members, and a broker with 10,000 groups, on odradek and on Apache Kafka in turn.
//   node bench/groups.mjs [--quick]
// Writes bench/GROUPS.md and bench/groups.svg, unless it is --quick.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { kafkaVersion, prepareKafka, startKafka } from '../compat/kafka.mjs'
import { prepareOdradek, startOdradek } from '../compat/odradek.mjs'
import { format } from './figures.mjs'
import { prepareLoadgen, runLoadgen } from './loadgen.mjs'
import { drawRatios } from './picture.mjs'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const isQuick = options.quick
const memberCount = isQuick ? 100 : 1000
const groupCount = isQuick ? 1000 : 10_000
const liveCount = isQuick ? 20 : 200
const restSeconds = isQuick ? 4 : 10
const partitions = 1000
const topic = 'shared'

/** Kafka's own defaults, where odradek's are those of a broker for development; and room for so many members. */
const kafkaDefaults = {
  'group.initial.rebalance.delay.ms': 3000,
  'group.consumer.assignment.interval.ms': 1000,
}
const readyMsMax = 120_000

const brokers = {
  odradek: options => startOdradek({ readyMsMax, ...options }),
  kafka: options => startKafka({ readyMsMax, ...options }),
}
/** As odradek comes: no wait for a first rebalance, and a target for each member that comes. */
const asItComes = {}

/** What the tables show, by name; all but heartbeats a second is better when it is less. */
const rows = {
  members: [
    ['until every member has its partition, s', each => each.stable_s],
    ['broker CPU until then, s', each => each.stable_cpu_s],
    ['broker CPU at rest, s a second', each => each.cpu_s_per_s],
    ['heartbeats a second', each => each.heartbeats_per_s],
    ['a heartbeat, p50, ms', each => each.heartbeat_ms.p50],
    ['a heartbeat, p99, ms', each => each.heartbeat_ms.p99],
    ['memory before, MB', each => each.rss_before_mb],
    ['memory at rest, MB', each => each.rss_mb],
  ],
  groups: [
    ['to commit in each, s', each => each.made_s],
    ['broker CPU for that, s', each => each.made_cpu_s],
    ['broker CPU before, idle, s a second', each => each.idle],
    ['broker CPU at rest, s a second', each => each.cpu_s_per_s],
    ['memory before, MB', each => each.rss_before_mb],
    ['memory at rest, MB', each => each.rss_mb],
    ['ListGroups of all, ms', each => each.list_ms],
    ['DescribeGroups of 1,000, ms', each => each.describe_ms],
    ['stopped, and started until an offset is told, ms', each => each.untilToldMs.stop],
    ['kill -9, and started until an offset is told, ms', each => each.untilToldMs.kill],
  ],
}

const signal = () => AbortSignal.timeout(300_000)
const load = (mode, broker, flags) => runLoadgen(mode, { b: broker.address, ...flags }, { signal: signal() })

await main()

async function main() {
  const kafka = await prepareKafka()
  const loadgen = await prepareLoadgen()
  for (const { skip } of [kafka, loadgen]) if (skip) throw new Error(`nothing to compare: ${skip}`)
  await prepareOdradek()
  const startedAt = performance.now()
  const figures = {}
  for (const [name, start] of Object.entries(brokers)) {
    figures[name] = {
      members: await withBroker(start, kafkaDefaults, membersOf),
      groups: await withBroker(start, kafkaDefaults, groupsOf),
    }
    console.error(`${name}: ${JSON.stringify(figures[name])}`)
  }
  figures.development = { members: await withBroker(brokers.odradek, asItComes, membersOf) }
  const text = reportOf(figures, (performance.now() - startedAt) / 1000)
  console.log(text)
  if (isQuick) return
  writeFileSync(join(import.meta.dirname, 'GROUPS.md'), text)
  const title = 'Groups: how many times less odradek takes than Apache Kafka; right of the line is better'
  writeFileSync(join(import.meta.dirname, 'groups.svg'), drawRatios(bars(figures), title))
}

/** Starts a broker with an empty data folder and a topic; `work` gets it, as it runs then, and what starts it again over the same data. */
async function withBroker(start, properties, work) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-groups-'))
  const dataDir = join(folder, 'data')
  let broker = await start({ dataDir, properties })
  try {
    await load('create', broker, { topic, partitions })
    const restart = async () => {
      broker = await start({ dataDir, properties, port: broker.port })
    }
    return await work(() => broker, restart)
  } finally {
    await broker.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function membersOf(running) {
  const broker = running()
  const measured = {}
  for (const protocol of ['classic', 'consumer']) {
    // Whoever was there before is gone by now: its connections are closed, and nothing has to be read of it.
    await sleep(isQuick ? 500 : 5000)
    const flags = { topic, partitions, group: protocol, protocol, count: memberCount, seconds: restSeconds }
    measured[protocol] = await load('members', broker, { ...flags, pid: broker.pid })
    if (!measured[protocol].still_stable) throw new Error(`the ${protocol} group has come apart at rest`)
  }
  return measured
}

async function groupsOf(running, restart) {
  const broker = running()
  const idle = await cpuOf(broker.pid, restSeconds)
  const flags = { topic, partitions, count: groupCount, live: liveCount, seconds: restSeconds }
  const measured = await load('groups', broker, { ...flags, pid: broker.pid })
  const untilToldMs = {}
  for (const way of ['stop', 'kill']) {
    await running()[way]()
    const told = load('offset', broker, { topic, number: groupCount - 1 })
    await restart()
    untilToldMs[way] = (await told).ms
  }
  return { ...measured, idle, untilToldMs }
}

/** CPU seconds a second of a process, over some seconds. */
async function cpuOf(pid, seconds) {
  const read = async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14)
    return (Number(user) + Number(system)) / 100
  }
  const before = await read()
  await sleep(seconds * 1000)
  return ((await read()) - before) / seconds
}

function reportOf({ odradek, kafka, development }, seconds) {
  const protocolTable = protocol =>
    table(
      ['', 'odradek', `Apache Kafka ${kafkaVersion}`, 'odradek as it comes'],
      rows.members.map(([name, read]) => [
        name,
        ...[odradek, kafka, development].map(({ members }) => format(read(members[protocol]))),
      ]),
    )
  return `# Groups

Written by \`node bench/groups.mjs\` on ${new Date().toISOString().slice(0, 10)}, in ${Math.round(seconds)} s.
${cpus().length} cores (${cpus()[0].model}), Node ${process.versions.node}, one run, one broker after the other. Processes that wanted a core
when it ended: ${loadavg()[0].toFixed(1)}; with many more than cores the times are those of a share of a core, and CPU and memory compare best. The load comes from \`bench/loadgen\`: every member is a connection that speaks the protocol and nothing
more, with the heartbeats that clients send by themselves (classic: every 3 s, consumer: every 5 s, as the broker says).

Both brokers wait 3 s for the members of a new classic group and assign a consumer group once a second, as Kafka does by default. The last
column is odradek with its own defaults, those of a broker for development: it waits for nobody and assigns at once.

## A group of ${memberCount.toLocaleString('en')} members

They share the ${partitions.toLocaleString('en')} partitions of a topic, one each. At rest for ${restSeconds} s: nothing but heartbeats.

By the classic protocol:

${protocolTable('classic')}

By the consumer protocol (KIP-848):

${protocolTable('consumer')}

## A broker with ${groupCount.toLocaleString('en')} groups

Each has offsets in three partitions; ${liveCount} more have a member by the consumer protocol, with all ${partitions.toLocaleString('en')} partitions. "Until an offset is told" ends with
the first FindCoordinator and OffsetFetch of a group that tells what was committed, from the moment in which the broker was started again.

${table(
  ['', 'odradek', `Apache Kafka ${kafkaVersion}`],
  rows.groups.map(([name, read]) => [name, ...[odradek, kafka].map(({ groups }) => format(read(groups)))]),
)}

![How many times less odradek takes](groups.svg)
`
}

function table(header, lines) {
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'))
  return [header, rule, ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function bars({ odradek, kafka }) {
  return [
    ...ratios('classic', rows.members, odradek.members.classic, kafka.members.classic),
    ...ratios('consumer', rows.members, odradek.members.consumer, kafka.members.consumer),
    ...ratios('groups', rows.groups, odradek.groups, kafka.groups),
  ]
}

function ratios(group, list, ours, theirs) {
  return list
    .filter(([name]) => !/heartbeats a second|memory before|idle/.test(name))
    .map(([name, read]) => ({
      group,
      name: name.replace(/, (s|ms|MB)( a second)?$/, ''),
      ratio: read(theirs) / read(ours),
    }))
}
