import { KafkaError } from '../../protocol/errors.ts'
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { Caller } from '../caller.ts'
import { checkHeartbeatEpoch, joinEpoch, leaveEpoch, staticLeaveEpoch } from '../modern/member-epoch.ts'
import { isWithin, listed, topicPartitions, type TopicPartitions } from '../modern/topic-partitions.ts'
import type { Turn } from '../turn.ts'
import { keepAlive } from './deadlines.ts'
import { findEntrance, type Entrance } from './entrance.ts'
import type { ConsumerGroup } from './group.ts'
import { leave } from './leave.ts'
import { noMetadata, sortedNames, type ConsumerMember, type MemberMetadata } from './member.ts'
import { randomUuid } from '../../base/random.ts'
import { isSameWithEpochs } from './partition-epochs.ts'
import { reconcile } from './reconcile.ts'
import { memberMetadata } from './records.ts'
import { canReplace, replaceMember } from './static-members.ts'
import { updateSubscription } from './subscription.ts'
import { updateTarget } from './target.ts'
import { compileTopicPattern } from './topic-pattern.ts'
import { validateHeartbeat } from './validation.ts'

export type HeartbeatReply = Draft<typeof ConsumerGroupHeartbeatResponse>

/**
 * Decides a ConsumerGroupHeartbeat (KIP-848): a member joins, lives on, says what it reads and works on, or leaves; it hears its epoch, and
 * what it is to work on where that has changed.
 */
export function heartbeat(
  turn: Turn,
  request: ConsumerGroupHeartbeatRequest,
  caller: Caller,
): HeartbeatReply {
  validateHeartbeat(turn.environment.settings, request, caller.version)
  const { groupId, memberEpoch } = request
  if (memberEpoch === leaveEpoch || memberEpoch === staticLeaveEpoch) return leave(turn, request)

  const isJoining = memberEpoch === joinEpoch
  const entrance = findEntrance(turn, groupId, isJoining)
  checkRoom(turn, entrance, request.memberId)
  const owned = request.topicPartitions === null ? undefined : topicPartitions(request.topicPartitions)
  const present = entrance.group && presentMember(entrance.group, request, owned, isJoining)
  checkRegex(entrance.group, request.subscribedTopicRegex)

  // Nothing is refused from here on.
  const group = entrance.enter()
  const memberId = request.memberId || randomUuid(turn.environment.random)
  const before = present?.current.assigned
  const { member, hasSubscriptionChanged } = enroll(turn, group, memberId, request.instanceId, old =>
    updated(old, request, caller),
  )
  updateSubscription(turn, group, hasSubscriptionChanged)
  updateTarget(turn, group)
  reconcile(turn, group, member, owned, hasSubscriptionChanged)
  member.sync.cancel()
  keepAlive(turn, group, member)
  const isAsked = isJoining || isFull(request)
  const { memberEpoch: epoch, assigned } = member.current
  return {
    errorCode: 0,
    memberId,
    memberEpoch: epoch,
    heartbeatIntervalMs: turn.environment.configs.get('consumer.heartbeat.interval.ms', groupId),
    assignment:
      isAsked || !before || !isSameWithEpochs(before, assigned)
        ? { topicPartitions: listed(assigned) }
        : null,
  }
}

/** Whoever is in already has its place. */
export function checkRoom(turn: Turn, { group, memberCount }: Entrance, memberId: string): void {
  const { groupConsumerMaxSize } = turn.environment.settings
  if (memberCount < groupConsumerMaxSize || group?.members.has(memberId)) return
  throw new KafkaError(
    'GROUP_MAX_SIZE_REACHED',
    `The consumer group has reached its maximum capacity of ${groupConsumerMaxSize} members.`,
  )
}

