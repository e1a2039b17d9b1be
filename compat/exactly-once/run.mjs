// npm run exactly-once: programs that consume, transform and produce under transactions, killed again and again.
//   npm run exactly-once -- --client java --cycles 100 --seed 7 [--broker odradek|kafka]
// Clients are java, franz-go, confluent-kafka and streams (Kafka Streams' word count); without one, all. A cycle kills the
// client, the broker (both with SIGKILL) or both. The exit code is 1 when any output was not exactly the input's.
import { parseArgs } from 'node:util'
import { freshSeed } from '../chance.mjs'
import { prepareKafka, startKafka } from '../kafka.mjs'
import { prepareOdradek, startOdradek } from '../odradek.mjs'
import { runCampaign } from './campaign.mjs'
import { campaigns } from './campaigns.mjs'

const brokers = {
  odradek: { prepare: prepareOdradek, start: startOdradek },
  kafka: { prepare: prepareKafka, start: startKafka },
}

const { values: options } = parseArgs({
  options: {
    client: { type: 'string', multiple: true, default: Object.keys(campaigns) },
    cycles: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(freshSeed()) },
    broker: { type: 'string', default: 'odradek' },
  },
})
const unknown = options.client.find(name => !(name in campaigns))
if (unknown !== undefined)
  throw new Error(`no such client: ${unknown}; there are ${Object.keys(campaigns).join(', ')}`)
const { prepare, start } = brokers[options.broker]
const say = text => process.stdout.write(`${text}\n`)

const skip = (await prepare())?.skip
if (skip) {
  say(`skipped: ${skip}`)
  process.exit(0)
}
let failed = 0
for (const name of options.client) {
  const { folder, program } = campaigns[name]
  const prepared = await (await import(`../${folder}/client.mjs`)).prepare()
  if (prepared.skip) {
    say(`${name} skipped: ${prepared.skip}`)
    continue
  }
  say(`${name} ${prepared.version} on ${options.broker}, seed ${options.seed}`)
  const { anomalies, summary } = await runCampaign({
    program: { name: program, command: prepared.programs[program] },
    start,
    cycles: Number(options.cycles),
    seed: Number(options.seed),
    progress: line => say(`  ${line}`),
  }).catch(error => ({ anomalies: [error.message], summary: 'not finished' }))
  say(`${name}: ${summary}`)
  for (const anomaly of anomalies) say(`${name} ANOMALY ${anomaly}`)
  say(`${name}: ${anomalies.length === 0 ? 'exactly once' : `FAILED with seed ${options.seed}`}`)
  failed += anomalies.length === 0 ? 0 : 1
}
process.exit(failed > 0 ? 1 : 0)
