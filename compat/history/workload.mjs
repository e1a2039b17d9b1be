// Clients that write and read under faults, and the history that they tell. kafkajs drives them: producers of transactions
// over several partitions and a group's offset, plain idempotent ones, and readers of committed records.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createChance } from '../chance.mjs'
import { client, createTopic, openAdmin, openProducer } from '../kafkajs/kit.mjs'
import { startMortalBroker } from '../mortal-broker.mjs'
import { eventually, unique } from '../scenarios.mjs'
import { findAnomalies } from './anomalies.mjs'

const partitions = 2
const producerCounts = { transactional: 3, plain: 2 }
const readerCount = 2
const calm = { leastMs: 400, mostMs: 2_500 }
const patienceMs = 60_000

/** Sockets for kafkajs that can be cut at once, wherever a request may be. */
function createWires() {
  const sockets = new Set()
  const socketFactory = ({ host, port, onConnect }) => {
    const socket = connect({ host, port, noDelay: true }, onConnect)
    sockets.add(socket.once('close', () => sockets.delete(socket)))
    return socket
  }
  return { socketFactory, cut: () => sockets.forEach(socket => socket.destroy()) }
}

/**
 * Runs the clients for so long, on a broker of their own that is killed and whose connections are cut, and judges the rest.
 * @param {{ start: Function, seconds: number, seed: number, progress?: (line: string) => void }} options `start` starts
 *   the broker
 * @returns {Promise<{ anomalies: string[], summary: string }>}
 */
export async function runHistory({ start, seconds, seed, progress = () => {} }) {
  const chance = createChance(seed)
  const broker = await startMortalBroker(start)
  const wires = createWires()
  const closers = []
  const context = { address: broker.address, defer: close => closers.unshift(close) }
  const scene = {
    ...context,
    chance,
    history: [],
    topic: await createTopic(context, 'history', { numPartitions: partitions }),
    isOver: false,
    connect: () => client(broker.address, { socketFactory: wires.socketFactory }),
  }
  try {
    for (let index = 0; index < readerCount; index++) await startReader(scene, index)
    const writing = [
      ...Array.from({ length: producerCounts.transactional }, (_, index) => writeTransactions(scene, index)),
      ...Array.from({ length: producerCounts.plain }, (_, index) => writePlain(scene, index)),
    ]
    const faults = await disturb({ broker, wires, chance, seconds, scene, progress })
    scene.isOver = true
    await Promise.all(writing)
    await readToEnd(scene)
    await fetchOffsets(scene)
    const anomalies = findAnomalies(scene.history).map(({ kind, what }) => `${kind}: ${what}`)
    return { anomalies, summary: `${describe(scene.history)}; ${faults.kill} kills, ${faults.cut} cuts` }
  } finally {
    scene.isOver = true
    for (const close of closers) await Promise.resolve(close()).catch(() => {})
    await broker.remove()
  }
}

async function disturb({ broker, wires, chance, seconds, scene, progress }) {
  const faults = { kill: 0, cut: 0 }
  const deadline = performance.now() + seconds * 1_000
  while (performance.now() < deadline) {
    await sleep(calm.leastMs + chance.below(calm.mostMs - calm.leastMs))
    const fault = chance.pick(['kill', 'cut', 'cut'])
    faults[fault]++
    if (fault === 'cut') wires.cut()
    else {
      await broker.kill()
      await broker.restart()
    }
    progress(`${fault}, ${scene.history.length} events so far`)
  }
  return faults
}

const place = (topic, partition) => ({ topic, partition })

/** Transactions of one name, one after the other; whatever goes wrong, the next producer of the name carries on. */
async function writeTransactions(scene, index) {
  const { chance, history, topic } = scene
  const transactionalId = `history-${topic}-${index}`
  const group = groupOf(scene, index)
  let offset = 0
  for (let round = 0; !scene.isOver;) {
    const options = { transactionalId, idempotent: true, maxInFlightRequests: 1, transactionTimeout: 20_000 }
    const producer = scene.connect().producer(options)
    try {
      await producer.connect()
      while (!scene.isOver) {
        const transaction = `transaction-${index}-${round++}`
        const isToCommit = chance.chance(0.7)
        // Nothing can commit it before that is asked for.
        let outcome = 'aborted'
        try {
          const open = await producer.transaction()
          for (let batch = chance.below(3); batch >= 0; batch--) {
            const messages = Array.from({ length: 1 + chance.below(4) }, (_, number) => ({
              partition: (batch + number) % partitions,
              value: `${transaction}-${batch}-${number}`,
            }))
            for (const { partition, value } of messages) {
              history.push({
                kind: 'produce',
                transaction,
                ...place(topic, partition),
                value,
                isTransactional: true,
              })
            }
            await open.send({ topic, messages })
          }
          if (chance.chance(0.5)) {
            offset += 1 + chance.below(5)
            history.push({ kind: 'offset-commit', transaction, group, ...place(topic, 0), offset })
            const topics = [{ topic, partitions: [{ partition: 0, offset: `${offset}` }] }]
            await open.sendOffsets({ consumerGroupId: group, topics })
          }
          if (isToCommit) outcome = 'unknown'
          await (isToCommit ? open.commit() : open.abort())
          if (isToCommit) outcome = 'committed'
        } finally {
          history.push({ kind: 'end', transaction, outcome })
        }
      }
    } catch {
      // The end has told; what is open is aborted by the next producer.
    }
    await producer.disconnect().catch(() => {})
  }
}

