// What every scenario of this folder starts from: a client, a topic, and a consumer that remembers.
import kafkajs from 'kafkajs'
import { eventually, unique } from '../scenarios.mjs'

const { Kafka, logLevel } = kafkajs

/** A client that gives up within seconds. */
export const client = (address, options = {}) =>
  new Kafka({
    clientId: 'compat-kafkajs',
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 10 },
    ...options,
  })

/** A connected admin client, closed with the scenario. */
export async function openAdmin({ address, defer }, options = {}) {
  const admin = client(address, options).admin()
  await admin.connect()
  defer(() => admin.disconnect())
  return admin
}

/** A connected producer, closed with the scenario. */
export async function openProducer({ address, defer }, options = {}) {
  const producer = client(address).producer({ allowAutoTopicCreation: false, ...options })
  await producer.connect()
  defer(() => producer.disconnect())
  return producer
}

/** Creates a topic of a fresh name. */
export async function createTopic(context, label, { numPartitions = 1, configEntries = [] } = {}) {
  const topic = unique(`kafkajs-${label}`)
  const admin = await openAdmin(context)
  await admin.createTopics({
    // Waiting for leaders fails where a leader does not know yet that it is one.
    waitForLeaders: false,
    topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
  })
  await awaitLeaders(admin, topic, numPartitions)
  return topic
}

/** Bridges the moment in which Apache Kafka has answered CreateTopics but does not yet lead every partition. */
export const awaitLeaders = (admin, topic, count) =>
  eventually(`leaders of ${topic}`, async () => {
    const offsets = await admin.fetchTopicOffsets(topic).catch(() => [])
    return offsets.length === count
  })

/**
 * A running group member.
 * @returns {Promise<{ consumer, messages: object[], assignments: number[][], partitions: () => number[] | undefined,
 *   received: (count: number) => Promise<object[]> }>} every message so far, every assignment so far, the current one
 */
export async function openMember({ address, defer }, topics, options = {}) {
  const { fromBeginning = true, eachMessage, autoCommit = true, ...consumerOptions } = options
  const consumer = client(address).consumer({
    groupId: unique('kafkajs-group'),
    heartbeatInterval: 200,
    sessionTimeout: 10_000,
    rebalanceTimeout: 10_000,
    maxWaitTimeInMs: 200,
    allowAutoTopicCreation: false,
    ...consumerOptions,
  })
  defer(() => consumer.disconnect())
  const messages = []
  const assignments = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assignments.push(Object.values(payload.memberAssignment).flat())
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topics].flat(), fromBeginning })
  await consumer.run({
    autoCommit,
    eachMessage: async ({ topic, partition, message }) => {
      messages.push({ topic, partition, ...message })
      await eachMessage?.({ topic, partition, message, consumer })
    },
  })
  const received = count =>
    eventually(`${count} messages`, () => messages.length >= count && messages, {
      state: () => `(${messages.length} arrived)`,
    })
  return { consumer, messages, assignments, partitions: () => assignments.at(-1), received }
}
