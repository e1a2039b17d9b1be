import { expect, test } from 'vitest'
import { listGroups } from '../../src/broker/apis/16-list-groups.ts'
import { commitTo, groupPlace, joinAlone } from '../support/group-requests.ts'
import { makeTopic, versionsOf } from '../support/requests.ts'

test('lists groups with what each version has room for', async () => {
  const { client, groupId } = await groupPlace()
  await joinAlone(client, groupId)
  for (const version of versionsOf(listGroups)) {
    const { errorCode, groups } = await client.call(listGroups, version, {})
    expect(errorCode).toBe(0)
    expect(groups.find(group => group.groupId === groupId)).toEqual({
      groupId,
      protocolType: 'consumer',
      groupState: version >= 4 ? 'Stable' : '',
      groupType: version >= 5 ? 'classic' : '',
    })
  }
})

test('filters by states and types, in any case', async () => {
  const { client, groupId } = await groupPlace()
  await joinAlone(client, groupId)
  const simple = `${groupId}-simple`
  await commitTo(client, simple, await makeTopic(client), { 0: 1n })
  const list = async (statesFilter: string[], typesFilter: string[] = []): Promise<string[]> => {
    const { groups } = await client.call(listGroups, 5, { statesFilter, typesFilter })
    return groups
      .map(group => group.groupId)
      .filter(id => id.startsWith(groupId))
      .sort()
  }
  expect(await list([])).toEqual([groupId, simple])
  expect(await list(['sTABLE'])).toEqual([groupId])
  expect(await list(['Empty', 'Dead'])).toEqual([simple])
  expect(await list(['Empty', 'Stable'], ['CLASSIC'])).toEqual([groupId, simple])
  expect(await list([], ['consumer'])).toEqual([])
  expect(await list(['nonsense'])).toEqual([])
  expect(await list([], ['nonsense'])).toEqual([])
})
