// Writes numbered records by the client library until it is killed, and tells what it writes and what was answered, one JSON line each:
//   node compat/vlsn/writer.mjs ADDRESS TOPIC FOLDER SEED
// FOLDER keeps the counter, SEED decides how much is written at once. Values are unlike any that another process of this program writes.
import { setTimeout as sleep } from 'node:timers/promises'
import { VlsnProducer } from '../../dist/client/index.js'
import { SequencerFolder } from '../../dist/sequencers/index.js'
import { createChance } from '../chance.mjs'
import { client } from '../kafkajs/kit.mjs'
import { now } from './programs.mjs'

const batchRecordsMax = 100
const pauseMsMax = 40

const [address, topic, path, seed] = process.argv.slice(2)
const chance = createChance(Number(seed))
const tell = event =>
  new Promise(resolve => {
    process.stdout.write(`${JSON.stringify({ at: now(), ...event })}\n`, resolve)
  })

const folder = await SequencerFolder.open(path)
const sequencer = await folder.obelisk(topic)
const producer = await VlsnProducer.open(client(address), { topic, sequencer })
/** No two processes begin at one count: whatever was written, the counter had passed before. */
const life = sequencer.value
for (let number = 0; ;) {
  const count = 1 + chance.below(batchRecordsMax)
  const values = Array.from({ length: count }, () => `${life}-${number++}`)
  await tell({ event: 'writing', values })
  try {
    const vlsns = await producer.writeBatch(values)
    await tell({ event: 'written', records: vlsns.map((vlsn, index) => [Number(vlsn), values[index]]) })
  } catch (error) {
    // Whether they are there, the readers will see.
    await tell({ event: 'refused', error: error.message })
  }
  await sleep(chance.below(pauseMsMax))
}
