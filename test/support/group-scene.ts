import type { Logger } from '../../src/base/logger.ts'
import { seededRandom } from '../../src/base/random.ts'
import type { Caller } from '../../src/groups/caller.ts'
import { GroupCoordinator } from '../../src/groups/coordinator.ts'
import { groupDefaults, type GroupSettings } from '../../src/groups/settings.ts'
import { encode } from '../../src/protocol/compile.ts'
import { errorName, KafkaError } from '../../src/protocol/errors.ts'
import { ConsumerProtocolSubscription } from '../../src/protocol/messages/consumer-protocol.ts'
import { GroupTopics, idOf, TestGroupConfigs } from './group-topics.ts'
import { ManualClock, settled } from './manual-clock.ts'
import { MemoryStateTopic } from './memory-state-topic.ts'

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  fatal: () => {},
}

export { idOf }

/** What a consumer that reads `topics` tells the leader. */
export function subscription(...topics: string[]): Buffer {
  const body = encode(ConsumerProtocolSubscription, 1, { topics, ownedPartitions: [] })
  return Buffer.concat([Buffer.from([0, 1]), body])
}

export interface Joined {
  readonly error: string
  readonly memberId: string
  readonly generationId: number
  readonly leader: string
  readonly protocolName: string | null
  readonly protocolType: string | null
  readonly skipAssignment: boolean
  /** Member ids and metadata, as the leader sees them. */
  readonly members: { memberId: string; groupInstanceId: string | null; metadata: string }[]
}

export interface Synced {
  readonly error: string
  readonly assignment: string
}

export interface JoinOptions {
  group?: string
  memberId?: string
  groupInstanceId?: string | null
  version?: number
  clientId?: string
  protocolType?: string
  protocols?: { name: string; metadata: Buffer }[]
  sessionTimeoutMs?: number
  rebalanceTimeoutMs?: number
}

export interface SyncOptions {
  group?: string
  generationId: number
  memberId: string
  groupInstanceId?: string | null
  version?: number
  protocolType?: string | null
  protocolName?: string | null
  assignments?: Record<string, string>
}

export interface CommitOptions {
  group?: string
  generationId?: number
  memberId?: string
  groupInstanceId?: string | null
  version?: number
  metadata?: string | null
  retentionTimeMs?: bigint
}

const defaultGroup = 'readers'
export const range = [{ name: 'range', metadata: subscription('orders') }]

/**
 * A coordinator on a clock, a log and topics that the test holds in its hands, asked in few words. At first there are `orders` and
 * `payments` with 8 partitions each.
 */
export class GroupScene {
  readonly clock: ManualClock
  readonly topic: MemoryStateTopic
  readonly coordinator: GroupCoordinator
  readonly topics: GroupTopics
  readonly configs: TestGroupConfigs
  readonly bugs: unknown[] = []
  readonly #settings: Partial<GroupSettings>

  private constructor(
    clock: ManualClock,
    topic: MemoryStateTopic,
    settings: Partial<GroupSettings>,
    seed: number,
    topics: GroupTopics,
    configs: TestGroupConfigs,
  ) {
    this.clock = clock
    this.topic = topic
    this.topics = topics
    this.configs = configs
    this.#settings = settings
    this.coordinator = new GroupCoordinator({
      clock,
      random: seededRandom(seed),
      logger: silentLogger,
      topic,
      lookup: topics,
      configs,
      settings: { ...groupDefaults, ...settings },
      reportBug: error => void this.bugs.push(error),
    })
  }

  static async open(
    settings: Partial<GroupSettings> = {},
    {
      clock = new ManualClock(),
      topic = new MemoryStateTopic(),
      seed = 1,
      topics = new GroupTopics({ orders: 8, payments: 8 }),
      configs = new TestGroupConfigs(),
    } = {},
  ): Promise<GroupScene> {
    const scene = new GroupScene(clock, topic, settings, seed, topics, configs)
    await scene.coordinator.load()
    await settled()
    return scene
  }

