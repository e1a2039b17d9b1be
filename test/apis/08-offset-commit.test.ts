import { expect, test } from 'vitest'
import { offsetCommit } from '../../src/broker/apis/08-offset-commit.ts'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { commitTo, groupPlace, joinAlone, joinAs } from '../support/group-requests.ts'
import { makeTopic, strangeTopicId, versionsOf } from '../support/requests.ts'

test('keeps an offset with its epoch and its metadata, in every version', async () => {
  const { client, groupId } = await groupPlace()
  const topic = await makeTopic(client)
  for (const version of versionsOf(offsetCommit)) {
    const committedOffset = BigInt(100 + version)
    expect(await commitTo(client, groupId, topic, { 0: committedOffset }, {}, version)).toEqual(['NONE'])
    const { groups } = await client.call(offsetFetch, 8, { groups: [{ groupId, topics: null }] })
    expect(groups[0]!.topics).toMatchObject([
      {
        name: topic.name,
        partitions: [
          {
            partitionIndex: 0,
            committedOffset,
            committedLeaderEpoch: version >= 6 ? 0 : -1,
            metadata: 'note',
            errorCode: 0,
          },
        ],
      },
    ])
  }
})

test('refuses partitions that are not there, one by one', async () => {
  const { client, groupId } = await groupPlace()
  const topic = await makeTopic(client, { partitions: 2 })
  expect(await commitTo(client, groupId, topic, { 1: 1n, 2: 1n })).toEqual([
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])
  const nowhere = { name: 'nowhere', topicId: strangeTopicId }
  expect(await commitTo(client, groupId, nowhere, { 0: 1n })).toEqual(['UNKNOWN_TOPIC_OR_PARTITION'])
  expect(await commitTo(client, groupId, nowhere, { 0: 1n }, {}, 10)).toEqual(['UNKNOWN_TOPIC_ID'])
})

test('refuses metadata of more than 4096 characters', async () => {
  const { client, groupId } = await groupPlace()
  const { name } = await makeTopic(client)
  const commit = async (committedMetadata: string | null): Promise<string> => {
    const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata }]
    const { topics } = await client.call(offsetCommit, 9, {
      groupId,
      memberId: '',
      topics: [{ name, partitions }],
    })
    return errorName(topics[0]!.partitions[0]!.errorCode)
  }
  expect(await commit('x'.repeat(4_096))).toBe('NONE')
  expect(await commit('ü'.repeat(4_096))).toBe('NONE')
  expect(await commit('x'.repeat(4_097))).toBe('OFFSET_METADATA_TOO_LARGE')
  expect(await commit(null)).toBe('NONE')
})

test('takes from members what they may say, in every version', async () => {
  const { client, groupId } = await groupPlace()
  const topic = await makeTopic(client)
  const { memberId, generationId } = await joinAlone(client, groupId)
  for (const version of versionsOf(offsetCommit)) {
    const commit = (draft: object, group = groupId): Promise<string[]> =>
      commitTo(
        client,
        group,
        topic,
        { 0: 1n },
        { memberId, generationIdOrMemberEpoch: generationId, ...draft },
        version,
      )
    expect(await commit({})).toEqual(['NONE'])
    expect(await commit({ generationIdOrMemberEpoch: generationId + 1 })).toEqual(['ILLEGAL_GENERATION'])
    expect(await commit({ memberId: 'nobody' })).toEqual(['UNKNOWN_MEMBER_ID'])
    expect(await commit({ memberId: '', generationIdOrMemberEpoch: -1 })).toEqual(['UNKNOWN_MEMBER_ID'])
    const notThere = version >= 9 ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
    expect(await commit({}, `${groupId}-other`)).toEqual([notThere])
  }
})

test('is told of a rebalance while the leader assigns', async () => {
  const { client, groupId } = await groupPlace()
  const topic = await makeTopic(client)
  const { memberId, generationId } = await joinAs(client, groupId)
  const draft = { memberId, generationIdOrMemberEpoch: generationId }
  expect(await commitTo(client, groupId, topic, { 0: 1n }, draft)).toEqual(['REBALANCE_IN_PROGRESS'])
})

test('serves the group without a name, as Kafka does for old consumers', async () => {
  const { client } = await groupPlace()
  const topic = await makeTopic(client)
  expect(await commitTo(client, '', topic, { 0: 7n })).toEqual(['NONE'])
  const topics = [{ name: topic.name, partitionIndexes: [0] }]
  const { groups } = await client.call(offsetFetch, 8, { groups: [{ groupId: '', topics }] })
  expect(groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(7n)
})
