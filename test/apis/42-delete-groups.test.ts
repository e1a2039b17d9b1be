import { expect, test } from 'vitest'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { deleteGroups } from '../../src/broker/apis/42-delete-groups.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { commitTo, groupPlace, joinAlone, stateOf } from '../support/group-requests.ts'
import { makeTopic, versionsOf } from '../support/requests.ts'

test('removes a group without members and its offsets, in every version', async () => {
  const { client, groupId } = await groupPlace()
  const topic = await makeTopic(client)
  const full = `${groupId}-full`
  await joinAlone(client, full)
  for (const version of versionsOf(deleteGroups)) {
    await commitTo(client, groupId, topic, { 0: 5n })
    const groupsNames = [groupId, full, `${groupId}-other`]
    const { results } = await client.call(deleteGroups, version, { groupsNames })
    const errors = new Map(results.map(result => [result.groupId, errorName(result.errorCode)]))
    expect(groupsNames.map(name => errors.get(name))).toEqual([
      'NONE',
      'NON_EMPTY_GROUP',
      'GROUP_ID_NOT_FOUND',
    ])
    expect(await stateOf(client, groupId)).toBe('Dead')
    const fetched = await client.call(offsetFetch, 8, { groups: [{ groupId, topics: null }] })
    expect(fetched.groups[0]!.topics).toEqual([])
  }
})
