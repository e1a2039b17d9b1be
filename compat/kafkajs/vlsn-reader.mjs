// Reads a topic, or the ordered view of one, and tells what it reads and commits, one JSON line each, for vlsn/:
//   follow ADDRESS TOPIC GROUP PROTOCOL PAUSE: as a member of a group (kafkajs knows one protocol), until it is killed; PAUSE is in ms, between
//     reading and committing
//   range ADDRESS TOPIC FROM TO: partition 0 from one offset to before another
//   all ADDRESS TOPIC: every partition, up to where it ends now
import { setTimeout as sleep } from 'node:timers/promises'
import { unique } from '../scenarios.mjs'
import { client } from './kit.mjs'

const now = () => Number(process.hrtime.bigint()) / 1e6
/** Resolves once it was handed over: what a kill, or the end, finds in this process is lost. */
const tell = event =>
  new Promise(resolve => {
    process.stdout.write(`${JSON.stringify({ at: now(), ...event })}\n`, resolve)
  })

const recordsOf = (partition, messages) =>
  messages.map(({ offset, key, value }) => [
    partition,
    Number(offset),
    Number(key.readBigInt64BE()),
    value.toString(),
  ])

async function open(address, groupId, sessionTimeout) {
  const consumer = client(address).consumer({
    groupId,
    sessionTimeout,
    rebalanceTimeout: 3_000,
    heartbeatInterval: 300,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
  })
  consumer.on(consumer.events.CRASH, async ({ payload }) => {
    if (payload.restart) return
    await tell({ event: 'ended', error: payload.error.message })
    process.exit(1)
  })
  await consumer.connect()
  return consumer
}

async function follow(address, topic, groupId, pauseMs) {
  const consumer = await open(address, groupId, 3_000)
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch: { partition, messages }, resolveOffset }) => {
      await tell({ event: 'read', records: recordsOf(partition, messages) })
      if (pauseMs > 0) await sleep(pauseMs)
      const last = messages.at(-1).offset
      const offset = Number(last) + 1
      await tell({ event: 'committing', offsets: [[partition, offset]] })
      await consumer.commitOffsets([{ topic, partition, offset: String(offset) }])
      await tell({ event: 'committed' })
      resolveOffset(last)
    },
  })
}

/** Reads partitions between bounds, each from its first to before its last, and nothing twice should it have to join again. */
async function readBetween(address, topic, bounds) {
  const left = new Map(
    bounds.filter(([, from, to]) => from < to).map(([partition, from, to]) => [partition, { from, to }]),
  )
  if (left.size === 0) return
  const consumer = await open(address, unique('kafkajs-vlsn-range'), 30_000)
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise((resolve, reject) => {
    const each = async ({ batch: { partition, messages } }) => {
      const { from, to } = left.get(partition) ?? {}
      if (to === undefined) return
      const own = recordsOf(partition, messages).filter(([, offset]) => offset >= from && offset < to)
      const next = Math.max(from, Number(messages.at(-1).offset) + 1)
      if (next >= to) left.delete(partition)
      else left.set(partition, { from: next, to })
      // At once: a batch that kafkajs reads again may come while this one is handed over.
      if (own.length > 0) await tell({ event: 'read', records: own })
      if (left.size === 0) resolve()
    }
    consumer.run({ autoCommit: false, eachBatch: each }).catch(reject)
    for (const [partition, from] of bounds)
      if (from > 0) consumer.seek({ topic, partition, offset: String(from) })
  })
  await Promise.race([consumer.disconnect(), sleep(2_000)])
}

/** Where the partitions of a topic begin and end. The end of a view may lie behind its last record: nothing more is left to come then. */
async function boundsOf(address, topic) {
  const admin = client(address).admin()
  await admin.connect()
  const bounds = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  return bounds.map(({ partition, low, high }) => [partition, Number(low), Number(high)])
}

const [mode, address, topic, ...rest] = process.argv.slice(2)
if (mode === 'follow') await follow(address, topic, rest[0], Number(rest[2]))
else {
  await readBetween(
    address,
    topic,
    mode === 'all' ? await boundsOf(address, topic) : [[0, Number(rest[0]), Number(rest[1])]],
  )
  // After all that is still on its way out.
  process.stdout.write('', () => process.exit(0))
}
