/**
 * DescribeGroups. Behaviour: states and members of classic groups; members' metadata only while the group is Stable.
 * Versions: authorized operations from 3 (KIP-430), static members from 4 (KIP-345), a group that is not there is
 * GROUP_ID_NOT_FOUND from 6 (KIP-1043), Dead before.
 */
import { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import { api } from '../api.ts'
import { groupOperations, noOperations } from '../authorized-operations.ts'
import { callerOf } from '../caller.ts'

export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: '0-6',
  request: DescribeGroupsRequest,
  response: DescribeGroupsResponse,
  async handle(request, context) {
    const described = await context.groups.describe(request.groups, callerOf(context))
    const authorizedOperations = request.includeAuthorizedOperations ? groupOperations : noOperations
    return {
      groups: described.map(group => (group.errorCode === 0 ? { ...group, authorizedOperations } : group)),
    }
  },
  refuse: ({ groups }, errorCode) => ({
    groups: groups.map(groupId => ({
      errorCode,
      groupId,
      groupState: '',
      protocolType: '',
      protocolData: '',
      members: [],
    })),
  }),
})
