import { expect, test } from 'vitest'
import { joinGroup } from '../../src/broker/apis/11-join-group.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { groupPlace, joinAs, joinOf, untilState } from '../support/group-requests.ts'
import { subscription } from '../support/group-scene.ts'
import { versionsOf } from '../support/requests.ts'

test('lets a member in, in every version', async () => {
  for (const version of versionsOf(joinGroup)) {
    const { client, groupId } = await groupPlace()
    const first = await client.call(joinGroup, version, joinOf(groupId))
    expect(first.memberId).toMatch(/^wire-client-[0-9a-f-]{36}$/)
    if (version >= 4) {
      expect(first).toMatchObject({ generationId: -1, leader: '', members: [] })
      expect(errorName(first.errorCode)).toBe('MEMBER_ID_REQUIRED')
    }
    const { memberId } = first
    const joined = version >= 4 ? await client.call(joinGroup, version, joinOf(groupId, { memberId })) : first
    expect(joined).toMatchObject({
      errorCode: 0,
      generationId: 1,
      protocolType: version >= 7 ? 'consumer' : null,
      protocolName: 'range',
      leader: memberId,
      skipAssignment: false,
      memberId,
      members: [{ memberId, groupInstanceId: null, metadata: subscription('orders') }],
    })
  }
})

test('waits for the members of the last generation, and tells the roster to the leader alone', async () => {
  const { client, groupId, open } = await groupPlace()
  const { memberId } = await joinAs(client, groupId)
  const other = await open()
  const joining = joinAs(other, groupId)
  await untilState(client, groupId, 'PreparingRebalance')
  const leader = await client.call(joinGroup, 9, joinOf(groupId, { memberId }))
  const follower = await joining
  expect(leader).toMatchObject({ errorCode: 0, generationId: 2, leader: memberId, memberId })
  expect(leader.members.map(member => member.memberId).sort()).toEqual([memberId, follower.memberId].sort())
  expect(follower).toMatchObject({ errorCode: 0, generationId: 2, leader: memberId, members: [] })
})

test('keeps other requests of the connection waiting behind it', async () => {
  const { client, groupId, open } = await groupPlace()
  const { memberId } = await joinAs(client, groupId)
  const other = await open()
  const answered: string[] = []
  const joining = joinAs(other, groupId).then(() => void answered.push('join'))
  await untilState(client, groupId, 'PreparingRebalance')
  const describing = untilState(other, groupId, 'CompletingRebalance').then(
    () => void answered.push('describe'),
  )
  await client.call(joinGroup, 9, joinOf(groupId, { memberId }))
  await Promise.all([joining, describing])
  expect(answered).toEqual(['join', 'describe'])
})

test.each([
  ['no group id', { groupId: '' }, 'INVALID_GROUP_ID'],
  ['a session that is too short', { sessionTimeoutMs: 5_999 }, 'INVALID_SESSION_TIMEOUT'],
  ['a session that is too long', { sessionTimeoutMs: 1_800_001 }, 'INVALID_SESSION_TIMEOUT'],
  ['no protocols', { protocols: [] }, 'INCONSISTENT_GROUP_PROTOCOL'],
  ['no protocol type', { protocolType: '' }, 'INCONSISTENT_GROUP_PROTOCOL'],
  ['an id that nobody gave out', { memberId: 'mine' }, 'UNKNOWN_MEMBER_ID'],
])('refuses %s, in every version, and echoes the member id', async (_name, draft, error) => {
  const { client, groupId } = await groupPlace()
  for (const version of versionsOf(joinGroup)) {
    const answer = await client.call(joinGroup, version, joinOf(groupId, draft))
    expect(errorName(answer.errorCode)).toBe(error)
    expect(answer).toMatchObject({ generationId: -1, leader: '', members: [] })
    expect(answer.memberId).toBe('memberId' in draft ? draft.memberId : '')
  }
})

test('refuses protocols that the members do not know, and other types', async () => {
  const { client, groupId, open } = await groupPlace()
  await joinAs(client, groupId)
  const other = await open()
  for (const draft of [
    { protocolType: 'connect' },
    { protocols: [{ name: 'mine', metadata: Buffer.alloc(0) }] },
  ]) {
    expect(errorName((await joinAs(other, groupId, draft)).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
  }
})

test('gives a static member a new id and its place in the generation back', async () => {
  const { client, groupId, open } = await groupPlace()
  const groupInstanceId = 'i1'
  for (const version of [5, 8, 9]) {
    const joined = await joinAs(client, `${groupId}-${version}`, { groupInstanceId }, version)
    expect(joined).toMatchObject({ errorCode: 0, leader: joined.memberId })
    expect(joined.members[0]!.groupInstanceId).toBe(groupInstanceId)
    expect(joined.memberId).toMatch(/^i1-/)
  }
  const zombie = await open()
  const back = await joinAs(zombie, `${groupId}-9`, { groupInstanceId })
  // While the leader has not assigned, the new id needs a generation that knows it.
  expect(back).toMatchObject({ errorCode: 0, generationId: 2 })
})
