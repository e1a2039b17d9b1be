import { expect, test } from 'vitest'
import { describeShareGroupOffsets } from '../../src/broker/apis/90-describe-share-group-offsets.ts'
import { acknowledgeTypes } from '../../src/groups/share/acknowledgement.ts'
import { eventually, versionsOf } from '../support/requests.ts'
import { joinShare, ShareReader, sharePlace } from '../support/share-requests.ts'

test('tells where a group begins and what is left to do, in every version', async () => {
  for (const version of versionsOf(describeShareGroupOffsets)) {
    const place = await sharePlace([['a', 'b', 'c', 'd']])
    const { client, groupId, topic } = place
    await joinShare(client, groupId, 'm', [topic])
    const member = new ShareReader(client, place, 'm')
    await member.take()
    expect(await member.acknowledge([[2, 2, acknowledgeTypes.accept]])).toBe('NONE')
    for (const topics of [null, [{ topicName: topic.name, partitions: [0] }]]) {
      const ask = async () =>
        (await client.call(describeShareGroupOffsets, version, { groups: [{ groupId, topics }] })).groups[0]!
      const described = await eventually(ask, ({ topics }) => topics[0]!.partitions[0]!.startOffset === 0n)
      expect(described).toMatchObject({
        errorCode: 0,
        topics: [
          {
            topicName: topic.name,
            topicId: topic.topicId,
            partitions: [{ partitionIndex: 0, startOffset: 0n, errorCode: 0 }],
          },
        ],
      })
      if (version >= 1) expect(described.topics[0]!.partitions[0]!.lag).toBe(3n)
    }
  }
})

test('says -1 of what nobody has read, be it not there', async () => {
  const { client, groupId, topic } = await sharePlace()
  const other = `${groupId}-other`
  const groups = [
    { groupId: other, topics: [{ topicName: topic.name, partitions: [0, 7] }] },
    { groupId, topics: [{ topicName: `${topic.name}-other`, partitions: [0] }] },
  ]
  const answer = await client.call(describeShareGroupOffsets, 1, { groups })
  const partitions = answer.groups.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions))
  expect(partitions.map(({ startOffset, lag, errorCode }) => [startOffset, lag, errorCode])).toEqual(
    Array.from({ length: 3 }, () => [-1n, -1n, 0]),
  )
  const all = await client.call(describeShareGroupOffsets, 1, { groups: [{ groupId: other, topics: null }] })
  expect(all.groups).toMatchObject([{ groupId: other, errorCode: 0, topics: [] }])
})
