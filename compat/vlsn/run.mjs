// npm run vlsn: a VLSN topic that the client library writes, read by unmodified clients: in total order, and after kills.
//   npm run vlsn -- --records 1000000 --partitions 12 --kills 50 --seed 7 [--client kafkajs|java|kcat|confluent-kafka]
//     [--history FILE]
// Without a client, all. First each reads so many records in order through the view, and seeks; then client, broker or both are
// killed so many times (SIGKILL) while one group reads the view and another the partitions under the commit strategy `vlsn`. 0 leaves one out.
// --history keeps every event of the last campaign with kills, one JSON line each, as verdict.d.mts describes them.
// The exit code is 1 when anything was wrong.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { freshSeed } from '../chance.mjs'
import { prepareOdradek, startOdradek } from '../odradek.mjs'
import { runKills, runReads } from './campaign.mjs'
import { readers } from './clients.mjs'

const { values: options } = parseArgs({
  options: {
    client: { type: 'string', multiple: true, default: Object.keys(readers) },
    records: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '12' },
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(freshSeed()) },
    history: { type: 'string' },
  },
})
const unknown = options.client.find(name => !(name in readers))
if (unknown !== undefined)
  throw new Error(`no such client: ${unknown}; there are ${Object.keys(readers).join(', ')}`)
const say = text => process.stdout.write(`${text}\n`)
const [records, partitions, kills, seed] = ['records', 'partitions', 'kills', 'seed'].map(name =>
  Number(options[name]),
)

await prepareOdradek()
const ready = []
for (const name of options.client) {
  const reader = readers[name]
  const client = await (await import(`../${reader.folder}/client.mjs`)).prepare()
  if (client.skip) say(`${name} skipped: ${client.skip}`)
  else ready.push({ name, reader, client })
}
say(`${ready.map(({ name, client }) => `${name} ${client.version}`).join(', ')}; seed ${seed}`)

let failed = 0
function conclude(name, faults, summary) {
  if (summary) say(`${name}: ${summary}`)
  for (const fault of faults) say(`${name} FAULT ${fault}`)
  say(`${name}: ${faults.length === 0 ? 'no fault' : `FAILED with seed ${seed}`}`)
  failed += faults.length === 0 ? 0 : 1
}
const progress = line => say(`  ${line}`)
const common = { start: startOdradek, partitions, seed, progress }

if (records > 0) {
  const { faults } = await runReads({ ...common, readers: ready, records }).catch(error => ({
    faults: [error.message],
  }))
  conclude('in order', faults)
}
for (const { name, reader, client } of kills > 0 ? ready : []) {
  say(`${name}: ${kills} kills`)
  const {
    faults,
    summary,
    history = [],
  } = await runKills({ ...common, reader, client, kills }).catch(error => ({ faults: [error.message] }))
  if (options.history)
    await writeFile(options.history, history.map(event => `${JSON.stringify(event)}\n`).join(''))
  conclude(name, faults, summary)
}
process.exit(failed > 0 ? 1 : 0)
