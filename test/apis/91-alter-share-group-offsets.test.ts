import { expect, test } from 'vitest'
import { alterShareGroupOffsets } from '../../src/broker/apis/91-alter-share-group-offsets.ts'
import { acknowledgeTypes } from '../../src/groups/share/acknowledgement.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { beat, joinShare, ShareReader, sharePlace } from '../support/share-requests.ts'

test('lets an empty or a new group go on from other offsets, and no other', async () => {
  const place = await sharePlace([['a'], ['b'], ['c']])
  const { client, groupId, topic } = place
  const alter = async (startOffset: bigint, group = groupId) => {
    const topics = [
      {
        topicName: topic.name,
        partitions: [
          { partitionIndex: 0, startOffset },
          { partitionIndex: 7, startOffset },
        ],
      },
      { topicName: `${topic.name}-other`, partitions: [{ partitionIndex: 0, startOffset }] },
    ]
    const answer = await client.call(alterShareGroupOffsets, 0, { groupId: group, topics })
    const partitions = answer.responses.flatMap(({ partitions }) => partitions)
    return [errorName(answer.errorCode), ...partitions.map(({ errorCode }) => errorName(errorCode)).sort()]
  }
  await joinShare(client, groupId, 'm', [topic])
  expect((await alter(1n))[0]).toBe('NON_EMPTY_GROUP')
  expect((await alter(1n, `${groupId}-other`))[0]).toBe('NONE')
  const member = new ShareReader(client, place, 'm')
  await member.take()
  expect(await member.acknowledge([[0, 2, acknowledgeTypes.accept]], { epoch: 1 })).toBe('NONE')
  await beat(client, groupId, 'm', -1)
  expect(await alter(1n)).toEqual([
    'NONE',
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])

  await joinShare(client, groupId, 'n', [topic])
  const next = new ShareReader(client, place, 'n')
  expect((await next.take()).acquired).toEqual([[1, 2, 1]])
})
