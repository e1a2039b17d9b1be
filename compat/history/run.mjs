// npm run history: transactional and plain clients under faults, and every anomaly of what they saw.
//   npm run history -- --seconds 600 --seed 7 [--broker odradek|kafka]
import { parseArgs } from 'node:util'
import { freshSeed } from '../chance.mjs'
import { prepareKafka, startKafka } from '../kafka.mjs'
import { prepare as prepareKcat } from '../kcat/client.mjs'
import { prepareOdradek, startOdradek } from '../odradek.mjs'
import { runHistory } from './workload.mjs'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(freshSeed()) },
    broker: { type: 'string', default: 'odradek' },
  },
})
const brokers = {
  odradek: { prepare: prepareOdradek, start: startOdradek },
  kafka: { prepare: prepareKafka, start: startKafka },
}
const { prepare, start } = brokers[options.broker]
const skip = (await prepareKcat()).skip ?? (await prepare())?.skip
if (skip) {
  console.log(`skipped: ${skip}`)
  process.exit(0)
}
console.log(`history on ${options.broker} for ${options.seconds} s, seed ${options.seed}`)
const { anomalies, summary } = await runHistory({
  start,
  seconds: Number(options.seconds),
  seed: Number(options.seed),
  progress: line => console.log(`  ${line}`),
})
console.log(summary)
for (const anomaly of anomalies) console.log(`ANOMALY ${anomaly}`)
console.log(anomalies.length === 0 ? 'no anomaly' : `${anomalies.length} anomalies with seed ${options.seed}`)
process.exit(anomalies.length > 0 ? 1 : 0)