/** The member as it is before the heartbeat, where it is one. Throws what a heartbeat is fenced with. */
function presentMember(
  group: ConsumerGroup,
  { memberId, memberEpoch, instanceId }: ConsumerGroupHeartbeatRequest,
  owned: TopicPartitions | undefined,
  isJoining: boolean,
): ConsumerMember | undefined {
  if (isJoining) {
    if (instanceId === null) return group.members.get(memberId)
    const old = group.staticMember(instanceId)
    if (!old || canReplace(old)) return old
    throw new KafkaError(
      'UNRELEASED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${old.memberId} member.`,
    )
  }
  const member = group.speaker(memberId, instanceId)
  checkHeartbeatEpoch(
    member.current,
    memberEpoch,
    () => owned !== undefined && isWithin(owned, member.current.assigned),
  )
  return member
}

function checkRegex(group: ConsumerGroup | undefined, regex: string | null): void {
  if (regex !== null && regex !== '' && !group?.resolved.has(regex)) compileTopicPattern(regex)
}

/** Everything that a member tells as it joins, or when it is not sure of what the coordinator knows. */
function isFull(request: ConsumerGroupHeartbeatRequest): boolean {
  const { rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex } = request
  return (
    rebalanceTimeoutMs !== -1 &&
    (subscribedTopicNames !== null || subscribedTopicRegex !== null) &&
    request.topicPartitions !== null
  )
}

/** What a member says of itself, on top of what it said before. */
function updated(
  old: MemberMetadata,
  request: ConsumerGroupHeartbeatRequest,
  { clientId, clientHost }: Caller,
): MemberMetadata {
  return {
    instanceId: request.instanceId ?? old.instanceId,
    rackId: request.rackId ?? old.rackId,
    clientId,
    clientHost,
    subscribedTopicNames: request.subscribedTopicNames
      ? sortedNames(request.subscribedTopicNames)
      : old.subscribedTopicNames,
    subscribedTopicRegex: request.subscribedTopicRegex ?? old.subscribedTopicRegex,
    rebalanceTimeoutMs:
      request.rebalanceTimeoutMs === -1 ? old.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? old.serverAssignor,
    classicMemberMetadata: null,
  }
}

/** A member as the group has it now, and whether it reads other topics than before. */
export interface Enrolled {
  readonly member: ConsumerMember
  readonly hasSubscriptionChanged: boolean
}

/** Writes down what a member says of itself. A static member that comes again takes the place of its former self. */
export function enroll(
  turn: Turn,
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  update: (old: MemberMetadata) => MemberMetadata,
): Enrolled {
  const former = instanceId === null ? undefined : group.staticMember(instanceId)
  if (former && former.memberId !== memberId) replaceMember(turn, group, former, memberId)
  const present = group.members.get(memberId)
  const old = present?.metadata ?? noMetadata
  const metadata = update(old)
  if (!present || !isSameMetadata(old, metadata))
    turn.write(memberMetadata(group.groupId, memberId, metadata))
  const hasSubscriptionChanged =
    old.subscribedTopicRegex !== metadata.subscribedTopicRegex ||
    !areSameNames(old.subscribedTopicNames, metadata.subscribedTopicNames)
  return { member: group.member(memberId), hasSubscriptionChanged }
}

function isSameMetadata(left: MemberMetadata, right: MemberMetadata): boolean {
  return (
    left.instanceId === right.instanceId &&
    left.rackId === right.rackId &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    left.subscribedTopicRegex === right.subscribedTopicRegex &&
    left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
    left.serverAssignor === right.serverAssignor &&
    areSameNames(left.subscribedTopicNames, right.subscribedTopicNames) &&
    isSameClassic(left.classicMemberMetadata, right.classicMemberMetadata)
  )
}

type ClassicMetadata = MemberMetadata['classicMemberMetadata']

function isSameClassic(left: ClassicMetadata, right: ClassicMetadata): boolean {
  if (left === null || right === null) return left === right
  return (
    left.sessionTimeoutMs === right.sessionTimeoutMs &&
    left.supportedProtocols.length === right.supportedProtocols.length &&
    left.supportedProtocols.every(({ name, metadata }, index) => {
      const other = right.supportedProtocols[index]!
      return name === other.name && metadata.equals(other.metadata)
    })
  )
}

function areSameNames(left: readonly string[], right: readonly string[]): boolean {
  return (
    left === right || (left.length === right.length && left.every((name, index) => name === right[index]))
  )
}
