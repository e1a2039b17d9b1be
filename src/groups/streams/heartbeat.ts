import { cutToAnswer, KafkaError } from '../../protocol/errors.ts'
import type {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../../protocol/messages/88-streams-group-heartbeat.ts'
import type { Draft } from '../../protocol/schema.ts'
import type { Caller } from '../caller.ts'
import { ClassicGroup } from '../classic/group.ts'
import { checkHeartbeatEpoch, joinEpoch, leaveEpoch } from '../modern/member-epoch.ts'
import { metadataHash } from '../modern/topic-metadata.ts'
import type { Turn } from '../turn.ts'
import { memberOf } from './check-offsets.ts'
import { configure, type ConfiguredTopology } from './configured-topology.ts'
import { partitionsByEndpoint } from './endpoints.ts'
import { StreamsGroup } from './group.ts'
import { areAlike, newMember, type StreamsMember } from './member.ts'
import { currentRecord, epochRecord, memberRecord, topologyRecord } from './records.ts'
import { reconcile } from './reconcile.ts'
import { configList, fence, keepAlive, watchRevocation } from './sessions.ts'
import { status, type Status } from './status.ts'
import { assignmentConfigs, bringUpToDate, delayInitialAssignment, targetOf } from './target-assignment.ts'
import { areSameHeld, isEmpty, roles, taskList, tasksFrom, type Tasks } from './tasks.ts'
import { areSameTopology, requiredTopics, type InternalTopic, type Topology } from './topology.ts'
import { checkTasks, validate } from './validate.ts'

type Request = StreamsGroupHeartbeatRequest
export type StreamsHeartbeatReply = Draft<typeof StreamsGroupHeartbeatResponse>

/** What came of trying to make internal topics: the reason of each that could not be made, by name. */
export type CreationFailures = ReadonlyMap<string, string>

/** A heartbeat's answer; or the internal topics to be made before it can be decided. */
export type HeartbeatOutcome =
  | { readonly reply: StreamsHeartbeatReply }
  | { readonly missing: readonly InternalTopic[] }

/**
 * Decides a StreamsGroupHeartbeat (GroupMetadataManager.streamsGroupHeartbeat): the member joins, says what it has, hears what
 * it is to have, or leaves. Internal topics that are missing are asked for first, with nothing decided; with `failures`
 * that has been tried. Throws a KafkaError for what is refused as a whole.
 */
export function heartbeat(
  turn: Turn,
  request: Request,
  caller: Caller,
  failures?: CreationFailures,
): HeartbeatOutcome {
  validate(request)
  if (request.memberEpoch === leaveEpoch) return { reply: leave(turn, request) }

  const before = groupFor(turn, request)
  const member = memberFor(before, request)
  const updated = updatedMember(member, request, caller)
  const topology = topologyFor(before, request)
  const configured = configuredFor(turn, before, topology)
  if (configured.missingTopics.length > 0 && !failures) return { missing: configured.missingTopics }
  const owned = ownedBy(request)
  if (owned && !configured.fault) checkTasks(configured, owned)

  const group = enter(turn, { request, before, member, updated, topology, configured })
  const statuses = staleness(before, updated)
  bringUpToDate(turn, group, configured, statuses)
  const moved = move(turn, group, updated.memberId, owned)
  keepAlive(turn, group, updated.memberId)
  if (request.shutdownApplication) group.shutdownRequestedBy ??= updated.memberId

  if (configured.fault) statuses.push(withFailures(configured.fault, failures))
  if (group.shutdownRequestedBy !== undefined) {
    const detail = `Streams group member ${group.shutdownRequestedBy} encountered a fatal error and requested a shutdown for the entire application.`
    statuses.push(status('SHUTDOWN_APPLICATION', detail))
  }
  const isNews = request.memberEpoch === joinEpoch || !areSameHeld(member.assigned, moved.assigned)
  return { reply: replyTo(turn, group, request, moved, isNews, statuses) }
}

function leave(
  turn: Turn,
  { groupId, memberId, memberEpoch, shutdownApplication }: Request,
): StreamsHeartbeatReply {
  const group = existing(turn, groupId)
  memberOf(group, memberId)
  if (shutdownApplication) group.shutdownRequestedBy ??= memberId
  fence(turn, group, memberId, 'it has left')
  return { ...nothingNew, memberId, memberEpoch, status: [] }
}

/** A group that is not there yet is one without members. An empty classic group makes room for it. */
function groupFor(turn: Turn, { groupId, memberId, memberEpoch }: Request): StreamsGroup {
  if (memberEpoch !== joinEpoch) return existing(turn, groupId)
  const present = turn.state.groups.get(groupId)
  const group =
    !present || (present instanceof ClassicGroup && present.isEmpty)
      ? new StreamsGroup(groupId, turn.environment.clock)
      : existing(turn, groupId)
  const { groupStreamsMaxSize } = turn.environment.settings
  if (group.members.size >= groupStreamsMaxSize && !group.members.has(memberId)) {
    throw new KafkaError(
      'GROUP_MAX_SIZE_REACHED',
      `The streams group has reached its maximum capacity of ${groupStreamsMaxSize} members.`,
    )
  }
  return group
}

/** Throws GROUP_ID_NOT_FOUND. */
function existing(turn: Turn, groupId: string): StreamsGroup {
  const group = turn.state.groups.get(groupId)
  if (!group) throw new KafkaError('GROUP_ID_NOT_FOUND', `Streams group ${groupId} not found.`)
  if (group instanceof StreamsGroup) return group
  throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a streams group.`)
}

/** The member as the group knows it. Throws UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH. */
function memberFor(group: StreamsGroup, request: Request): StreamsMember {
  const { memberId, memberEpoch } = request
  const owned = ownedBy(request)
  const isJoining = memberEpoch === joinEpoch
  const member = isJoining ? (group.members.get(memberId) ?? newMember(memberId)) : memberOf(group, memberId)
  if (!isJoining) {
    checkHeartbeatEpoch(member, memberEpoch, () => owned !== undefined && isWithin(owned, member))
  }
  if (member.state === 'unknown' && !(owned && isEmpty(owned))) {
    throw new KafkaError(
      'FENCED_MEMBER_EPOCH',
      'The streams group member is in a unknown state. The member must abandon all its tasks and rejoin.',
    )
  }
  return member
}

function isWithin(owned: Tasks, { assigned }: StreamsMember): boolean {
  return roles.every(role => [...owned[role]].every(task => assigned[role].has(task)))
}

/** What a member says that it has; undefined where it says nothing. */
function ownedBy({ activeTasks, standbyTasks, warmupTasks }: Request): Tasks | undefined {
  if (!activeTasks || !standbyTasks || !warmupTasks) return undefined
  return {
    active: tasksFrom(activeTasks),
    standby: tasksFrom(standbyTasks),
    warmup: tasksFrom(warmupTasks),
  }
}

/** The member with what it says of itself; what it does not say is as before. */
function updatedMember(member: StreamsMember, request: Request, caller: Caller): StreamsMember {
  const { clientId, clientHost } = caller
  const { rebalanceTimeoutMs, userEndpoint, clientTags } = request
  return {
    ...member,
    clientId,
    clientHost,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topologyEpoch: request.topology?.epoch ?? member.topologyEpoch,
    processId: request.processId ?? member.processId,
    userEndpoint: userEndpoint ?? member.userEndpoint,
    clientTags: clientTags ? new Map(clientTags.map(({ key, value }) => [key, value])) : member.clientTags,
  }
}

/** The group's topology: the first one that a member brought. Another one of the same or a later epoch is refused. */
function topologyFor(group: StreamsGroup, { topology: brought }: Request): Topology {
  const { topology } = group
  if (!topology) {
    if (brought) return brought
    throw new KafkaError('INVALID_REQUEST', 'The group has no topology, and the member brings none.')
  }
  if (!brought || brought.epoch < topology.epoch || areSameTopology(topology, brought)) return topology
  throw new KafkaError('INVALID_REQUEST', 'Topology updates are not supported yet.')
}

/** The topology over the topics as they are. Worked out anew when they have changed. */
function configuredFor(turn: Turn, group: StreamsGroup, topology: Topology): ConfiguredTopology {
  const { lookup } = turn.environment
  if (group.configured?.topicsVersion === lookup.version) return group.configured.topology
  const hash = metadataHash(requiredTopics(topology), lookup)
  const isAsBefore = group.configured?.metadataHash === hash
  group.configured = {
    topicsVersion: lookup.version,
    metadataHash: hash,
    topology: isAsBefore ? group.configured!.topology : configure(topology, lookup),
  }
  return group.configured.topology
}

function staleness({ topology }: StreamsGroup, { topologyEpoch }: StreamsMember): Status[] {
  if (!topology || topologyEpoch >= topology.epoch) return []
  const detail = `The member's topology epoch ${topologyEpoch} is behind the group's topology epoch ${topology.epoch}.`
  return [status('STALE_TOPOLOGY', detail)]
}

interface Entering {
  readonly request: Request
  readonly before: StreamsGroup
  readonly member: StreamsMember
  readonly updated: StreamsMember
  readonly topology: Topology
  readonly configured: ConfiguredTopology
}

/** Writes down who the member is and what has changed around it; the group goes on to its next epoch if anything has. */
function enter(turn: Turn, entering: Entering): StreamsGroup {
  const { request, before, member, updated, topology, configured } = entering
  const { groupId } = request
  const wasEmpty = before.isEmpty
  const { metadataHash } = before.configured!
  const isChanged = !before.members.has(updated.memberId) || !areAlike(member, updated)
  const validatedTopologyEpoch = configured.fault ? -1 : topology.epoch
  const configs = assignmentConfigs(turn, groupId)
  const isNextEpoch =
    isChanged ||
    metadataHash !== before.metadataHash ||
    validatedTopologyEpoch !== before.validatedTopologyEpoch ||
    [...configs].join() !== [...before.lastAssignmentConfigs].join()

  const present = turn.state.groups.get(groupId)
  if (present instanceof ClassicGroup) for (const tombstone of present.tombstones()) turn.write(tombstone)
  if (isChanged) turn.write(memberRecord(groupId, updated))
  if (!before.topology) turn.write(topologyRecord(groupId, topology))
  if (isNextEpoch) {
    const epoch = before.epoch + 1
    const lastAssignmentConfigs = configList(configs)
    turn.write(epochRecord(groupId, { epoch, metadataHash, validatedTopologyEpoch, lastAssignmentConfigs }))
    turn.environment.logger.info(
      { group: groupId, member: updated.memberId, epoch },
      'a streams group has a new epoch',
    )
  }
  const group = existing(turn, groupId)
  group.configured = before.configured
  if (wasEmpty) delayInitialAssignment(turn, group)
  return group
}

/** Takes the member one step further on the way to its target. */
function move(turn: Turn, group: StreamsGroup, memberId: string, owned: Tasks | undefined): StreamsMember {
  const member = group.members.get(memberId)!
  const moved = reconcile(member, targetOf(group, memberId), group.holders, owned)
  if (moved === member) return member
  turn.write(currentRecord(group.groupId, moved))
  watchRevocation(turn, group, moved)
  return moved
}

function withFailures(fault: Status, failures: CreationFailures | undefined): Status {
  if (!failures || failures.size === 0) return fault
  const shown = Array.from(failures, ([topic, reason]) => `${topic} (${reason})`).slice(0, failuresShownMax)
  const rest = failures.size - shown.length
  const list = shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '')
  return { ...fault, statusDetail: cutToAnswer(`${fault.statusDetail}; Creation failed: ${list}.`) }
}

const failuresShownMax = 3

const nothingNew = {
  errorCode: 0,
  heartbeatIntervalMs: 0,
  acceptableRecoveryLag: 0,
  taskOffsetIntervalMs: 0,
  endpointInformationEpoch: 0,
} satisfies Partial<StreamsHeartbeatReply>

function replyTo(
  turn: Turn,
  group: StreamsGroup,
  request: Request,
  { memberId, memberEpoch, userEndpoint, assigned }: StreamsMember,
  isNews: boolean,
  statuses: Status[],
): StreamsHeartbeatReply {
  const { configs, lookup } = turn.environment
  if (isNews && userEndpoint) group.endpointInformationEpoch++
  const { endpointInformationEpoch, members, configured } = group
  return {
    ...nothingNew,
    memberId,
    memberEpoch,
    status: statuses,
    endpointInformationEpoch,
    heartbeatIntervalMs: configs.get('streams.heartbeat.interval.ms', group.groupId),
    activeTasks: isNews ? taskList(assigned.active.keys()) : null,
    standbyTasks: isNews ? taskList(assigned.standby) : null,
    warmupTasks: isNews ? taskList(assigned.warmup) : null,
    partitionsByUserEndpoint:
      endpointInformationEpoch === request.endpointInformationEpoch
        ? null
        : partitionsByEndpoint(members.values(), configured!.topology, lookup),
  }
}

/** The answer that says nothing but an error. */
export function heartbeatRefusal(errorCode: number, errorMessage: string | null): StreamsHeartbeatReply {
  return { ...nothingNew, errorCode, errorMessage, memberId: '', memberEpoch: 0, status: null }
}
