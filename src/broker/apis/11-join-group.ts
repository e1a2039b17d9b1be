/**
 * JoinGroup. Behaviour: parks until the group's members have joined or the rebalance timeout is over; the answer names
 * the generation, its protocol and its leader, and tells the leader who all the members are.
 * Versions: a rebalance timeout from 1 (KIP-62), member ids given out first from 4 (KIP-394), static members from 5
 * (KIP-345), protocol types from 7 (KIP-559), reasons from 8 (KIP-800), skipAssignment from 9 (KIP-814).
 */
import { joinRefusal } from '../../groups/classic/refusals.ts'
import { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import { api } from '../api.ts'
import { callerOf } from '../caller.ts'

export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: '0-9',
  request: JoinGroupRequest,
  response: JoinGroupResponse,
  handle: (request, context) => context.groups.join(request, callerOf(context)),
  refuse: ({ memberId }, errorCode) => joinRefusal(memberId, errorCode),
})
