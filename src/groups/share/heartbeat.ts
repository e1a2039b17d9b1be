import { KafkaError } from '../../protocol/errors.ts'
import type {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../protocol/messages/76-share-group-heartbeat.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { Caller } from '../caller.ts'
import { checkHeartbeatEpoch, joinEpoch, leaveEpoch } from '../modern/member-epoch.ts'
import { areSame, listed } from '../modern/topic-partitions.ts'
import { groupRecord } from '../records.ts'
import type { Turn } from '../turn.ts'
import { simple } from './assignor.ts'
import type { ShareGroup } from './group.ts'
import { uninitialized, type TopicPartitionsToInitialize } from './initialization.ts'
import type { ShareMember } from './member.ts'
import { keepAlive, removeMember } from './membership.ts'

export type ShareHeartbeatReply = Draft<typeof ShareGroupHeartbeatResponse>

/** What a heartbeat comes to: an answer, or what has to be on disk first. */
export type ShareHeartbeat =
  | { readonly reply: ShareHeartbeatReply }
  | { readonly initialize: TopicPartitionsToInitialize[] }

/** Throws INVALID_REQUEST for a request that makes no sense (GroupCoordinatorService.throwIfShareGroupHeartbeatRequestIsInvalid). */
export function checkShareHeartbeat(request: ShareGroupHeartbeatRequest): void {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request
  if (memberId.trim() === '') throw invalid("MemberId can't be empty.")
  if (groupId.trim() === '') throw invalid("GroupId can't be empty.")
  if (rackId !== null && rackId.trim() === '') throw invalid("RackId can't be empty.")
  if (memberEpoch < leaveEpoch) throw invalid('MemberEpoch is invalid.')
  if (memberEpoch === joinEpoch && !subscribedTopicNames?.length) {
    throw invalid('SubscribedTopicNames must be set in first request.')
  }
}

/** Decides a ShareGroupHeartbeat (GroupMetadataManager.shareGroupHeartbeat). */
export function shareHeartbeat(
  turn: Turn,
  request: ShareGroupHeartbeatRequest,
  caller: Caller,
  groupSizeMax: number,
): ShareHeartbeat {
  const { groupId, memberId, memberEpoch } = request
  const isJoining = memberEpoch === joinEpoch
  const present = findGroup(turn, groupId, isJoining)
  const known = present?.members.get(memberId)
  if (!known && !isJoining)
    throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`)
  if (present && memberEpoch === leaveEpoch) {
    removeMember(turn, present, memberId)
    return { reply: { errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: 0 } }
  }
  if (!known && (present?.members.size ?? 0) >= groupSizeMax) {
    throw new KafkaError(
      'GROUP_MAX_SIZE_REACHED',
      `The share group has reached its maximum capacity of ${groupSizeMax} members.`,
    )
  }
  if (known && !isJoining) checkHeartbeatEpoch(known, memberEpoch)

  // Nobody is assigned a partition of which the share coordinator does not know.
  const initialize = uninitialized(turn, present, request.subscribedTopicNames ?? [])
  if (initialize.length > 0) return { initialize }

  writeSubscription(turn, request, caller, known)
  const group = turn.state.share(groupId)!
  const hash = group.readsNow(turn.environment.lookup)
  const isChanged = turn.records.length > 0 || group.metadataHash !== hash
  if (isChanged) {
    turn.write(groupRecord('shareGroupMetadata', { groupId }, { epoch: group.epoch + 1, metadataHash: hash }))
  }
  if (group.target.epoch < group.epoch && isAssignmentDue(turn, group)) assign(turn, group)
  const member = group.members.get(memberId)!
  const isNews = reconcile(turn, group, member)
  keepAlive(turn, group, member)
  const isFull = isJoining || request.subscribedTopicNames !== null
  return {
    reply: {
      errorCode: 0,
      memberId,
      memberEpoch: member.memberEpoch,
      heartbeatIntervalMs: turn.environment.configs.get('share.heartbeat.interval.ms', groupId),
      assignment: isFull || isNews ? { topicPartitions: listed(member.assigned) } : null,
    },
  }
}

function findGroup(turn: Turn, groupId: string, mayBeNew: boolean): ShareGroup | undefined {
  const group = turn.state.groups.get(groupId)
  if (!group && mayBeNew) return undefined
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Share group ${groupId} not found.`)
  const found = turn.state.share(groupId)
  if (!found) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a share group.`)
  return found
}

/** Writes who the member is, where that has changed. */
function writeSubscription(
  turn: Turn,
  request: ShareGroupHeartbeatRequest,
  caller: Caller,
  known: ShareMember | undefined,
): void {
  const { groupId, memberId } = request
  const { clientId, clientHost } = caller
  const rackId = request.rackId ?? known?.rackId ?? null
  const names = request.subscribedTopicNames ? [...new Set(request.subscribedTopicNames)].sort() : undefined
  const subscribedTopicNames = names ?? known?.subscribedTopicNames ?? []
  const isSame =
    known &&
    known.rackId === rackId &&
    known.clientId === clientId &&
    known.clientHost === clientHost &&
    known.subscribedTopicNames.join('\n') === subscribedTopicNames.join('\n')
  if (isSame) return
  const value = { rackId, clientId, clientHost, subscribedTopicNames: [...subscribedTopicNames] }
  turn.write(groupRecord('shareGroupMemberMetadata', { groupId, memberId }, value))
}

/** Assignments of many members that come at once are made together (`share.assignment.interval.ms`). */
function isAssignmentDue(turn: Turn, { groupId, target }: ShareGroup): boolean {
  const intervalMs = turn.environment.configs.get('share.assignment.interval.ms', groupId)
  return target.isDue(turn.nowMs, intervalMs)
}

/** Decides who reads what from this epoch on. */
function assign(turn: Turn, group: ShareGroup): void {
  const { groupId, epoch, target } = group
  const { lookup } = turn.environment
  const topicIds = new Map<string, string>()
  const partitionCounts = new Map<string, number>()
  for (const name of group.subscribedTopicNames) {
    const id = lookup.topicId(name)
    if (id === undefined) continue
    topicIds.set(name, id)
    partitionCounts.set(id, lookup.partitionCount(name)!)
  }
  const members = Array.from(group.members.values(), member => ({
    memberId: member.memberId,
    instanceId: null,
    topicIds: new Set(member.subscribedTopicNames.flatMap(name => topicIds.get(name) ?? [])),
    assigned: target.of(member.memberId),
  }))
  for (const [memberId, assigned] of simple({ members, partitionCounts })) {
    if (target.has(memberId) && areSame(target.of(memberId), assigned)) continue
    turn.write(
      groupRecord(
        'shareGroupTargetAssignmentMember',
        { groupId, memberId },
        { topicPartitions: listed(assigned) },
      ),
    )
  }
  const value = { assignmentEpoch: epoch, assignmentTimestamp: BigInt(turn.nowMs) }
  turn.write(groupRecord('shareGroupTargetAssignmentMetadata', { groupId }, value))
}

/** Brings the member to its target: nobody has to let go of anything first. Tells whether it reads something else from now on. */
function reconcile(turn: Turn, group: ShareGroup, member: ShareMember): boolean {
  const { groupId, target } = group
  const { memberId, memberEpoch, assigned } = member
  const next = target.of(memberId)
  const isNews = !areSame(assigned, next)
  if (memberEpoch === target.epoch && !isNews) return false
  turn.write(
    groupRecord(
      'shareGroupCurrentMemberAssignment',
      { groupId, memberId },
      {
        memberEpoch: target.epoch,
        previousMemberEpoch: memberEpoch,
        state: stable,
        assignedPartitions: listed(next),
      },
    ),
  )
  return isNews
}

/** MemberState.STABLE of Kafka, the only one that members of share groups have. */
const stable = 0

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REQUEST', message)
}