const groupOf = ({ topic }, index) => `group-${topic}-${index}`

async function writePlain(scene, index) {
  const { history, topic, chance } = scene
  for (let round = 0; !scene.isOver;) {
    const producer = scene.connect().producer({ idempotent: true, maxInFlightRequests: 1 })
    try {
      await producer.connect()
      while (!scene.isOver) {
        const value = `plain-${index}-${round++}`
        const partition = chance.below(partitions)
        const transaction = `of-${value}`
        history.push({
          kind: 'produce',
          transaction,
          ...place(topic, partition),
          value,
          isTransactional: false,
        })
        let outcome = 'unknown'
        try {
          await producer.send({ topic, messages: [{ partition, value }] })
          outcome = 'committed'
        } finally {
          history.push({ kind: 'end', transaction, outcome })
        }
        await sleep(5)
      }
    } catch {
      // Whether it is there, the readers will see.
    }
    await producer.disconnect().catch(() => {})
  }
}

/** Reads on while there is a broker; every time that it joins again it counts as another reader. */
async function startReader(scene, index) {
  const consumer = scene.connect().consumer({
    groupId: unique('history-reader'),
    heartbeatInterval: 500,
    sessionTimeout: 10_000,
    maxWaitTimeInMs: 100,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 100 },
  })
  scene.defer(() => consumer.disconnect())
  let session = 0
  consumer.on(consumer.events.GROUP_JOIN, () => session++)
  await consumer.connect()
  await consumer.subscribe({ topics: [scene.topic], fromBeginning: true })
  await consumer.run({
    eachBatch: async ({ batch }) => tell(scene.history, `reader-${index}-${session}`, batch),
  })
}

const last = 'the last value'

function tell(history, reader, { topic, partition, messages }) {
  const records = messages
    .map(({ offset, value }) => ({ offset: Number(offset), value: `${value}` }))
    .filter(({ value }) => value !== last)
  history.push({ kind: 'poll', reader, ...place(topic, partition), records })
  return messages.some(({ value }) => `${value}` === last)
}

/** Ends what is open by the next producer of each name, and reads everything before a record that follows then. */
async function readToEnd(scene) {
  for (let index = 0; index < producerCounts.transactional; index++) {
    const options = { transactionalId: `history-${scene.topic}-${index}`, idempotent: true }
    const producer = await openProducer(scene, options)
    await eventually(
      'the next transaction',
      () =>
        producer.transaction().then(
          open => open.abort().then(() => true),
          () => false,
        ),
      {
        timeoutMs: patienceMs,
      },
    )
  }
  const producer = await openProducer(scene)
  const messages = Array.from({ length: partitions }, (_, partition) => ({ partition, value: last }))
  await producer.send({ topic: scene.topic, messages })
  const consumer = client(scene.address).consumer({ groupId: unique('history-reader'), maxWaitTimeInMs: 100 })
  scene.defer(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topics: [scene.topic], fromBeginning: true })
  const ended = new Set()
  const reader = 'the reader of everything'
  await consumer.run({
    eachBatch: async ({ batch }) => {
      if (tell(scene.history, reader, batch)) ended.add(batch.partition)
    },
  })
  await eventually('the end of every partition', () => ended.size === partitions, { timeoutMs: patienceMs })
  scene.history.push({ kind: 'read-to-end', reader })
}

async function fetchOffsets(scene) {
  const { topic, history } = scene
  const admin = await openAdmin(scene)
  for (let index = 0; index < producerCounts.transactional; index++) {
    const group = groupOf(scene, index)
    const [fetched] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    const { offset } = fetched.partitions.find(({ partition }) => partition === 0)
    history.push({ kind: 'offset-fetch', group, ...place(topic, 0), offset: Number(offset) })
  }
}

function describe(history) {
  const count = (kind, outcome) =>
    history.filter(event => event.kind === kind && event.outcome === outcome).length
  const readers = new Set(history.filter(({ kind }) => kind === 'poll').map(({ reader }) => reader))
  return (
    `${count('produce')} values; ${count('end', 'committed')} committed, ${count('end', 'aborted')} aborted, ` +
    `${count('end', 'unknown')} of unknown end; ${count('poll')} polls of ${readers.size} readers`
  )
}
