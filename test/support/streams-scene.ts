import { errorName } from '../../src/protocol/errors.ts'
import type { StreamsGroupHeartbeatRequest } from '../../src/protocol/messages/88-streams-group-heartbeat.ts'
import { statusCodes } from '../../src/groups/streams/status.ts'
import type { InternalTopic } from '../../src/groups/streams/topology.ts'
import { tasksFrom } from '../../src/groups/streams/tasks.ts'
import { caller, GroupScene } from './group-scene.ts'

type Request = StreamsGroupHeartbeatRequest
type Topology = NonNullable<Request['topology']>
export type Subtopology = Topology['subtopologies'][number]

/** A subtopology that reads `sourceTopics`; all else as said. */
export function subtopology(
  subtopologyId: string,
  sourceTopics: string[],
  more: Partial<Subtopology> = {},
): Subtopology {
  return {
    subtopologyId,
    sourceTopics,
    sourceTopicRegex: [],
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
    ...more,
  }
}

export function topology(...subtopologies: Subtopology[]): Topology {
  return { epoch: 0, subtopologies }
}

/** An internal topic; no partitions: as many as the broker decides. */
export function internal(name: string, partitions = 0, configs: Record<string, string> = {}): InternalTopic {
  const topicConfigs = Object.entries(configs).map(([key, value]) => ({ key, value }))
  return { name, partitions, replicationFactor: 0, topicConfigs }
}

/** Reads `orders` and keeps a count for each of its tasks. */
export const counting = topology(
  subtopology('0', ['orders'], { stateChangelogTopics: [internal('app-counts-changelog')] }),
)

export interface Beat {
  readonly error: string
  readonly message: string | null
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  readonly statuses: string[]
  readonly details: string[]
  /** The tasks by name, `0_3`; undefined when nothing is said of them. */
  readonly active: string[] | undefined
  readonly standby: string[] | undefined
  readonly endpointInformationEpoch: number
  /** By `host:port`: topics and partitions as `orders-0`. */
  readonly endpoints: Record<string, { active: string[]; standby: string[] }> | undefined
}

const statusNames = Object.fromEntries(Object.entries(statusCodes).map(([name, code]) => [code, name]))

/** A thread of a Streams application, which says and does what a real one does. */
export class StreamsThread {
  readonly memberId: string
  readonly processId: string
  readonly group: string
  readonly endpoint: { host: string; port: number } | null
  topology: Topology
  memberEpoch = 0
  endpointInformationEpoch = -1
  /** The tasks that it runs and keeps copies for. */
  active = new Set<string>()
  standby = new Set<string>()

  constructor(
    memberId: string,
    options: {
      processId?: string
      group?: string
      topology?: Topology
      endpoint?: { host: string; port: number } | null
    } = {},
  ) {
    this.memberId = memberId
    this.processId = options.processId ?? `process-of-${memberId}`
    this.group = options.group ?? 'app'
    this.topology = options.topology ?? counting
    this.endpoint = options.endpoint ?? null
  }

  /** What it sends: everything as it joins, its tasks when `tells`. */
  request(more: Partial<Request> = {}, tells = true): Request {
    const isJoining = this.memberEpoch === 0
    return {
      groupId: this.group,
      memberId: this.memberId,
      memberEpoch: this.memberEpoch,
      endpointInformationEpoch: this.endpointInformationEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: isJoining ? 60_000 : -1,
      topology: isJoining ? this.topology : null,
      activeTasks: tells ? listOf(isJoining ? [] : this.active) : null,
      standbyTasks: tells ? listOf(isJoining ? [] : this.standby) : null,
      warmupTasks: tells ? [] : null,
      processId: isJoining ? this.processId : null,
      userEndpoint: isJoining ? this.endpoint : null,
      clientTags: isJoining ? [] : null,
      taskOffsets: null,
      taskEndOffsets: null,
      shutdownApplication: false,
      ...more,
    }
  }

  /** Sends one heartbeat and takes in the answer: gives back at once what it is not to have, and takes what it is to have. */
  async beat(scene: StreamsScene, more: Partial<Request> = {}, tells = true): Promise<Beat> {
    const beat = await scene.beat(this.request(more, tells))
    this.hear(beat)
    return beat
  }

