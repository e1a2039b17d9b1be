import { expect, test } from 'vitest'
import { readShareGroupStateSummary } from '../../src/broker/apis/87-read-share-group-state-summary.ts'
import { versionsOf } from '../support/requests.ts'
import { initialize, statePlace } from '../support/share-state-requests.ts'

test('tells where a share partition begins, in every version; -1 where nobody knows', async () => {
  for (const version of versionsOf(readShareGroupStateSummary)) {
    const { client, groupId, topicId } = await statePlace()
    const ask = async (group: string) => {
      const topics = [{ topicId, partitions: [{ partition: 0, leaderEpoch: 0 }] }]
      const { results } = await client.call(readShareGroupStateSummary, version, { groupId: group, topics })
      return results[0]!.partitions[0]!
    }
    expect(await ask(groupId)).toMatchObject({ errorCode: 0, stateEpoch: 0, startOffset: -1n })
    expect(await ask(`${groupId}-other`)).toMatchObject({ errorCode: 0, startOffset: -1n })
    await initialize(client, groupId, topicId, 4, 12n)
    expect(await ask(groupId)).toMatchObject({ errorCode: 0, stateEpoch: 4, startOffset: 12n })
  }
})
