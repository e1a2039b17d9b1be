import { expect, test } from 'vitest'
import { readShareGroupState } from '../../src/broker/apis/84-read-share-group-state.ts'
import { deleteShareGroupState } from '../../src/broker/apis/86-delete-share-group-state.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { statePlace } from '../support/share-state-requests.ts'

test('forgets a share partition, also one that it does not know', async () => {
  const { client, groupId, topicId } = await statePlace()
  for (let time = 0; time < 2; time++) {
    const { results } = await client.call(deleteShareGroupState, 0, {
      groupId,
      topics: [{ topicId, partitions: [{ partition: 0 }] }],
    })
    expect(results[0]!.partitions).toMatchObject([{ partition: 0, errorCode: 0 }])
  }
  const topics = [{ topicId, partitions: [{ partition: 0, leaderEpoch: 0 }] }]
  const { results } = await client.call(readShareGroupState, 0, { groupId, topics })
  expect(errorName(results[0]!.partitions[0]!.errorCode)).toBe('INVALID_REQUEST')
})
