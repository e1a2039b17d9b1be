// Writes numbered records until it is killed, and says what was answered: node vlsn-writer-child.mjs ADDRESS TOPIC FOLDER KIND
import { Kafka, logLevel } from 'kafkajs'
import { VlsnProducer } from '../../dist/client/index.js'
import { SequencerFolder } from '../../dist/sequencers/index.js'

const [address, topic, path, kind] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING })
const folder = await SequencerFolder.open(path)
const sequencer = await folder[kind](topic)
const producer = await VlsnProducer.open(kafka, { topic, sequencer })
for (let count = 0; ; count++) {
  const values = Array.from({ length: 1 + (count % 7) }, (_, index) => `${process.pid}-${count}-${index}`)
  const vlsns = await producer.writeBatch(values)
  process.stdout.write(vlsns.map((vlsn, index) => `${vlsn}:${values[index]}\n`).join(''))
}
