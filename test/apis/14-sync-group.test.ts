import { expect, test } from 'vitest'
import { joinGroup } from '../../src/broker/apis/11-join-group.ts'
import { syncGroup } from '../../src/broker/apis/14-sync-group.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { groupPlace, joinAs, joinOf, stateOf, untilState } from '../support/group-requests.ts'
import { versionsOf } from '../support/requests.ts'

test('hands out what the leader has assigned, in every version', async () => {
  for (const version of versionsOf(syncGroup)) {
    const { client, groupId, open } = await groupPlace()
    const { memberId } = await joinAs(client, groupId)
    const other = await open()
    const joining = joinAs(other, groupId)
    await untilState(client, groupId, 'PreparingRebalance')
    const { generationId } = await client.call(joinGroup, 9, joinOf(groupId, { memberId }))
    const follower = await joining
    const request = { groupId, generationId, protocolType: 'consumer', protocolName: 'range' }
    const waiting = other.call(syncGroup, version, {
      ...request,
      memberId: follower.memberId,
      assignments: [],
    })
    const assignments = [
      { memberId, assignment: Buffer.from('mine') },
      { memberId: follower.memberId, assignment: Buffer.from('yours') },
    ]
    const named = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
    expect(await client.call(syncGroup, version, { ...request, memberId, assignments })).toMatchObject({
      errorCode: 0,
      assignment: Buffer.from('mine'),
      ...named,
    })
    expect(await waiting).toMatchObject({ errorCode: 0, assignment: Buffer.from('yours'), ...named })
    expect(await stateOf(client, groupId)).toBe('Stable')
  }
})

test('refuses whoever is not of this generation, and what it does not agree with', async () => {
  const { client, groupId } = await groupPlace()
  const { memberId, generationId } = await joinAs(client, groupId)
  const sync = async (draft: object, version = 5): Promise<string> => {
    const request = {
      groupId,
      generationId,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    }
    return errorName((await client.call(syncGroup, version, { ...request, ...draft })).errorCode)
  }
  expect(await sync({ groupId: '' })).toBe('INVALID_GROUP_ID')
  expect(await sync({ groupId: `${groupId}-other` })).toBe('UNKNOWN_MEMBER_ID')
  expect(await sync({ memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
  expect(await sync({ groupInstanceId: 'i' })).toBe('UNKNOWN_MEMBER_ID')
  expect(await sync({ generationId: generationId + 1 })).toBe('ILLEGAL_GENERATION')
  expect(await sync({ protocolType: 'connect' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(await sync({ protocolName: 'sticky' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(await sync({ protocolName: null })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(await sync({ protocolName: null }, 4)).toBe('NONE')
})