  hear(beat: Beat): void {
    if (beat.error === 'FENCED_MEMBER_EPOCH' || beat.error === 'UNKNOWN_MEMBER_ID') return this.abandon()
    if (beat.error !== 'NONE') return
    this.memberEpoch = beat.memberEpoch
    this.endpointInformationEpoch = beat.endpointInformationEpoch
    if (beat.active) this.active = new Set(beat.active)
    if (beat.standby) this.standby = new Set(beat.standby)
  }

  /** Closes everything, and is to join anew. */
  abandon(): void {
    this.memberEpoch = 0
    this.active = new Set()
    this.standby = new Set()
  }

  async leave(scene: StreamsScene, more: Partial<Request> = {}): Promise<Beat> {
    const beat = await scene.beat({ ...this.request({}, false), topology: null, memberEpoch: -1, ...more })
    this.abandon()
    return beat
  }
}

function listOf(tasks: Iterable<string>): { subtopologyId: string; partitions: number[] }[] {
  return Array.from(tasks, task => {
    const end = task.lastIndexOf('_')
    return { subtopologyId: task.slice(0, end), partitions: [Number(task.slice(end + 1))] }
  })
}

function places(list: readonly { topic: string; partitions: readonly number[] }[]): string[] {
  return list.flatMap(({ topic, partitions }) => partitions.map(partition => `${topic}-${partition}`))
}

/** A coordinator, asked as Streams applications ask it. Internal topics are made in its topics, unless `creates` is false. */
export class StreamsScene {
  readonly scene: GroupScene
  creates = true
  readonly created: InternalTopic[] = []

  private constructor(scene: GroupScene) {
    this.scene = scene
  }

  static async open(...args: Parameters<typeof GroupScene.open>): Promise<StreamsScene> {
    return new StreamsScene(await GroupScene.open(...args))
  }

  /** What a new process makes of the log. */
  async crash(seed?: number, clock?: GroupScene['clock']): Promise<StreamsScene> {
    const crashed = new StreamsScene(await this.scene.crash(seed, clock))
    crashed.creates = this.creates
    return crashed
  }

  async beat(request: Request): Promise<Beat> {
    const reply = await this.scene.coordinator.streamsHeartbeat(request, caller(0), async topics => {
      if (!this.creates) return new Map(topics.map(({ name }) => [name, 'no room']))
      for (const topic of topics) {
        if (this.scene.topics.partitionCount(topic.name) !== undefined) continue
        this.created.push(topic)
        this.scene.topics.create(topic.name, topic.partitions)
      }
      return new Map()
    })
    const names = (list: typeof reply.activeTasks) => (list ? [...tasksFrom(list)] : undefined)
    return {
      error: errorName(reply.errorCode),
      message: reply.errorMessage ?? null,
      memberId: reply.memberId,
      memberEpoch: reply.memberEpoch,
      heartbeatIntervalMs: reply.heartbeatIntervalMs,
      statuses: (reply.status ?? []).map(({ statusCode }) => statusNames[statusCode]!),
      details: (reply.status ?? []).map(({ statusDetail }) => statusDetail),
      active: names(reply.activeTasks),
      standby: names(reply.standbyTasks),
      endpointInformationEpoch: reply.endpointInformationEpoch,
      endpoints: reply.partitionsByUserEndpoint
        ? Object.fromEntries(
            reply.partitionsByUserEndpoint.map(({ userEndpoint, activePartitions, standbyPartitions }) => [
              `${userEndpoint.host}:${userEndpoint.port}`,
              { active: places(activePartitions), standby: places(standbyPartitions) },
            ]),
          )
        : undefined,
    }
  }

  async describe(group = 'app') {
    const [described] = await this.scene.coordinator.describeStreams([group])
    return { ...described!, error: errorName(described!.errorCode) }
  }

  /** Heartbeats of all until nobody is told anything new. */
  async settle(threads: readonly StreamsThread[], rounds = 10): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      let isQuiet = true
      for (const thread of threads) {
        const before = thread.memberEpoch
        const { active, memberEpoch } = await thread.beat(this)
        if (active || memberEpoch !== before) isQuiet = false
      }
      if (isQuiet) return
    }
    throw new Error(`the threads did not settle in ${rounds} rounds`)
  }

  /** What is unsound, with our own bugs. */
  async problems(): Promise<string[]> {
    return [...this.scene.bugs.map(String), ...(await this.scene.coordinator.audit())]
  }
}
