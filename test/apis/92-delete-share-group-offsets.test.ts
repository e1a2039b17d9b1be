import { expect, test } from 'vitest'
import { deleteGroups } from '../../src/broker/apis/42-delete-groups.ts'
import { describeShareGroupOffsets } from '../../src/broker/apis/90-describe-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../src/broker/apis/92-delete-share-group-offsets.ts'
import { acknowledgeTypes } from '../../src/groups/share/acknowledgement.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { beat, joinShare, ShareReader, sharePlace } from '../support/share-requests.ts'

test('lets an empty group begin again, and no other group; with the group its offsets go', async () => {
  const place = await sharePlace([['a'], ['b']])
  const { client, groupId, topic } = place
  const remove = async (group = groupId) => {
    const topics = [{ topicName: topic.name }, { topicName: `${topic.name}-other` }]
    const answer = await client.call(deleteShareGroupOffsets, 0, { groupId: group, topics })
    const errors = new Map(
      answer.responses.map(({ topicName, errorCode }) => [topicName, errorName(errorCode)]),
    )
    return [errorName(answer.errorCode), ...topics.map(({ topicName }) => errors.get(topicName))]
  }
  await joinShare(client, groupId, 'm', [topic])
  expect((await remove())[0]).toBe('NON_EMPTY_GROUP')
  expect((await remove(`${groupId}-other`))[0]).toBe('GROUP_ID_NOT_FOUND')
  const member = new ShareReader(client, place, 'm')
  await member.take()
  expect(await member.acknowledge([[0, 1, acknowledgeTypes.accept]])).toBe('NONE')
  await beat(client, groupId, 'm', -1)
  expect(await remove()).toEqual(['NONE', 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
  const { groups } = await client.call(describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
  expect(groups[0]!.topics).toEqual([])

  await joinShare(client, groupId, 'n', [topic])
  const next = new ShareReader(client, place, 'n')
  expect((await next.take()).acquired).toEqual([[0, 1, 1]])
  await beat(client, groupId, 'n', -1)
  const { results } = await client.call(deleteGroups, 2, { groupsNames: [groupId] })
  expect(errorName(results[0]!.errorCode)).toBe('NONE')
})

test('says why it deletes nothing in the words that tools show', async () => {
  const { client, groupId, topic } = await sharePlace([['a']])
  const remove = async (group: string, topicName: string) => {
    const answer = await client.call(deleteShareGroupOffsets, 0, { groupId: group, topics: [{ topicName }] })
    const failed = [answer, ...answer.responses].filter(({ errorCode }) => errorCode !== 0)
    return failed.map(({ errorCode, errorMessage }) => `${errorName(errorCode)}: ${errorMessage}`)
  }
  const other = `${groupId}-other`
  expect(await remove(other, topic.name)).toEqual([`GROUP_ID_NOT_FOUND: Group ${other} not found.`])
  await joinShare(client, groupId, 'm', [topic])
  expect(await remove(groupId, topic.name)).toEqual(['NON_EMPTY_GROUP: The group is not empty.'])
  await beat(client, groupId, 'm', -1)
  expect(await remove(groupId, topic.name)).toEqual([])
  expect(await remove(groupId, topic.name)).toEqual([
    'UNKNOWN_TOPIC_OR_PARTITION: There is no offset information to delete.',
  ])
  expect(await remove(groupId, `${topic.name}-other`)).toEqual([
    'UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition.',
  ])
})
