/**
 * StreamsGroupDescribe (KIP-1071). Behaviour: a streams group with its topology, its members, the tasks that each has and is
 * to have. Numbers of partitions are shown once the topics are there. Other groups are GROUP_ID_NOT_FOUND.
 * Versions: 0.
 */
import { undescribed } from '../../groups/streams/describe.ts'
import {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from '../../protocol/messages/89-streams-group-describe.ts'
import { api } from '../api.ts'
import { groupOperations, noOperations } from '../authorized-operations.ts'

export const streamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: '0',
  request: StreamsGroupDescribeRequest,
  response: StreamsGroupDescribeResponse,
  async handle({ groupIds, includeAuthorizedOperations }, context) {
    const described = await context.groups.describeStreams(groupIds)
    const authorizedOperations = includeAuthorizedOperations ? groupOperations : noOperations
    return {
      groups: described.map(group => (group.errorCode === 0 ? { ...group, authorizedOperations } : group)),
    }
  },
  refuse: ({ groupIds }, errorCode) => ({
    groups: groupIds.map(groupId => undescribed(groupId, errorCode, null)),
  }),
})
