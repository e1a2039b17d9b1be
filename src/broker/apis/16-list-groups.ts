/**
 * ListGroups. Behaviour: every group of this broker, filtered by state and type in any case; unknown ones match nothing.
 * Versions: states from 4 (KIP-518), types from 5 (KIP-848).
 */
import { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import { api } from '../api.ts'

export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  request: ListGroupsRequest,
  response: ListGroupsResponse,
  async handle({ statesFilter, typesFilter }, { groups }) {
    return { errorCode: 0, groups: await groups.list(statesFilter, typesFilter) }
  },
  refuse: (_request, errorCode) => ({ errorCode, groups: [] }),
})
