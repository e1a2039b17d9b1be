import { errorCodes, KafkaError } from '../../protocol/errors.ts'
import type { DescribeGroupsResponse } from '../../protocol/messages/15-describe-groups.ts'
import type { ListGroupsResponse } from '../../protocol/messages/16-list-groups.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { Turn } from '../turn.ts'
import type { ClassicGroup } from './group.ts'
import { noBytes } from './member.ts'

export type DescribedGroup = Draft<typeof DescribeGroupsResponse>['groups'][number]
export type ListedGroup = Draft<typeof ListGroupsResponse>['groups'][number]

/** From version 6 on a group that is not there is an error; before, it is Dead (KIP-1043). */
const notFoundVersion = 6

/** One group of DescribeGroups. The members' metadata is shown under the elected protocol, so only once there is one. */
export function describe(turn: Turn, groupId: string, version: number): DescribedGroup {
  const group = turn.state.groups.get(groupId)
  if (!group) return absent(groupId, version)
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

function absent(groupId: string, version: number): DescribedGroup {
  const error =
    version >= notFoundVersion
      ? new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
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

/** The groups in these states and of these types, in any spelling of their case; no filter lets all through. */
export function list(
  turn: Turn,
  statesFilter: readonly string[],
  typesFilter: readonly string[],
): ListedGroup[] {
  const states = new Set(statesFilter.map(state => state.trim().toLowerCase()))
  const types = new Set(typesFilter.map(type => type.trim().toLowerCase()))
  return Array.from(turn.state.groups.values())
    .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
    .filter(() => types.size === 0 || types.has('classic'))
    .map(listed)
}

function listed({ groupId, protocolType, state }: ClassicGroup): ListedGroup {
  return { groupId, protocolType: protocolType ?? '', groupState: state, groupType: 'classic' }
}
