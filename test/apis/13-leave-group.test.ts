import { expect, test } from 'vitest'
import { leaveGroup } from '../../src/broker/apis/13-leave-group.ts'
import { joinGroup } from '../../src/broker/apis/11-join-group.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { groupPlace, joinAlone, joinOf, stateOf } from '../support/group-requests.ts'
import { versionsOf } from '../support/requests.ts'

test('lets a member go, in every version, and nobody else', async () => {
  const { client, groupId } = await groupPlace()
  for (const version of versionsOf(leaveGroup)) {
    const { memberId } = await joinAlone(client, groupId)
    const leave = async (who: string, group = groupId): Promise<string[]> => {
      const request =
        version < 3 ? { groupId: group, memberId: who } : { groupId: group, members: [{ memberId: who }] }
      const { errorCode, members } = await client.call(leaveGroup, version, request)
      return [errorCode, ...members.map(member => member.errorCode)].map(errorName)
    }
    const unknown = version < 3 ? ['UNKNOWN_MEMBER_ID'] : ['NONE', 'UNKNOWN_MEMBER_ID']
    expect(await leave('nobody')).toEqual(unknown)
    expect(await leave('nobody', `${groupId}-other`)).toEqual(unknown)
    expect(await leave('nobody', '')).toEqual(['INVALID_GROUP_ID'])
    expect(await stateOf(client, groupId)).toBe('Stable')
    expect(await leave(memberId)).toEqual(version < 3 ? ['NONE'] : ['NONE', 'NONE'])
    expect(await stateOf(client, groupId)).toBe('Empty')
  }
})

test('lets several go, also by instance id alone or before they have joined, each with a result', async () => {
  const { client, groupId } = await groupPlace()
  await joinAlone(client, groupId, { groupInstanceId: 'i1' })
  const pending = await client.call(joinGroup, 9, joinOf(groupId))
  const { errorCode, members } = await client.call(leaveGroup, 5, {
    groupId,
    members: [
      { memberId: '', groupInstanceId: 'i2' },
      { memberId: pending.memberId, reason: 'changed my mind' },
      { memberId: 'nobody', groupInstanceId: 'i1' },
      { memberId: '', groupInstanceId: 'i1' },
    ],
  })
  expect(errorCode).toBe(0)
  expect(
    members.map(({ memberId, groupInstanceId, errorCode }) => [
      memberId,
      groupInstanceId,
      errorName(errorCode),
    ]),
  ).toEqual([
    ['', 'i2', 'UNKNOWN_MEMBER_ID'],
    [pending.memberId, null, 'NONE'],
    ['nobody', 'i1', 'FENCED_INSTANCE_ID'],
    ['', 'i1', 'NONE'],
  ])
  expect(await stateOf(client, groupId)).toBe('Empty')
})
