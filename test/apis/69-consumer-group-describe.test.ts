import { expect, test } from 'vitest'
import { consumerGroupDescribe } from '../../src/broker/apis/69-consumer-group-describe.ts'
import { joinConsumers } from '../support/consumer-requests.ts'
import { groupPlace, joinAlone } from '../support/group-requests.ts'
import { makeTopic, uniqueName, versionsOf } from '../support/requests.ts'

test('shows a group, its epochs and its members, in every version', async () => {
  const { client, groupId } = await groupPlace()
  const { name, topicId } = await makeTopic(client, { partitions: 2 })
  await joinConsumers(client, groupId, 'a', [name], {
    instanceId: 'i1',
    rackId: 'r1',
    serverAssignor: 'range',
  })
  const assignment = { topicPartitions: [{ topicId, topicName: name, partitions: [0, 1] }] }
  for (const version of versionsOf(consumerGroupDescribe)) {
    const request = { groupIds: [groupId], includeAuthorizedOperations: true }
    expect(await client.call(consumerGroupDescribe, version, request)).toEqual({
      throttleTimeMs: 0,
      groups: [
        {
          errorCode: 0,
          errorMessage: null,
          groupId,
          groupState: 'Stable',
          groupEpoch: 2,
          assignmentEpoch: 2,
          assignorName: 'range',
          members: [
            {
              memberId: 'a',
              instanceId: 'i1',
              rackId: 'r1',
              memberEpoch: 2,
              clientId: 'wire-client',
              clientHost: '/127.0.0.1',
              subscribedTopicNames: [name],
              subscribedTopicRegex: '',
              assignment,
              targetAssignment: assignment,
              memberType: version === 0 ? -1 : 1,
            },
          ],
          // Read, delete, describe, describe configs and alter configs.
          authorizedOperations: 0b110101001000,
        },
      ],
    })
  }
})

test('says of each group that is none why it is not', async () => {
  const { client, groupId } = await groupPlace()
  await joinAlone(client, groupId)
  const other = uniqueName('group')
  const { groups } = await client.call(consumerGroupDescribe, 1, {
    groupIds: [groupId, other],
    includeAuthorizedOperations: true,
  })
  const found = groups.map(group => [
    group.groupId,
    group.errorCode,
    group.errorMessage,
    group.authorizedOperations,
  ])
  // Apache Kafka answers partition by partition of its coordinator.
  expect(found.toSorted()).toEqual(
    [
      [groupId, 69, `Group ${groupId} is not a consumer group.`, -2147483648],
      [other, 69, `Group ${other} not found.`, -2147483648],
    ].toSorted(),
  )
})
