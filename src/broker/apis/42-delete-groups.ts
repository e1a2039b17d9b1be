/**
 * DeleteGroups. Behaviour: removes groups without members, and all their offsets; each group has its own error.
 * Versions: all alike (KIP-229).
 */
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/42-delete-groups.ts'
import { api } from '../api.ts'

export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: '0-2',
  request: DeleteGroupsRequest,
  response: DeleteGroupsResponse,
  async handle({ groupsNames }, { groups, shareGroups }) {
    await Promise.all(groupsNames.map(groupId => shareGroups.forgetAll(groupId)))
    return { results: await groups.delete(groupsNames) }
  },
  refuse: ({ groupsNames }, errorCode) => ({
    results: groupsNames.map(groupId => ({ groupId, errorCode })),
  }),
})
