import { encode } from '../../src/protocol/compile.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ConsumerGroupHeartbeatRequest } from '../../src/protocol/messages/68-consumer-group-heartbeat.ts'
import type { Draft } from '../../src/protocol/schema.ts'
import { decode } from '../../src/protocol/compile.ts'
import { caller, type GroupScene } from './group-scene.ts'

export interface ConsumerOptions {
  group?: string
  memberId?: string
  instanceId?: string | null
  topics?: string[] | null
  regex?: string | null
  assignor?: string | null
  rebalanceTimeoutMs?: number
}

type HeartbeatDraft = Draft<typeof ConsumerGroupHeartbeatRequest>

/** A heartbeat that says nothing but who sends it, unless `draft` says more. */
export function heartbeatOf(draft: Partial<HeartbeatDraft>): ConsumerGroupHeartbeatRequest {
  const bytes = encode(ConsumerGroupHeartbeatRequest, 1, {
    groupId: 'readers',
    memberId: '',
    memberEpoch: 0,
    ...draft,
  })
  return decode(ConsumerGroupHeartbeatRequest, 1, bytes)
}

/** A consumer of KIP-848 that does by itself what clients do: it lets go of what it is to, then says so, then takes what it is given. */
export class TestConsumer {
  readonly memberId: string
  readonly group: string
  readonly instanceId: string | null
  epoch = 0
  error = 'NONE'
  message: string | null = null
  heartbeatIntervalMs = 0
  /** What it works on, as `topic-partition`. */
  owned: string[] = []
  readonly #options: ConsumerOptions
  /** Of the topics that it has heard of, by what they are called here. */
  readonly #ids = new Map<string, string>()
  scene: GroupScene

  constructor(scene: GroupScene, memberId: string, options: ConsumerOptions = {}) {
    this.scene = scene
    this.memberId = options.memberId ?? memberId
    this.group = options.group ?? 'readers'
    this.instanceId = options.instanceId ?? null
    this.#options = options
  }

  /** Joins with all that there is to say. */
  async join(): Promise<this> {
    this.epoch = 0
    this.owned = []
    const { topics, regex, assignor, rebalanceTimeoutMs } = this.#options
    return this.send({
      rebalanceTimeoutMs: rebalanceTimeoutMs ?? 60_000,
      subscribedTopicNames: topics === undefined && regex === undefined ? ['orders'] : (topics ?? null),
      subscribedTopicRegex: regex ?? null,
      serverAssignor: assignor ?? null,
      topicPartitions: [],
    })
  }

  /** Sends what a client sends between changes: what it works on. */
  beat(draft: Partial<HeartbeatDraft> = {}): Promise<this> {
    return this.send({ topicPartitions: this.#ownedList(), ...draft })
  }

  /** -1 for good, -2 for a while. */
  leave(epoch: -1 | -2 = -1): Promise<this> {
    this.epoch = epoch
    return this.send({})
  }

  async send(draft: Partial<HeartbeatDraft>): Promise<this> {
    const reply = await this.scene.coordinator.consumerHeartbeat(
      heartbeatOf({
        groupId: this.group,
        memberId: this.memberId,
        memberEpoch: this.epoch,
        instanceId: this.instanceId,
        ...draft,
      }),
      caller(1, 'app'),
    )
    this.error = errorName(reply.errorCode)
    this.message = reply.errorMessage ?? null
    if (reply.errorCode !== 0) return this
    this.epoch = reply.memberEpoch
    this.heartbeatIntervalMs = reply.heartbeatIntervalMs
    if (reply.assignment) this.owned = this.#named(reply.assignment.topicPartitions)
    return this
  }

  #named(list: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]): string[] {
    return list.flatMap(({ topicId, partitions }) => {
      const name = this.scene.topics.topicName(topicId) ?? topicId
      this.#ids.set(name, topicId)
      return partitions.map(partition => `${name}-${partition}`)
    })
  }

  #ownedList(): { topicId: string; partitions: number[] }[] {
    const byTopic = new Map<string, number[]>()
    for (const each of this.owned) {
      const at = each.lastIndexOf('-')
      const name = each.slice(0, at)
      byTopic.set(name, [...(byTopic.get(name) ?? []), Number(each.slice(at + 1))])
    }
    return Array.from(byTopic, ([name, partitions]) => ({
      topicId: this.#ids.get(name)!,
      partitions,
    }))
  }
}

/** Lets all of them send heartbeats, one after another, until nothing changes any more; throws if that takes too long. */
export async function converge(...consumers: TestConsumer[]): Promise<void> {
  const shape = (): string =>
    JSON.stringify(consumers.map(({ epoch, owned, error }) => [epoch, owned, error]))
  for (let round = 0; round < 12; round++) {
    const before = shape()
    for (const consumer of consumers) await consumer.beat()
    if (shape() === before) return
  }
  throw new Error(`does not converge: ${shape()}`)
}
