import type {
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupMemberMetadataValue,
} from '../../protocol/messages/consumer-offsets-records.ts'
import { epochsFrom, noHeldTasks, tasksFrom, type HeldTasks } from './tasks.ts'

/** How far a member has come on its way to its target, by Kafka's numbers (MemberState). */
export const memberStates = {
  /** Has what it is to have. */
  stable: 1,
  /** Is to give back tasks before it may enter the next epoch. */
  unrevokedTasks: 2,
  /** Waits for tasks that others have not given back yet. */
  unreleasedTasks: 3,
  /** A later release wrote something that this one does not know. */
  unknown: 127,
} as const

export type MemberState = keyof typeof memberStates

/** Where other instances of the application reach this one (application.server). */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A member of a streams group (StreamsGroupMember): one thread of a process. Everything in it is in the log. */
export interface StreamsMember {
  readonly memberId: string
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  /** Of the topology that it was built with. */
  readonly topologyEpoch: number
  /** Members of one process share its state directory, so that no two of them may hold the same task. */
  readonly processId: string
  readonly userEndpoint: Endpoint | null
  readonly clientTags: ReadonlyMap<string, string>
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: HeldTasks
  readonly pendingRevocation: HeldTasks
}

/** A member before anything is known of it. */
export function newMember(memberId: string): StreamsMember {
  return {
    memberId,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    topologyEpoch: -1,
    processId: '',
    userEndpoint: null,
    clientTags: new Map(),
    memberEpoch: 0,
    previousMemberEpoch: 0,
    state: 'stable',
    assigned: noHeldTasks,
    pendingRevocation: noHeldTasks,
  }
}

/** The member with what a `member` record says of it. */
export function described(member: StreamsMember, value: StreamsGroupMemberMetadataValue): StreamsMember {
  const { rackId, clientId, clientHost, rebalanceTimeoutMs, topologyEpoch, processId, userEndpoint } = value
  const clientTags = new Map(value.clientTags.map(({ key, value }) => [key, value]))
  return {
    ...member,
    rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    topologyEpoch,
    processId,
    userEndpoint,
    clientTags,
  }
}

/** The member with what a `current` record says of it. */
export function placed(
  member: StreamsMember,
  value: StreamsGroupCurrentMemberAssignmentValue,
): StreamsMember {
  const { memberEpoch, previousMemberEpoch } = value
  const known = Object.entries(memberStates).find(([, number]) => number === value.state)
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch,
    state: (known?.[0] ?? 'unknown') as MemberState,
    assigned: {
      active: epochsFrom(value.activeTasks, memberEpoch),
      standby: tasksFrom(value.standbyTasks),
      warmup: tasksFrom(value.warmupTasks),
    },
    pendingRevocation: {
      active: epochsFrom(value.activeTasksPendingRevocation, memberEpoch),
      standby: tasksFrom(value.standbyTasksPendingRevocation),
      warmup: tasksFrom(value.warmupTasksPendingRevocation),
    },
  }
}

/** Whether two say the same of themselves. */
export function areAlike(a: StreamsMember, b: StreamsMember): boolean {
  return facts(a) === facts(b)
}

function facts(member: StreamsMember): string {
  const { rackId, clientId, clientHost, rebalanceTimeoutMs, topologyEpoch, processId, userEndpoint } = member
  const endpoint = userEndpoint && [userEndpoint.host, userEndpoint.port]
  const tags = Array.from(member.clientTags).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    rackId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    topologyEpoch,
    processId,
    endpoint,
    tags,
  ])
}

/** It has what it is to have in this epoch. */
export function isReconciledTo(member: StreamsMember, assignmentEpoch: number): boolean {
  return member.state === 'stable' && member.memberEpoch === assignmentEpoch
}