  /** What a new process makes of the log; this one is left as it is, and its timers with it. */
  crash(seed = 2, clock = new ManualClock(this.clock.now())): Promise<GroupScene> {
    const { topics, configs } = this
    return GroupScene.open(this.#settings, { clock, topic: this.topic.afterCrash(), seed, topics, configs })
  }

  /** The timers of groups: the coordinator's own, for old offsets, aside. */
  get groupTimerCount(): number {
    return this.clock.timerCount - 1
  }

  async join(options: JoinOptions = {}): Promise<Joined> {
    const { version = 9, clientId = 'app' } = options
    const reply = await this.coordinator
      .join(
        {
          groupId: options.group ?? defaultGroup,
          sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
          rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
          memberId: options.memberId ?? '',
          groupInstanceId: options.groupInstanceId ?? null,
          protocolType: options.protocolType ?? 'consumer',
          protocols: lent(options.protocols ?? range),
          reason: null,
        },
        caller(version, clientId),
      )
      .catch(refusalOf)
    return {
      error: errorName(reply.errorCode),
      memberId: 'memberId' in reply ? reply.memberId : '',
      generationId: ('generationId' in reply ? reply.generationId : undefined) ?? -1,
      leader: 'leader' in reply ? reply.leader : '',
      protocolName: 'protocolName' in reply ? reply.protocolName : null,
      protocolType: ('protocolType' in reply ? reply.protocolType : undefined) ?? null,
      skipAssignment: ('skipAssignment' in reply ? reply.skipAssignment : undefined) ?? false,
      members: ('members' in reply ? reply.members : []).map(({ memberId, groupInstanceId, metadata }) => ({
        memberId,
        groupInstanceId: groupInstanceId ?? null,
        metadata: metadata.toString('latin1'),
      })),
    }
  }

  async sync(options: SyncOptions): Promise<Synced> {
    const reply = await this.coordinator
      .sync(
        {
          groupId: options.group ?? defaultGroup,
          generationId: options.generationId,
          memberId: options.memberId,
          groupInstanceId: options.groupInstanceId ?? null,
          protocolType: options.protocolType === undefined ? 'consumer' : options.protocolType,
          protocolName: options.protocolName === undefined ? 'range' : options.protocolName,
          assignments: Object.entries(options.assignments ?? {}).map(([memberId, assignment]) => ({
            memberId,
            assignment: Buffer.from(assignment),
          })),
        },
        caller(options.version ?? 5),
      )
      .catch(refusalOf)
    return {
      error: errorName(reply.errorCode),
      assignment: 'assignment' in reply ? reply.assignment.toString() : '',
    }
  }

  heartbeat(
    memberId: string,
    generationId: number,
    groupInstanceId: string | null = null,
    groupId = defaultGroup,
  ) {
    return errorOf(this.coordinator.heartbeat({ groupId, generationId, memberId, groupInstanceId }))
  }

  /** Resolves with the error of each member, or with the one error of the whole. */
  async leave(
    members: { memberId?: string; groupInstanceId?: string | null }[],
    group = defaultGroup,
  ): Promise<string[]> {
    const leavers = members.map(({ memberId = '', groupInstanceId = null }) => ({
      memberId,
      groupInstanceId,
      reason: null,
    }))
    const results = await this.coordinator.leave(group, leavers).catch((error: unknown) => [refusalOf(error)])
    return results.map(({ errorCode }) => errorName(errorCode))
  }

  /** Commits `offsets`, given as { 'orders-0': 5 }, and resolves with the error of each partition. */
  async commit(
    offsets: Record<string, number>,
    options: CommitOptions = {},
  ): Promise<Record<string, string>> {
    const version = options.version ?? 9
    const request = {
      groupId: options.group ?? defaultGroup,
      generationIdOrMemberEpoch: options.generationId ?? -1,
      memberId: options.memberId ?? '',
      groupInstanceId: options.groupInstanceId ?? null,
      retentionTimeMs: options.retentionTimeMs ?? -1n,
      topics: Object.entries(offsets).map(([name, offset]) => {
        const [topic, partition] = name.split('-') as [string, string]
        return {
          name: version >= 10 ? '' : topic,
          topicId: version >= 10 ? idOf(topic) : '',
          partitions: [
            {
              partitionIndex: Number(partition),
              committedOffset: BigInt(offset),
              committedLeaderEpoch: 3,
              committedMetadata: options.metadata === undefined ? 'note' : options.metadata,
            },
          ],
        }
      }),
    }
    const { topics } = await this.coordinator.commitOffsets(request, caller(version))
    return Object.fromEntries(
      Object.keys(offsets).map((name, index) => [name, errorName(topics[index]!.partitions[0]!.errorCode)]),
    )
  }

  /** The committed offsets as { 'orders-0': 5 }: of `asked`, or all. */
  async committed(
    asked: string[] | null = null,
    group = defaultGroup,
    version = 8,
    as: { memberId?: string; memberEpoch?: number } = {},
  ): Promise<Record<string, number>> {
    const topics = asked?.map(name => {
      const [topic, partition] = name.split('-') as [string, string]
      return { name: topic, topicId: idOf(topic), partitionIndexes: [Number(partition)] }
    })
    const [fetched] = await this.coordinator.fetchOffsets(
      [{ groupId: group, memberId: null, memberEpoch: -1, topics: topics ?? null, ...as }],
      caller(version),
    )
    const entries = fetched!.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset }) => [
        `${name}-${partitionIndex}`,
        Number(committedOffset),
      ]),
    )
    return Object.fromEntries(entries) as Record<string, number>
  }

  async describe(group = defaultGroup, version = 6) {
    const [described] = await this.coordinator.describe([group], caller(version))
    return { ...described!, error: errorName(described!.errorCode) }
  }

  /** A stable group of dynamic members named by `clientIds`, of which the first leads; each is assigned its own client id. */
  async form(clientIds: string[], options: Omit<JoinOptions, 'memberId' | 'clientId'> = {}): Promise<Formed> {
    const pending = await Promise.all(clientIds.map(clientId => this.join({ ...options, clientId })))
    const ids = pending.map(({ memberId }) => memberId)
    const joining = ids.map((memberId, index) =>
      this.join({ ...options, memberId, clientId: clientIds[index]! }),
    )
    await this.clock.advance(0)
    const joined = await Promise.all(joining)
    const { generationId } = joined[0]!
    const assignments = Object.fromEntries(ids.map((memberId, index) => [memberId, clientIds[index]!]))
    const syncing = ids.map(memberId =>
      this.sync({
        ...(options.group === undefined ? {} : { group: options.group }),
        generationId,
        memberId,
        protocolType: null,
        protocolName: null,
        version: 4,
        assignments: memberId === joined[0]!.leader ? assignments : {},
      }),
    )
    await Promise.all(syncing)
    return { ids, generationId, leader: joined[0]!.leader }
  }
}

export interface Formed {
  readonly ids: string[]
  readonly generationId: number
  readonly leader: string
}

/** What is still waited for, or the value. */
export async function unlessParked<T>(promise: Promise<T>): Promise<T | 'parked'> {
  await settled()
  return Promise.race([promise, settled().then(() => 'parked' as const)])
}

export function caller(version: number, clientId = 'app'): Caller {
  return { version, clientId, clientHost: '/127.0.0.1' }
}

/** The name of the error that a promise rejects with; NONE when it does not. */
export async function errorOf(promise: Promise<unknown>): Promise<string> {
  return errorName(
    await promise.then(
      () => 0,
      error => refusalOf(error).errorCode,
    ),
  )
}

function refusalOf(error: unknown): { errorCode: number } {
  if (!(error instanceof KafkaError)) throw error
  return { errorCode: error.code }
}

/** Bytes that are someone else's as soon as the call has been taken, as a frame's are. */
function lent(protocols: { name: string; metadata: Buffer }[]): { name: string; metadata: Buffer }[] {
  const copies = protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
  setImmediate(() => copies.forEach(({ metadata }) => metadata.fill(0xff)))
  return copies
}
