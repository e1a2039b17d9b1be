import { errorCodes, KafkaError } from '../../../protocol/errors.ts'
import type { JoinGroupRequest } from '../../../protocol/messages/11-join-group.ts'
import { randomUuid } from '../../../base/random.ts'
import type { Parked } from '../../../coordination/parked.ts'
import type { Caller } from '../../caller.ts'
import { consumerProtocolType } from '../../classic/group.ts'
import { validateJoin } from '../../classic/join.ts'
import { ownedProtocols, type JoinReply } from '../../classic/member.ts'
import { joinRefusal } from '../../classic/refusals.ts'
import type { Turn } from '../../turn.ts'
import { expiry, keepAlive } from '../deadlines.ts'
import { canDowngrade, downgrade } from '../downgrade.ts'
import { partitionsByName, subscriptionOf } from '../embedded-protocol.ts'
import type { ConsumerGroup } from '../group.ts'
import { checkRoom, enroll } from '../heartbeat.ts'
import { sortedNames, type MemberMetadata } from '../member.ts'
import { reconcile } from '../reconcile.ts'
import { updateSubscription } from '../subscription.ts'
import { updateTarget } from '../target.ts'

/** From version 4 on a dynamic member gets its id before it joins (KIP-394). */
const memberIdRequiredVersion = 4

/**
 * Decides a JoinGroup of a member of the classic protocol in a consumer group: it is told its epoch as a generation at once, and is never
 * asked to assign (GroupMetadataManager.classicGroupJoinToConsumerGroup).
 */
export function joinConsumers(
  turn: Turn,
  group: ConsumerGroup,
  request: JoinGroupRequest,
  caller: Caller,
  parked: Parked<JoinReply>,
): void {
  const { groupInstanceId: instanceId, protocols } = request
  const { settings, lookup, random } = turn.environment
  validateJoin(turn, request)
  if (settings.groupConsumerMigrationPolicy === 'disabled')
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
  checkRoom(turn, { group, memberCount: group.members.size, enter: () => group }, request.memberId)
  const isNew = request.memberId === ''
  const subscription = protocols[0] && subscriptionOf(protocols[0].metadata)
  if (!subscription || !supports(group, request)) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
  const memberId = isNew ? randomUuid(random) : request.memberId
  if (isNew && instanceId === null && caller.version >= memberIdRequiredVersion)
    return turn.answer(parked, joinRefusal(memberId, errorCodes.MEMBER_ID_REQUIRED))
  if (!isNew && instanceId !== null) group.speaker(memberId, instanceId)

  // Nothing is refused from here on.
  const former = instanceId === null ? undefined : group.staticMember(instanceId)
  const isLastConsumer = former !== undefined && !former.isClassic && canDowngrade(turn, group, [former])
  const { member, hasSubscriptionChanged } = enroll(turn, group, memberId, instanceId, old =>
    metadataOf(old, request, caller, subscription),
  )
  updateSubscription(turn, group, hasSubscriptionChanged)
  if (!isLastConsumer) updateTarget(turn, group)
  const isAssigned = group.target.epoch >= group.epoch
  const owned = partitionsByName(subscription.ownedPartitions, lookup)
  if (!isLastConsumer || isAssigned) reconcile(turn, group, member, owned, hasSubscriptionChanged)
  const reply = {
    errorCode: 0,
    generationId: member.current.memberEpoch,
    protocolType: consumerProtocolType,
    protocolName: protocols[0]!.name,
    leader: '',
    memberId,
    members: [],
  }
  if (isLastConsumer) downgrade(turn, group, [], isAssigned)
  else {
    member.rebalance.cancel()
    keepAlive(turn, group, member)
    const reason = 'it has not asked for its assignment'
    member.sync.set(member.metadata.rebalanceTimeoutMs, expiry(turn, group, member, reason))
  }
  turn.answer(parked, reply)
}

/** Whether the other classic members know one of its protocols. */
function supports(group: ConsumerGroup, { protocolType, protocols }: JoinGroupRequest): boolean {
  if (protocolType !== consumerProtocolType) return false
  const others = group.classicMembers.map(
    ({ metadata }) => metadata.classicMemberMetadata!.supportedProtocols,
  )
  return protocols.some(({ name }) => others.every(known => known.some(protocol => protocol.name === name)))
}

function metadataOf(
  old: MemberMetadata,
  request: JoinGroupRequest,
  { clientId, clientHost }: Caller,
  subscription: { readonly topics: readonly string[]; readonly rackId: string | null },
): MemberMetadata {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  return {
    instanceId: request.groupInstanceId ?? old.instanceId,
    rackId: subscription.rackId ?? old.rackId,
    clientId,
    clientHost,
    subscribedTopicNames: sortedNames(subscription.topics),
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: old.serverAssignor,
    classicMemberMetadata: { sessionTimeoutMs, supportedProtocols: ownedProtocols(request) },
  }
}
