// Writes numbered records by the client library until it is killed, and tells what it writes and what was answered, one JSON line each:
//   node compat/vlsn/writer.mjs ADDRESS TOPIC FOLDER
// FOLDER keeps the counter. Values are unlike any that another process of this program writes.
import { setTimeout as sleep } from 'node:timers/promises'
import { VlsnProducer } from '../../dist/client/index.js'
import { SequencerFolder } from '../../dist/sequencers/index.js'
import { client } from '../kafkajs/kit.mjs'
import { now } from './programs.mjs'

const batchRecordsMax = 100
const pauseMsMax = 40

const [address, topic, path] = process.argv.slice(2)
const tell = event =>
  new Promise(resolve => {
    process.stdout.write(`${JSON.stringify({ at: now(), ...event })}\n`, resolve)
  })

const folder = await SequencerFolder.open(path)
const sequencer = await folder.obelisk(topic)
const producer = await VlsnProducer.open(client(address), { topic, sequencer })
for (let number = 0; ;) {
  const count = 1 + Math.floor(Math.random() * batchRecordsMax)
  const values = Array.from({ length: count }, () => `${process.pid}-${number++}`)
  await tell({ event: 'writing', values })
  try {
    const vlsns = await producer.writeBatch(values)
    await tell({ event: 'written', records: vlsns.map((vlsn, index) => [Number(vlsn), values[index]]) })
  } catch (error) {
    // Whether they are there, the readers will see.
    await tell({ event: 'refused', error: error.message })
  }
  await sleep(Math.random() * pauseMsMax)
}
