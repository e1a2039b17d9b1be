import { describeGroups } from '../../src/broker/apis/15-describe-groups.ts'
import { findCoordinator } from '../../src/broker/apis/10-find-coordinator.ts'
import { heartbeat } from '../../src/broker/apis/12-heartbeat.ts'
import { joinGroup } from '../../src/broker/apis/11-join-group.ts'
import { leaveGroup } from '../../src/broker/apis/13-leave-group.ts'
import { offsetCommit } from '../../src/broker/apis/08-offset-commit.ts'
import { syncGroup } from '../../src/broker/apis/14-sync-group.ts'
import { errorCodes, errorName } from '../../src/protocol/errors.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { connect, startBroker } from './broker.ts'
import { subscription } from './group-scene.ts'
import { uniqueName } from './requests.ts'
import type { WireClient } from './wire-client.ts'

/** A broker's address, a group that nobody else uses, and a connection by which its coordinator has been found. */
export interface GroupPlace {
  readonly groupId: string
  readonly client: WireClient
  /** One more connection; every member that is to wait needs its own. */
  open(): Promise<WireClient>
}

/** The broker at `KAFKA_BOOTSTRAP`, which takes a while to make its coordinators, or one of our own. */
export async function groupPlace(): Promise<GroupPlace> {
  const address = process.env['KAFKA_BOOTSTRAP'] ?? (await startBroker()).address
  const groupId = uniqueName('group')
  const client = await connect(address)
  for (;;) {
    const { coordinators } = await client.call(findCoordinator, 6, { keyType: 0, coordinatorKeys: [groupId] })
    const beat = await client.call(heartbeat, 4, { groupId, generationId: 1, memberId: 'nobody' })
    const isFound = coordinators[0]!.errorCode === 0 && beat.errorCode === errorCodes.UNKNOWN_MEMBER_ID
    if (isFound) return { groupId, client, open: () => connect(address) }
    if (process.env['KAFKA_BOOTSTRAP'] === undefined)
      throw new Error(`no coordinator: ${errorName(beat.errorCode)}`)
  }
}

type JoinDraft = Draft<typeof joinGroup.request>

/** A JoinGroup of a consumer of `orders`. */
export function joinOf(groupId: string, draft: Partial<JoinDraft> = {}): JoinDraft {
  return {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('orders') }],
    ...draft,
  }
}

/** Joins, with the id that it is given if it has to. */
export async function joinAs(
  client: WireClient,
  groupId: string,
  draft: Partial<JoinDraft> = {},
  version = 9,
) {
  const first = await client.call(joinGroup, version, joinOf(groupId, draft))
  if (first.errorCode !== errorCodes.MEMBER_ID_REQUIRED) return first
  return client.call(joinGroup, version, joinOf(groupId, { ...draft, memberId: first.memberId }))
}

export interface Alone {
  readonly memberId: string
  readonly generationId: number
}

/** Makes a stable group of one member, which is assigned `all`. */
export async function joinAlone(
  client: WireClient,
  groupId: string,
  draft: Partial<JoinDraft> = {},
): Promise<Alone> {
  const { errorCode, memberId, generationId } = await joinAs(client, groupId, draft)
  if (errorCode !== 0) throw new Error(errorName(errorCode))
  await client.call(syncGroup, 5, {
    groupId,
    generationId,
    memberId,
    groupInstanceId: draft.groupInstanceId ?? null,
    protocolType: draft.protocolType ?? 'consumer',
    protocolName: draft.protocols?.[0]?.name ?? 'range',
    assignments: [{ memberId, assignment: Buffer.from('all') }],
  })
  return { memberId, generationId }
}

/** Lets a member go. */
export async function leaveAs(client: WireClient, groupId: string, memberId: string): Promise<void> {
  await client.call(leaveGroup, 5, { groupId, members: [{ memberId }] })
}

/** Commits offsets, by partition of one topic, and gives the errors in that order; for nobody unless the draft says for whom. */
export async function commitTo(
  client: WireClient,
  groupId: string,
  topic: { name: string; topicId: string },
  offsets: Record<number, bigint>,
  draft: Partial<Draft<typeof offsetCommit.request>> = {},
  version = 9,
): Promise<string[]> {
  const partitions = Object.entries(offsets).map(([index, committedOffset]) => ({
    partitionIndex: Number(index),
    committedOffset,
    committedLeaderEpoch: 0,
    committedMetadata: 'note',
  }))
  const { topics } = await client.call(offsetCommit, version, {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    ...draft,
    topics: [{ ...topic, partitions }],
  })
  // Apache Kafka tells of those that are not there first.
  const results = topics[0]!.partitions.sort((a, b) => a.partitionIndex - b.partitionIndex)
  return results.map(({ errorCode }) => errorName(errorCode))
}

/** The state that DescribeGroups shows. */
export async function stateOf(client: WireClient, groupId: string): Promise<string> {
  const { groups } = await client.call(describeGroups, 6, {
    groups: [groupId],
    includeAuthorizedOperations: false,
  })
  return groups[0]!.groupState
}

/** Asks until the group is in `state`: others move it there. */
export async function untilState(client: WireClient, groupId: string, state: string): Promise<void> {
  for (;;) if ((await stateOf(client, groupId)) === state) return
}
