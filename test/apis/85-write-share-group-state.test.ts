import { expect, test } from 'vitest'
import { readShareGroupState } from '../../src/broker/apis/84-read-share-group-state.ts'
import { writeShareGroupState } from '../../src/broker/apis/85-write-share-group-state.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { versionsOf } from '../support/requests.ts'
import { initialize, statePlace } from '../support/share-state-requests.ts'

test('keeps what became of records, in every version, and fences who is behind', async () => {
  for (const version of versionsOf(writeShareGroupState)) {
    const { client, groupId, topicId } = await statePlace()
    await initialize(client, groupId, topicId, 1, 0n)
    const write = async (
      startOffset: bigint,
      batch: [bigint, bigint, number, number],
      { leaderEpoch = 3, stateEpoch = 1, group = groupId } = {},
    ): Promise<string> => {
      const [firstOffset, lastOffset, deliveryState, deliveryCount] = batch
      const stateBatches = [{ firstOffset, lastOffset, deliveryState, deliveryCount }]
      const partitions = [{ partition: 0, stateEpoch, leaderEpoch, startOffset, stateBatches }]
      const { results } = await client.call(writeShareGroupState, version, {
        groupId: group,
        topics: [{ topicId, partitions }],
      })
      return errorName(results[0]!.partitions[0]!.errorCode)
    }
    const topics = [{ topicId, partitions: [{ partition: 0, leaderEpoch: 3 }] }]
    const read = async () =>
      (await client.call(readShareGroupState, 0, { groupId, topics })).results[0]!.partitions[0]!
    await read()
    expect(await write(0n, [0n, 9n, 2, 1])).toBe('NONE')
    expect(await write(4n, [10n, 19n, 0, 2])).toBe('NONE')
    expect(await write(0n, [0n, 9n, 2, 1], { leaderEpoch: 2 })).toBe('FENCED_LEADER_EPOCH')
    expect(await write(0n, [0n, 9n, 2, 1], { stateEpoch: 0 })).toBe('FENCED_STATE_EPOCH')
    expect(await write(0n, [0n, 9n, 2, 1], { group: `${groupId}-other` })).toBe('INVALID_REQUEST')
    expect(await read()).toMatchObject({
      stateEpoch: 1,
      startOffset: 4n,
      stateBatches: [
        { firstOffset: 4n, lastOffset: 9n, deliveryState: 2, deliveryCount: 1 },
        { firstOffset: 10n, lastOffset: 19n, deliveryState: 0, deliveryCount: 2 },
      ],
    })
  }
})
