// Clients that write and read under faults, and the history that they tell: producers of transactions over several partitions
// and a group's offset, and plain idempotent ones, by kafkajs; readers of committed records, by kcat.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createChance } from '../chance.mjs'
import { client, createTopic, openAdmin, openProducer } from '../kafkajs/kit.mjs'
import { startMortalBroker } from '../mortal-broker.mjs'
import { run } from '../process.mjs'
import { eventually } from '../scenarios.mjs'
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
  // kafkajs hears of a lost connection by its error alone.
  return { socketFactory, cut: () => sockets.forEach(socket => socket.destroy(new Error('cut'))) }
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
    connect: () => client(broker.address, { socketFactory: wires.socketFactory, requestTimeout: 5_000 }),
  }
  try {
    for (let index = 0; index < readerCount; index++) startReader(scene, `reader ${index}`)
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

const last = 'the last value'

/**
 * Reads what is committed with kcat, since kafkajs shows aborted records where aborted transactions overlap (it takes them
 * to be listed by their first offsets). kcat ends when its broker does; who comes then counts as another reader.
 */
function startReader(scene, name) {
  const { address, topic, history } = scene
  const state = { ended: new Set() }
  const watch = new AbortController()
  scene.defer(() => watch.abort())
  const onLine = line => {
    const [, partition, offset, value] = /^(\d+) (\d+) (.*)$/.exec(line)
    if (value === last) return state.ended.add(partition)
    const records = [{ offset: Number(offset), value }]
    history.push({ kind: 'poll', reader: state.reader, ...place(topic, Number(partition)), records })
  }
  const options = [
    '-X',
    'isolation.level=read_committed',
    '-X',
    'fetch.wait.max.ms=100',
    '-o',
    'beginning',
    '-q',
    '-u',
  ]
  const args = ['-C', '-b', address, '-t', topic, ...options, '-f', '%p %o %s\\n']
  const readOn = async () => {
    for (let session = 1; !watch.signal.aborted; session++) {
      state.reader = `${name}, session ${session}`
      state.ended.clear()
      await run('kcat', args, { signal: watch.signal, onLine })
      await sleep(100)
    }
  }
  readOn()
  return state
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
  const reader = startReader(scene, 'the reader of everything')
  const isRead = () => reader.ended.size === partitions
  await eventually('the end of every partition', isRead, { timeoutMs: patienceMs })
  scene.history.push({ kind: 'read-to-end', reader: reader.reader })
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
