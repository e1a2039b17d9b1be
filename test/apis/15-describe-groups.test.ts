import { expect, test } from 'vitest'
import { describeGroups } from '../../src/broker/apis/15-describe-groups.ts'
import { groupPlace, joinAlone, joinAs } from '../support/group-requests.ts'
import { subscription } from '../support/group-scene.ts'
import { versionsOf } from '../support/requests.ts'

test('shows a stable group and its members, in every version', async () => {
  const { client, groupId } = await groupPlace()
  const { memberId } = await joinAlone(client, groupId, { groupInstanceId: 'i1' })
  for (const version of versionsOf(describeGroups)) {
    const request = { groups: [groupId], includeAuthorizedOperations: version >= 3 }
    const { groups } = await client.call(describeGroups, version, request)
    expect(groups).toEqual([
      {
        errorCode: 0,
        errorMessage: null,
        groupId,
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        members: [
          {
            memberId,
            groupInstanceId: version >= 4 ? 'i1' : null,
            clientId: 'wire-client',
            clientHost: '/127.0.0.1',
            memberMetadata: subscription('orders'),
            memberAssignment: Buffer.from('all'),
          },
        ],
        // Read, delete, describe, describe configs and alter configs.
        authorizedOperations: version >= 3 ? 0b110101001000 : -2147483648,
      },
    ])
  }
})

test('shows no metadata before the leader has assigned', async () => {
  const { client, groupId } = await groupPlace()
  await joinAs(client, groupId)
  const { groups } = await client.call(describeGroups, 6, { groups: [groupId] })
  expect(groups[0]).toMatchObject({
    groupState: 'CompletingRebalance',
    protocolType: 'consumer',
    protocolData: '',
    members: [{ memberMetadata: Buffer.alloc(0), memberAssignment: Buffer.alloc(0) }],
    authorizedOperations: -2147483648,
  })
})

test('says of a group that is not there that it is Dead, and from version 6 on that it was not found', async () => {
  const { client, groupId } = await groupPlace()
  for (const version of versionsOf(describeGroups)) {
    const { groups } = await client.call(describeGroups, version, {
      groups: [groupId],
      includeAuthorizedOperations: version >= 3,
    })
    expect(groups.map(group => group.groupState)).toEqual(['Dead'])
    expect(groups[0]).toMatchObject(
      version >= 6
        ? { errorCode: 69, errorMessage: `Group ${groupId} not found.`, authorizedOperations: -2147483648 }
        : { errorCode: 0, errorMessage: null },
    )
  }
})
