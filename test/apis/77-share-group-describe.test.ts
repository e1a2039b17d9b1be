import { expect, test } from 'vitest'
import { shareGroupDescribe } from '../../src/broker/apis/77-share-group-describe.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { beat, joinShare, sharePlace } from '../support/share-requests.ts'

test('tells who is in a group and what each reads, and of no group that is not there', async () => {
  const { client, groupId, topic } = await sharePlace([], { partitions: 2 })
  await joinShare(client, groupId, 'a', [topic])
  const groupIds = [groupId, `${groupId}-other`]
  const { groups } = await client.call(shareGroupDescribe, 1, {
    groupIds,
    includeAuthorizedOperations: false,
  })
  const [found, missing] = groupIds.map(id => groups.find(group => group.groupId === id)!)
  expect(found).toMatchObject({
    errorCode: 0,
    groupState: 'Stable',
    assignorName: 'simple',
    authorizedOperations: -2147483648,
    members: [
      {
        memberId: 'a',
        clientHost: '/127.0.0.1',
        subscribedTopicNames: [topic.name],
        assignment: {
          topicPartitions: [{ topicId: topic.topicId, topicName: topic.name, partitions: [0, 1] }],
        },
      },
    ],
  })
  expect(found!.assignmentEpoch).toBe(found!.groupEpoch)
  expect(errorName(missing!.errorCode)).toBe('GROUP_ID_NOT_FOUND')
  await beat(client, groupId, 'a', -1)
  const empty = await client.call(shareGroupDescribe, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: true,
  })
  expect(empty.groups[0]).toMatchObject({ groupState: 'Empty', members: [] })
  expect(empty.groups[0]!.authorizedOperations).toBeGreaterThan(0)
})
