import { expect, test } from 'vitest'
import { heartbeat } from '../../src/broker/apis/12-heartbeat.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { groupPlace, joinAlone, joinAs, untilState } from '../support/group-requests.ts'
import { versionsOf } from '../support/requests.ts'

test('keeps a member of the generation, in every version, and nobody else', async () => {
  const { client, groupId } = await groupPlace()
  const { memberId, generationId } = await joinAlone(client, groupId)
  for (const version of versionsOf(heartbeat)) {
    const beat = async (draft: object): Promise<string> => {
      const request = { groupId, memberId, generationId, ...draft }
      return errorName((await client.call(heartbeat, version, request)).errorCode)
    }
    expect(await beat({})).toBe('NONE')
    expect(await beat({ generationId: generationId + 1 })).toBe('ILLEGAL_GENERATION')
    expect(await beat({ memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat({ memberId: '' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat({ groupId: `${groupId}-other` })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat({ groupId: '' })).toBe('INVALID_GROUP_ID')
    if (version >= 3) expect(await beat({ groupInstanceId: 'i' })).toBe('UNKNOWN_MEMBER_ID')
  }
})

test('tells of a rebalance, and fences a static member that was replaced', async () => {
  const { client, groupId, open } = await groupPlace()
  const groupInstanceId = 'i1'
  const old = await joinAlone(client, groupId, { groupInstanceId })
  const current = await joinAs(client, groupId, { groupInstanceId })
  const fenced = await client.call(heartbeat, 4, { groupId, groupInstanceId, ...old })
  expect(errorName(fenced.errorCode)).toBe('FENCED_INSTANCE_ID')

  const joining = joinAs(await open(), groupId)
  joining.catch(() => {})
  await untilState(client, groupId, 'PreparingRebalance')
  const { memberId, generationId } = current
  const told = await client.call(heartbeat, 4, { groupId, groupInstanceId, memberId, generationId })
  expect(errorName(told.errorCode)).toBe('REBALANCE_IN_PROGRESS')
})
