// npm run bench: odradek and Apache Kafka in turn, medians and ratios.
// Timings are quoted, never asserted: the exit status says only whether everything could be measured.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaVersion, prepareKafka, startKafka } from '../compat/kafka.mjs'
import { prepareOdradek, startOdradek } from '../compat/odradek.mjs'
import { run } from '../compat/process.mjs'
import { caseNames, sessions } from './cases.mjs'
import { diskSyncP99Ms, diskWriteMbPerS } from './disk.mjs'
import { prepareLoadgen } from './loadgen.mjs'
import { profileOdradek } from './profile.mjs'
import { formatTables, median, summarize, tally, writeResults } from './report.mjs'
import { runSession } from './session.mjs'

const brokers = {
  odradek: { prepare: prepareOdradek, start: startOdradek },
  kafka: { prepare: prepareKafka, start: startKafka },
}

const usage = `node bench/run.mjs [options]
  --rounds N              rounds, each with both brokers in turn (3); slow cases take part in fewer
  --only odradek|kafka    one broker alone
  --case NAME             one case alone; may be repeated
                          ${caseNames.join(' ')}
  --quick                 a small part of the volume, for a look
  --results DIR           write RESULTS.md and results.svg there, whatever was run
  --profile               instead: where odradek spends its CPU, once producing and once consuming
A whole run (both brokers, all cases, full volume) writes bench/RESULTS.md and bench/results.svg; others only print.`

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    case: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    results: { type: 'string' },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const roundCount = Number(options.rounds)
const isUnderstood =
  Number.isInteger(roundCount) &&
  roundCount > 0 &&
  options.case.every(name => caseNames.includes(name)) &&
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
  await profileOdradek({ cache, quick: options.quick, only: options.case[0] })
} else {
  await compare()
}

async function compare() {
  const startedAt = performance.now()
  const names = await prepareBrokers()
  if (names.length === 0) return
  const rounds = { odradek: [], kafka: [] }
  const notes = new Set()
  if (options.quick) notes.add('Quick: volumes and partitions are a small part of what the names say.')
  const failed = new Set()
  const diskP99s = []
  const diskRates = []
  for (let round = 1; round <= roundCount; round++) {
    diskP99s.push(diskSyncP99Ms(cache))
    // Each goes first in turn: whatever the first leaves behind on the disk or in the caches evens out.
    const order = round % 2 === 1 ? names : names.toReversed()
    for (const session of sessions) {
      diskRates.push(diskWriteMbPerS(cache))
      for (const name of order) rounds[name].push(await measureOnce({ session, name, round, notes, failed }))
    }
  }
  const diskP99Ms = median(diskP99s)
  const rows = summarize(rounds, diskP99Ms)
  const seconds = (performance.now() - startedAt) / 1000
  if (rows.length > 0) console.log(`\n${formatTables(rows)}\n\n${tally(rows)}`)
  for (const note of notes) console.log(note)
  console.log(
    `${roundCount} rounds in ${Math.round(seconds)} s; disk's own p99 sync ${diskP99Ms.toFixed(2)} ms, its rate ${median(diskRates).toFixed(0)} MB/s`,
  )
  if (failed.size > 0) process.exitCode = 1
  const isWhole = names.length === 2 && options.case.length === 0 && !options.quick
  if (!isWhole && options.results === undefined) return
  const folder = resolve(options.results ?? import.meta.dirname)
  await mkdir(folder, { recursive: true })
  const command = [
    'npm run bench',
    ...(process.argv.length > 2 ? ['--'] : []),
    ...process.argv.slice(2),
  ].join(' ')
  const about = {
    rounds: roundCount,
    command,
    versions: await versions(),
    seconds,
    diskP99Ms,
    diskRates,
    notes: [...notes],
  }
  writeResults(folder, rows, about)
  console.log(`written: ${join(folder, 'RESULTS.md')}, ${join(folder, 'results.svg')}`)
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

/** The figures of one broker in one session of one round; a case that failed is not tried again. */
async function measureOnce({ session, name, round, notes, failed }) {
  const cases = Object.keys(session.cases).filter(
    each =>
      (options.case.length === 0 || options.case.includes(each)) &&
      round <= (session.cases[each].roundsMax?.[name] ?? Infinity) &&
      !failed.has(`${name} ${each}`),
  )
  if (cases.length === 0) return {}
  const volume = session.volumes[options.quick ? 'quick' : 'full']
  const skip = await session.skip?.({ cache, volume })
  const progress = line => console.log(`${round}/${roundCount} ${name.padEnd(8)} ${line}`)
  if (skip) {
    notes.add(`Skipped: ${cases.join(', ')}: ${skip}.`)
    progress(`${cases.join(', ')} skipped: ${skip}`)
    return {}
  }
  const broker = { name, start: brokers[name].start }
  const result = await runSession({ session, cases, broker, volume, cache, progress })
  for (const note of result.notes) notes.add(note)
  if (result.failed) {
    failed.add(`${name} ${result.failed.name}`)
    notes.add(`Failed: ${result.failed.name} on ${name}: ${result.failed.reason}.`)
  }
  return result.measured
}

async function versions() {
  const java = await run('java', ['-version'])
  const javaVersion = /version "(.+?)"/.exec(java.stderr)?.[1]
  return [`Node ${process.versions.node}`, `Java ${javaVersion}`, `Apache Kafka ${kafkaVersion}`]
}
