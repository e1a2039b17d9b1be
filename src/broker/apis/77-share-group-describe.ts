/**
 * ShareGroupDescribe (KIP-932). Behaviour: state, epochs and members of share groups, and what each member reads; a group that is
 * not there, or of another type, is GROUP_ID_NOT_FOUND.
 */
import {
  ShareGroupDescribeRequest,
  ShareGroupDescribeResponse,
} from '../../protocol/messages/77-share-group-describe.ts'
import { undescribed } from '../../groups/share/describe.ts'
import { api } from '../api.ts'
import { groupOperations, noOperations } from '../authorized-operations.ts'

export const shareGroupDescribe = api({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: '1',
  request: ShareGroupDescribeRequest,
  response: ShareGroupDescribeResponse,
  async handle({ groupIds, includeAuthorizedOperations }, { shareGroups }) {
    const described = await shareGroups.describe(groupIds)
    const authorizedOperations = includeAuthorizedOperations ? groupOperations : noOperations
    return {
      groups: described.map(group => (group.errorCode === 0 ? { ...group, authorizedOperations } : group)),
    }
  },
  refuse: ({ groupIds }, errorCode) => ({
    groups: groupIds.map(groupId => undescribed(groupId, errorCode, null)),
  }),
})
