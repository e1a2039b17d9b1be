import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { offsetForLeaderEpoch } from '../../src/broker/apis/23-offset-for-leader-epoch.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { batchOf, makeTopic, produceTo, uniqueName, versionsOf, type TestTopic } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

interface Ask {
  readonly version?: number
  readonly partition?: number
  readonly currentLeaderEpoch?: number
  readonly leaderEpoch?: number
}

async function endOf(client: WireClient, topic: string, ask: Ask = {}) {
  const { version = 4, partition = 0, currentLeaderEpoch = -1, leaderEpoch = 0 } = ask
  const answer = await client.call(offsetForLeaderEpoch, version, {
    topics: [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
  })
  return answer.topics[0]!.partitions[0]!
}

async function makeFilledTopic(client: WireClient): Promise<TestTopic> {
  const topic = await makeTopic(client, { partitions: 2 })
  await produceTo(client, topic, batchOf(['a', 'b', 'c']))
  return topic
}

test('tells where the current epoch ends, in every version', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  for (const version of versionsOf(offsetForLeaderEpoch)) {
    expect(await endOf(client, name, { version })).toMatchObject({
      errorCode: 0,
      leaderEpoch: 0,
      endOffset: 3n,
    })
  }
})

test('answers -1 for an epoch that is none, or yet to come', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  for (const leaderEpoch of [-1, 1, 7]) {
    expect(await endOf(client, name, { leaderEpoch })).toMatchObject({
      errorCode: 0,
      leaderEpoch: -1,
      endOffset: -1n,
    })
  }
})

test('knows the epoch of an empty partition', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  const asked = { partition: 1, currentLeaderEpoch: 0 }
  expect(await endOf(client, name, asked)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 0n })
})

test('checks the leader epoch that a client believes in', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  const answer = await endOf(client, name, { currentLeaderEpoch: 5 })
  expect(errorName(answer.errorCode)).toBe('UNKNOWN_LEADER_EPOCH')
})

test('answers UNKNOWN_TOPIC_OR_PARTITION for what is not there', async () => {
  const client = await connectToBroker()
  const { name } = await makeFilledTopic(client)
  for (const answer of [await endOf(client, name, { partition: 9 }), await endOf(client, uniqueName())]) {
    expect(errorName(answer.errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(answer).toMatchObject({ leaderEpoch: -1, endOffset: -1n })
  }
})

test('tells where the epochs before a restart ended', async () => {
  const disk = memoryDisk()
  const before = await startBroker({ disk })
  const topic = await makeFilledTopic(await connect(before.address))
  await before.stop()

  const client = await connect((await startBroker({ disk })).address)
  await produceTo(client, topic, batchOf(['d']))
  const of = (leaderEpoch: number) => endOf(client, topic.name, { leaderEpoch, currentLeaderEpoch: 1 })
  expect(await of(0)).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 3n })
  expect(await of(1)).toMatchObject({ errorCode: 0, leaderEpoch: 1, endOffset: 4n })
  const fenced = await endOf(client, topic.name, { currentLeaderEpoch: 0 })
  expect(errorName(fenced.errorCode)).toBe('FENCED_LEADER_EPOCH')
})
