import { expect, test } from 'vitest'
import { readShareGroupState } from '../../src/broker/apis/84-read-share-group-state.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { strangeTopicId } from '../support/requests.ts'
import { initialize, statePlace } from '../support/share-state-requests.ts'

test('begins a share partition anew, never with an older state epoch', async () => {
  const { client, groupId, topicId } = await statePlace()
  const begin = async (stateEpoch: number, startOffset: bigint): Promise<string> =>
    errorName(await initialize(client, groupId, topicId, stateEpoch, startOffset))
  expect(await begin(2, 7n)).toBe('NONE')
  expect(await begin(1, 3n)).toBe('FENCED_STATE_EPOCH')
  const { results } = await client.call(readShareGroupState, 0, {
    groupId,
    topics: [{ topicId, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  })
  expect(results[0]!.partitions[0]).toMatchObject({
    errorCode: 0,
    stateEpoch: 2,
    startOffset: 7n,
    stateBatches: [],
  })
})

test('knows only partitions that are there', async () => {
  const { client, groupId, topicId } = await statePlace()
  const begin = async (id: string, partition: number): Promise<string> =>
    errorName(await initialize(client, groupId, id, 0, -1n, partition))
  expect(await begin(strangeTopicId, 0)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await begin(topicId, 5)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await begin(topicId, -1)).toBe('INVALID_REQUEST')
})
