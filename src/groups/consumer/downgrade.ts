import { assert } from '../../base/assert.ts'
import { ClassicGroup, consumerProtocolType } from '../classic/group.ts'
import { ClassicMember } from '../classic/member.ts'
import { keepAlive, prepareRebalance } from '../classic/rebalance.ts'
import { groupMetadata } from '../records.ts'
import type { Turn } from '../turn.ts'
import { assignmentBytes } from './embedded-protocol.ts'
import type { ConsumerGroup } from './group.ts'
import type { ConsumerMember } from './member.ts'

/** Whether those who stay when `leaving` are gone can be a classic group: all of them speak that protocol, and nobody forbids it. */
export function canDowngrade(turn: Turn, group: ConsumerGroup, leaving: readonly ConsumerMember[]): boolean {
  const { groupConsumerMigrationPolicy: policy, groupMaxSize } = turn.environment.settings
  const staying = stayingMembers(group, leaving)
  return (
    (policy === 'bidirectional' || policy === 'downgrade') &&
    staying.length > 0 &&
    staying.length <= groupMaxSize &&
    staying.every(({ isClassic }) => isClassic)
  )
}

function stayingMembers(group: ConsumerGroup, leaving: readonly ConsumerMember[]): ConsumerMember[] {
  return [...group.members.values()].filter(member => !leaving.includes(member))
}

/**
 * Makes a consumer group a classic one: its members go on from the targets that they have, and, unless `isBalanced` says that these are
 * what there is to have, join again at once.
 */
export function downgrade(
  turn: Turn,
  group: ConsumerGroup,
  leaving: readonly ConsumerMember[],
  isBalanced = false,
): void {
  const { groupId, epoch } = group
  const { clock, lookup, logger } = turn.environment
  const draft = new ClassicGroup(groupId, clock)
  const assignments = new Map<string, Buffer>()
  for (const member of stayingMembers(group, leaving)) {
    const classic = classicMember(member, turn)
    draft.add(classic, consumerProtocolType)
    assignments.set(
      member.memberId,
      assignmentBytes(group.target.of(member.memberId), lookup, classic.protocols[0]?.metadata),
    )
  }
  draft.generationId = epoch
  draft.protocolName = draft.electProtocol()
  const record = groupMetadata(groupId, draft.record(turn.nowMs, assignments))
  for (const tombstone of group.tombstones()) turn.write(tombstone)
  turn.write(record)

  const classic = turn.state.classic(groupId)
  assert(classic !== undefined, 'a group that was made classic is not')
  for (const member of classic.members.values()) {
    // The record has the elected protocol alone; the members know others too.
    member.protocols = draft.members.get(member.memberId)!.protocols
    keepAlive(turn, classic, member)
  }
  logger.info({ group: groupId, members: classic.members.size }, 'a consumer group becomes a classic group')
  if (!isBalanced) prepareRebalance(turn, classic, 'the group was a consumer group until now')
}

function classicMember({ memberId, metadata }: ConsumerMember, turn: Turn): ClassicMember {
  const { instanceId, clientId, clientHost, rebalanceTimeoutMs, classicMemberMetadata } = metadata
  assert(classicMemberMetadata !== null, 'a member of the consumer protocol was made classic')
  const { sessionTimeoutMs, supportedProtocols } = classicMemberMetadata
  return new ClassicMember(
    {
      memberId,
      groupInstanceId: instanceId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      sessionTimeoutMs,
      protocols: supportedProtocols,
    },
    turn.environment.clock,
  )
}
