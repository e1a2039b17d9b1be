// npm run groups: members of a group join, leave and crash at random, and every promise that was broken to them.
//   npm run groups -- --protocol consumer --members 30 --partitions 120 --seconds 120 --seed 7 [--kill]
//     [--broker odradek|kafka] [--history FILE]
// Protocols are classic, consumer and share; without one, all. --kill kills the broker halfway (SIGKILL) and starts it again. --history
// keeps every event of the last campaign, one JSON line each, as verdict.d.mts describes them.
// The exit code is 1 when anything was violated.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { freshSeed } from '../chance.mjs'
import { prepare as prepareJava } from '../java/client.mjs'
import { prepareKafka, startKafka } from '../kafka.mjs'
import { prepareOdradek, startOdradek } from '../odradek.mjs'
import { protocols, runCampaign } from './campaign.mjs'

/** The promise, in heartbeat intervals. */
const convergenceIntervalsMax = 3

const brokers = {
  odradek: { prepare: prepareOdradek, start: startOdradek },
  kafka: { prepare: prepareKafka, start: startKafka },
}

const { values: options } = parseArgs({
  options: {
    protocol: { type: 'string', multiple: true, default: protocols },
    members: { type: 'string', default: '30' },
    partitions: { type: 'string', default: '120' },
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: String(freshSeed()) },
    kill: { type: 'boolean', default: false },
    broker: { type: 'string', default: 'odradek' },
    history: { type: 'string' },
  },
})
const unknown = options.protocol.find(name => !protocols.includes(name))
if (unknown !== undefined) throw new Error(`no such protocol: ${unknown}; there are ${protocols.join(', ')}`)
const { prepare, start } = brokers[options.broker]
const say = text => process.stdout.write(`${text}\n`)

const java = await prepareJava()
const skip = java.skip ?? (await prepare())?.skip
if (skip) {
  say(`skipped: ${skip}`)
  process.exit(0)
}
let failed = 0
for (const protocol of options.protocol) {
  say(`${protocol} on ${options.broker}, ${java.version}, seed ${options.seed}`)
  const {
    violations,
    summary,
    history = [],
  } = await runCampaign({
    protocol,
    programs: java.programs,
    start,
    memberCount: Number(options.members),
    partitions: Number(options.partitions),
    seconds: Number(options.seconds),
    seed: Number(options.seed),
    isBrokerKilled: options.kill,
    convergenceIntervalsMax,
    progress: line => say(`  ${line}`),
  }).catch(error => ({
    violations: [{ kind: 'not finished', what: error.message }],
    summary: 'not finished',
  }))
  say(`${protocol}: ${summary}`)
  if (options.history)
    await writeFile(options.history, history.map(event => `${JSON.stringify(event)}\n`).join(''))
  for (const { kind, what } of violations) say(`${protocol} VIOLATION ${kind}: ${what}`)
  say(`${protocol}: ${violations.length === 0 ? 'no violation' : `FAILED with seed ${options.seed}`}`)
  failed += violations.length === 0 ? 0 : 1
}
process.exit(failed > 0 ? 1 : 0)
