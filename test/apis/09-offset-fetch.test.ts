import { expect, test } from 'vitest'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { commitTo, groupPlace } from '../support/group-requests.ts'
import { makeTopic, strangeTopicId, versionsOf } from '../support/requests.ts'

test('tells what was committed and what was not, in every version', async () => {
  const { client, groupId } = await groupPlace()
  const { name, topicId } = await makeTopic(client, { partitions: 2 })
  await commitTo(client, groupId, { name, topicId }, { 0: 5n })
  for (const version of versionsOf(offsetFetch)) {
    const asked = [{ name, topicId, partitionIndexes: [0, 1] }]
    const answer = await client.call(
      offsetFetch,
      version,
      version >= 8 ? { groups: [{ groupId, topics: asked }] } : { groupId, topics: asked },
    )
    const { topics, errorCode } = version >= 8 ? answer.groups[0]! : answer
    expect(errorCode).toBe(0)
    const hasEpoch = version >= 5
    expect(topics).toEqual([
      {
        ...(version >= 8 ? { topicId: version >= 10 ? topicId : 'A'.repeat(22) } : {}),
        name: version >= 10 ? '' : name,
        partitions: [
          {
            partitionIndex: 0,
            committedOffset: 5n,
            committedLeaderEpoch: hasEpoch ? 0 : -1,
            metadata: 'note',
            errorCode: 0,
          },
          { partitionIndex: 1, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode: 0 },
        ],
      },
    ])
  }
})

test('tells everything that a group has when no topics are named', async () => {
  const { client, groupId } = await groupPlace()
  const topic = await makeTopic(client, { partitions: 3 })
  await commitTo(client, groupId, topic, { 0: 5n, 2: 6n })
  for (const version of versionsOf(offsetFetch).filter(version => version >= 2)) {
    const answer = await client.call(
      offsetFetch,
      version,
      version >= 8 ? { groups: [{ groupId, topics: null }] } : { groupId, topics: null },
    )
    const { topics } = version >= 8 ? answer.groups[0]! : answer
    expect(topics).toHaveLength(1)
    const offsets = topics[0]!.partitions.map(({ partitionIndex, committedOffset }) => [
      partitionIndex,
      committedOffset,
    ])
    expect(offsets.sort()).toEqual([
      [0, 5n],
      [2, 6n],
    ])
  }
})

test('answers several groups at once, also such that are not there', async () => {
  const { client, groupId } = await groupPlace()
  const topic = await makeTopic(client)
  const other = `${groupId}-other`
  await commitTo(client, groupId, topic, { 0: 5n })
  await commitTo(client, other, topic, { 0: 6n })
  const names = [other, `${groupId}-nobody`, groupId]
  const topics = [{ name: topic.name, partitionIndexes: [0] }]
  const { groups } = await client.call(offsetFetch, 9, {
    groups: names.map(groupId => ({ groupId, topics })),
    requireStable: true,
  })
  const offsets = new Map(
    groups.map(group => [group.groupId, group.topics[0]!.partitions[0]!.committedOffset]),
  )
  expect(names.map(name => offsets.get(name))).toEqual([6n, -1n, 5n])
})

test('knows no topic by an id that is nobody’s, and any by its name', async () => {
  const { client, groupId } = await groupPlace()
  const byId = await client.call(offsetFetch, 10, {
    groups: [{ groupId, topics: [{ topicId: strangeTopicId, partitionIndexes: [3] }] }],
  })
  expect(byId.groups).toMatchObject([
    {
      errorCode: 0,
      topics: [
        {
          topicId: strangeTopicId,
          partitions: [
            {
              partitionIndex: 3,
              committedOffset: -1n,
              committedLeaderEpoch: -1,
              metadata: '',
              errorCode: 100,
            },
          ],
        },
      ],
    },
  ])
  const byName = await client.call(offsetFetch, 9, {
    groups: [{ groupId, topics: [{ name: 'nowhere', partitionIndexes: [3] }] }],
  })
  expect(byName.groups[0]!.topics[0]!.partitions).toMatchObject([{ committedOffset: -1n, errorCode: 0 }])
})
