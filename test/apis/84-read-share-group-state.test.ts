import { expect, test } from 'vitest'
import { readShareGroupState } from '../../src/broker/apis/84-read-share-group-state.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { strangeTopicId } from '../support/requests.ts'
import { statePlace } from '../support/share-state-requests.ts'

test('tells all of a share partition to its newest leader', async () => {
  const { client, groupId, topicId } = await statePlace()
  const read = async (leaderEpoch: number, group = groupId, id = topicId, partition = 0) => {
    const topics = [{ topicId: id, partitions: [{ partition, leaderEpoch }] }]
    const { results } = await client.call(readShareGroupState, 0, { groupId: group, topics })
    const answer = results[0]!.partitions[0]!
    return { ...answer, error: errorName(answer.errorCode) }
  }
  expect(await read(5)).toMatchObject({ error: 'NONE', stateEpoch: 0, startOffset: -1n, stateBatches: [] })
  expect((await read(4)).error).toBe('FENCED_LEADER_EPOCH')
  expect((await read(0, `${groupId}-other`)).error).toBe('INVALID_REQUEST')
  expect((await read(0, groupId, strangeTopicId)).error).toBe('INVALID_REQUEST')
  expect((await read(0, groupId, topicId, -1)).error).toBe('INVALID_REQUEST')
})
