import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { listOffsets } from '../../src/broker/apis/02-list-offsets.ts'
import { metadata } from '../../src/broker/apis/03-metadata.ts'
import { errorCodes, errorName } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import { hold } from './hold.ts'
import { nameOf, type KnownTopic, type TopicLedger } from './topic-ledger.ts'
import type { Caller } from './world.ts'

/** Holds all topics that there are, and all that they hold, against what was promised. Nobody else is at work meanwhile. */
export async function checkTopics(caller: Caller, ledger: TopicLedger): Promise<void> {
  const { topics } = await caller.call(metadata, 13, { topics: null, allowAutoTopicCreation: false })
  const found = new Map(topics.map(topic => [topic.topicId, topic]))
  for (const topic of ledger.all()) {
    const isFound = found.has(topic.topicId)
    hold(isFound || topic.state !== 'there', () => `topic ${topic.name} is gone`)
    hold(!isFound || topic.state !== 'gone', () => `topic ${topic.name} is back`)
    topic.state = isFound ? 'there' : 'gone'
  }
  // Those whose making was never answered.
  for (const { name, topicId, partitions } of topics) {
    if (/^topic\d/.test(name!)) ledger.add(name!, topicId, partitions.length)
  }
  for (const topic of ledger.there()) await checkTopic(caller, topic)
}

async function checkTopic(caller: Caller, topic: KnownTopic): Promise<void> {
  const starts = await offsetsOf(caller, topic, -2n)
  const ends = await offsetsOf(caller, topic, -1n)
  for (const [index, ledger] of topic.partitions.entries()) {
    ledger.toldStart(starts[index]!)
    ledger.told(ends[index]!)
    const values = await valuesOf(caller, topic, index, starts[index]!, ends[index]!)
    ledger.verify(starts[index]!, ends[index]!, values)
  }
}

async function offsetsOf(
  caller: Caller,
  { name, partitions }: KnownTopic,
  timestamp: bigint,
): Promise<bigint[]> {
  const asked = partitions.map((_, partitionIndex) => ({ partitionIndex, timestamp }))
  const request = { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions: asked }] }
  const { topics } = await caller.call(listOffsets, 7, request)
  return topics[0]!.partitions.map(({ errorCode, offset }) => {
    hold(errorCode === errorCodes.NONE, () => `the offsets of ${name} are refused: ${errorName(errorCode)}`)
    return offset
  })
}

async function valuesOf(
  caller: Caller,
  { name, topicId }: KnownTopic,
  partition: number,
  start: bigint,
  end: bigint,
): Promise<string[]> {
  const values: string[] = []
  for (let fetchOffset = start; fetchOffset < end;) {
    const partitions = [{ partition, fetchOffset, logStartOffset: -1n, partitionMaxBytes: 1_000_000 }]
    const answer = await caller.call(fetch, 17, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: name, topicId, partitions }],
      forgottenTopicsData: [],
    })
    const { errorCode, records } = answer.responses[0]!.partitions[0]!
    hold(errorCode === errorCodes.NONE, () => `${name}-${partition} cannot be read: ${errorName(errorCode)}`)
    const before = fetchOffset
    for (const batch of batchesIn(records!)) {
      hold(
        batch.isSound,
        () => `${name}-${partition} has a batch with a wrong checksum at ${batch.baseOffset}`,
      )
      for (const { offset, value } of readRecords(batch)) {
        if (offset < fetchOffset) continue
        hold(offset === fetchOffset, () => `${name}-${partition} goes on at ${offset}, not at ${fetchOffset}`)
        values.push(nameOf(value))
        fetchOffset = offset + 1n
      }
    }
    hold(fetchOffset > before, () => `${name}-${partition} gives nothing from ${before}, and ends at ${end}`)
  }
  return values
}
