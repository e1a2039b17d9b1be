import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { Turn } from '../turn.ts'
import { noBytes } from './member.ts'

export type DescribedGroup = Draft<typeof DescribeGroupsResponse>['groups'][number]

/** From version 6 on a group that is not there is an error; before, it is Dead (KIP-1043). */
const notFoundVersion = 6

/** One group of DescribeGroups. The members' metadata is shown under the elected protocol, so only once there is one. */
export function describe(turn: Turn, groupId: string, version: number): DescribedGroup {
  const group = turn.state.classic(groupId)
  if (!group) return absent(turn, groupId, version)
  const isStable = group.state === 'Stable'
  return {
    errorCode: 0,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isStable ? (group.protocolName ?? '') : '',
    members: Array.from(group.members.values(), member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? member.metadata(group.protocolName ?? '') : noBytes,
      memberAssignment: member.assignment,
    })),
  }
}

function absent(turn: Turn, groupId: string, version: number): DescribedGroup {
  const error =
    version >= notFoundVersion
      ? new KafkaError(
          'GROUP_ID_NOT_FOUND',
          turn.state.groups.has(groupId)
            ? `Group ${groupId} is not a classic group.`
            : `Group ${groupId} not found.`,
        )
      : undefined
  return {
    errorCode: error?.code ?? errorCodes.NONE,
    errorMessage: error?.message ?? null,
    groupId,
    groupState: 'Dead',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}
