// npm run bench: odradek and Apache Kafka in turn, medians and ratios.
// Timings are quoted, never asserted: the exit status says only whether everything could be measured.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaVersion, prepareKafka, startKafka } from '../compat/kafka.mjs'
import { prepareOdradek, startOdradek } from '../compat/odradek.mjs'
import { run } from '../compat/process.mjs'
import { caseNames, measure } from './cases.mjs'
import { diskSyncP99Ms } from './disk.mjs'
import { prepareLoadgen } from './loadgen.mjs'
import { profileOdradek } from './profile.mjs'
import { formatTable, median, summarize, writeResults } from './report.mjs'

const brokers = {
  odradek: { prepare: prepareOdradek, start: startOdradek },
  kafka: { prepare: prepareKafka, start: startKafka },
}

const usage = `node bench/run.mjs [options]
  --rounds N                     rounds, each with both brokers in turn (3)
  --only odradek|kafka           one broker alone
  --case ${caseNames.join('|')}
                                 one case alone
  --quick                        a tenth of the volume, for a look
  --profile                      instead: where odradek spends its CPU, once producing and once consuming
Only a whole run (both brokers, all cases, full volume) writes bench/RESULTS.md and bench/results.svg.`

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    case: { type: 'string' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const roundCount = Number(options.rounds)
const isUnderstood =
  Number.isInteger(roundCount) &&
  roundCount > 0 &&
  [undefined, ...caseNames].includes(options.case) &&
  [undefined, ...Object.keys(brokers)].includes(options.only)

if (options.help || !isUnderstood) {
  console.log(usage)
  process.exit(options.help ? 0 : 2)
}

// Under the repository, since a system's temporary folder may be memory, where a sync costs nothing.
const cache = join(import.meta.dirname, '.cache')
await mkdir(cache, { recursive: true })

const loadgen = await prepareLoadgen()
if (loadgen.skip) {
  console.log(`skipped: ${loadgen.skip}`)
} else if (options.profile) {
  await profileOdradek({ cache, quick: options.quick, only: options.case })
} else {
  await compare()
}

async function compare() {
  const startedAt = performance.now()
  const names = await prepareBrokers()
  if (names.length === 0) return
  const rounds = { odradek: [], kafka: [] }
  const diskP99s = []
  for (let round = 1; round <= roundCount; round++) {
    // Each goes first in turn: whatever the first leaves behind on the disk or in the caches evens out.
    const order = round % 2 === 1 ? names : names.toReversed()
    for (const name of order) rounds[name].push(await measureOnce(name, round, diskP99s))
  }
  const diskP99Ms = median(diskP99s)
  const rows = summarize(rounds, diskP99Ms)
  const seconds = (performance.now() - startedAt) / 1000
  console.log(`\n${formatTable(rows)}\n`)
  console.log(
    `${roundCount} rounds in ${Math.round(seconds)} s; disk's own p99 sync ${diskP99Ms.toFixed(2)} ms`,
  )
  if (names.length < 2 || options.case || options.quick) return
  const command = ['npm run bench', ...process.argv.slice(2)].join(' ')
  await writeResults({ rows, rounds: roundCount, command, versions: await versions(), seconds, diskP99Ms })
  console.log('written: bench/RESULTS.md, bench/results.svg')
}

async function prepareBrokers() {
  const names = []
  for (const name of Object.keys(brokers)) {
    if (options.only && options.only !== name) continue
    const prepared = await brokers[name].prepare()
    if (prepared?.skip) console.log(`${name} skipped: ${prepared.skip}`)
    else names.push(name)
  }
  return names
}

async function measureOnce(name, round, diskP99s) {
  const dataDir = await mkdtemp(join(cache, `${name}-`))
  diskP99s.push(diskSyncP99Ms(dataDir))
  const broker = await brokers[name].start({ dataDir: join(dataDir, 'data') })
  const progress = line => console.log(`${round}/${roundCount} ${name.padEnd(8)} ${line}`)
  try {
    return await measure(broker, { only: options.case, quick: options.quick, progress })
  } finally {
    await broker.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function versions() {
  const java = await run('java', ['-version'])
  const javaVersion = /version "(.+?)"/.exec(java.stderr)?.[1]
  return [`Node ${process.versions.node}`, `Java ${javaVersion}`, `Apache Kafka ${kafkaVersion}`]
}
