/**
 * LeaveGroup. Behaviour: members leave, and the group rebalances once for all of them.
 * Versions: several members, also by their instance id alone, from 3 (KIP-345); reasons from 5 (KIP-800).
 */
import { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/13-leave-group.ts'
import { api } from '../api.ts'

/** Before, a request names one member, and the answer has one error. */
const manyMembersVersion = 3

export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: '0-5',
  request: LeaveGroupRequest,
  response: LeaveGroupResponse,
  async handle(request, { groups, version }) {
    const hasMany = version >= manyMembersVersion
    const only = { memberId: request.memberId, groupInstanceId: null, reason: null }
    const members = await groups.leave(request.groupId, hasMany ? request.members : [only])
    return hasMany ? { errorCode: 0, members } : { errorCode: members[0]!.errorCode }
  },
  refuse: (_request, errorCode) => ({ errorCode }),
})
