// npm run compat: every client, every scenario, on odradek and on Apache Kafka alike.
//   node compat/run.mjs [--client NAME] [--scenario NAME] [--broker odradek|kafka]
// Each option may be repeated. A toolchain that this machine lacks is skipped with its reason. A complete run writes
// LEDGER.md. The exit code is 1 when anything failed on either broker.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { catalogue } from './catalogue.mjs'
import { kafkaVersion, prepareKafka, startKafka } from './kafka.mjs'
import { writeLedger } from './ledger.mjs'
import { prepareOdradek, startOdradek } from './odradek.mjs'
import { run } from './process.mjs'
import { runShortCampaigns } from './short-campaigns.mjs'

const clientFolders = ['kafkajs', 'kcat', 'java', 'franz-go', 'confluent-kafka', 'kafka-tools']
/** A client that says nothing for so long hangs. */
const silenceMsMax = 180_000

const { values: wanted } = parseArgs({
  options: {
    client: { type: 'string', multiple: true, default: [] },
    scenario: { type: 'string', multiple: true, default: [] },
    broker: { type: 'string', multiple: true, default: [] },
  },
})
const unknown = wanted.scenario.filter(name => !(name in catalogue))
if (unknown.length > 0) throw new Error(`no such scenario: ${unknown}`)
const isWanted = (list, name) => list.length === 0 || list.includes(name)
const isWantedScenario = name => isWanted(wanted.scenario, name)
const say = text => process.stdout.write(`${text}\n`)

/** Enough for a JVM on a machine that others use too. */
const readyMsMax = 180_000

/** What both brokers are told, so that a scenario can wait for a lock to end, and a single group notice that a member was killed. */
const properties = {
  'group.share.min.record.lock.duration.ms': 1000,
  'group.streams.min.session.timeout.ms': 6_000,
  'group.streams.min.heartbeat.interval.ms': 500,
}
/** A campaign says more: its broker dies, and comes back on the same port over the same data. */
const starting = (start, options = {}) =>
  start({ readyMsMax, ...options, properties: { ...properties, ...options.properties } })

const brokers = [
  {
    name: 'odradek',
    version: JSON.parse(await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8')).version,
    prepare: prepareOdradek,
    start: options => starting(startOdradek, options),
    isKilledToo: true,
  },
  {
    name: 'kafka',
    version: kafkaVersion,
    prepare: prepareKafka,
    start: options => starting(startKafka, options),
  },
].filter(({ name }) => isWanted(wanted.broker, name))

/** Makes clients or brokers ready; returns the usable ones, and tells and counts the others. */
async function prepareAll(candidates, skips) {
  const ready = []
  for (const candidate of candidates) {
    const startedAt = performance.now()
    const prepared = await candidate.prepare()
    if (prepared?.skip) {
      say(`skipping ${candidate.name}: ${prepared.skip}`)
      skips.push({ name: candidate.name, reason: prepared.skip })
    } else {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      ready.push(typeof prepared === 'object' ? { ...candidate, ...prepared } : candidate)
      say(`${candidate.name} ${ready.at(-1).version} is ready (${seconds} s)`)
    }
  }
  return ready
}

/**
 * Runs one client's program over the scenarios (all, where none are named), again from where it ended when it dies or falls silent.
 * @param {(result: { scenario: string, ok: boolean, error?: string, ms: number }) => void} report
 */
async function runClient(client, address, scenarios, report) {
  let remaining = scenarios
  do {
    let announced
    const watch = new AbortController()
    let silence
    const listen = () => {
      clearTimeout(silence)
      silence = setTimeout(() => watch.abort(), silenceMsMax)
    }
    listen()
    const [command, ...args] = client.command
    const result = await run(command, [...args, address, ...remaining], {
      env: client.env,
      signal: watch.signal,
      onLine: line => {
        listen()
        if (!line.startsWith('{')) return
        const message = JSON.parse(line)
        if (message.scenarios) announced = message.scenarios
        else {
          announced = announced.filter(name => name !== message.scenario)
          report(message)
        }
      },
    })
    clearTimeout(silence)
    if (announced?.length === 0) return
    const reason = watch.signal.aborted
      ? `nothing happened for ${silenceMsMax / 1000} s`
      : `the client ended with code ${result.code}: ${result.stderr.trim().slice(-500)}`
    if (!announced) return report({ scenario: '(start)', ok: false, error: reason, ms: 0 })
    report({ scenario: announced[0], ok: false, error: reason, ms: 0 })
    remaining = announced.slice(1)
  } while (remaining.length > 0)
}

/** Runs all clients, one after the other, on a broker of their own; then those that are killed, each on another. */
async function runBroker(broker, clients, results) {
  const report = (client, result) => {
    results.push({ broker: broker.name, client, ...result })
    const verdict = result.ok ? `ok ${result.ms} ms` : `FAILED ${result.error}`
    say(`${broker.name.padEnd(7)} ${client.padEnd(15)} ${result.scenario.padEnd(27)} ${verdict}`)
  }
  const started = await broker.start()
  try {
    for (const client of clients) {
      const again = []
      await runClient(client, started.address, wanted.scenario, result => {
        // On a busy machine deadlines pass, and Apache Kafka's metadata lags behind its answers: the second answer counts.
        const isAskedAgain = !result.ok && result.scenario in catalogue
        if (!isAskedAgain) return report(client.name, result)
        say(`${broker.name} ${client.name} ${result.scenario} failed and is asked again: ${result.error}`)
        again.push(result.scenario)
      })
      if (again.length > 0)
        await runClient(client, started.address, again, result => report(client.name, result))
    }
    if (started.hasExited()) {
      const log = await readFile(started.logFile, 'utf8')
      throw new Error(`${broker.name} ended while clients were using it\n${log.slice(-4_000)}`)
    }
  } finally {
    await started.stop()
  }
  if (!broker.isKilledToo) return
  await runShortCampaigns({ start: broker.start, clients, isWanted: isWantedScenario, report })
}

const startedAt = performance.now()
const skips = []
const results = []
const folders = clientFolders.filter(name => isWanted(wanted.client, name))
const candidates = await Promise.all(folders.map(folder => import(`./${folder}/client.mjs`)))
const clients = await prepareAll(candidates, skips)
const outcomes = await Promise.allSettled(
  brokers.map(async broker => {
    const [ready] = await prepareAll([broker], skips)
    if (ready) await runBroker(ready, clients, results)
  }),
)
outcomes.forEach(({ status, reason }, index) => {
  if (status === 'fulfilled') return
  const error = reason.message
  results.push({
    broker: brokers[index].name,
    client: '(broker)',
    scenario: '(broker)',
    ok: false,
    error,
    ms: 0,
  })
})

const failures = results.filter(({ ok }) => !ok)
const isComplete = Object.values(wanted).every(list => list.length === 0)
say(`\n${await writeLedger({ brokers, clients, skips, results, isComplete })}`)
for (const { broker, client, scenario, error } of failures)
  say(`FAILED ${broker} ${client} ${scenario}\n${error}\n`)
say(`took ${Math.round((performance.now() - startedAt) / 1000)} s`)
say(`${results.length - failures.length} passed, ${failures.length} failed, ${skips.length} skipped`)
process.exit(failures.length > 0 ? 1 : 0)
