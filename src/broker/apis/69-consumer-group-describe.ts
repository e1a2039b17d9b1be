/**
 * ConsumerGroupDescribe. Behaviour: states, epochs and members of consumer groups, with what each member has and is to have. Groups of
 * another type are GROUP_ID_NOT_FOUND.
 * Versions: from 1 on the protocol that each member speaks (KIP-1099).
 */
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../../protocol/messages/69-consumer-group-describe.ts'
import { api } from '../api.ts'
import { groupOperations, noOperations } from '../authorized-operations.ts'

export const consumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: '0-1',
  request: ConsumerGroupDescribeRequest,
  response: ConsumerGroupDescribeResponse,
  async handle({ groupIds, includeAuthorizedOperations }, { groups }) {
    const described = await groups.describeConsumers(groupIds)
    const authorizedOperations = includeAuthorizedOperations ? groupOperations : noOperations
    return {
      groups: described.map(group => (group.errorCode === 0 ? { ...group, authorizedOperations } : group)),
    }
  },
  refuse: ({ groupIds }, errorCode) => ({
    groups: groupIds.map(groupId => ({
      errorCode,
      groupId,
      groupState: '',
      groupEpoch: 0,
      assignmentEpoch: 0,
      assignorName: '',
      members: [],
    })),
  }),
})
