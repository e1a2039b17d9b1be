import type { Random } from '../base/random.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { FetchRequest } from '../protocol/messages/01-fetch.ts'

/** One partition as a consumer last asked for it, and what it was last told. */
export interface Wanted {
  /** The topic's name where the request named it (up to version 12), otherwise ''. */
  readonly topic: string
  readonly topicId: string
  readonly usesTopicId: boolean
  readonly partition: number
  fetchOffset: bigint
  lengthMax: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  /** What the last answer in this session said; undefined before the first. */
  told: { highWatermark: bigint | number; logStartOffset: bigint | number } | undefined
}

/** The partitions of one fetch, in the order in which they are to be read. */
export interface FetchPlan {
  readonly wanted: Iterable<Wanted>
  /** 0 where there is no session. */
  readonly sessionId: number
  /** Only partitions with something new are answered. */
  readonly isIncremental: boolean
  /** Partitions that gave data go last next time, so that none starves (FetchSession.updatedPartitions). */
  moveLast(wanted: Wanted): void
}

class Session {
  readonly id: number
  /** Requests by version 13 and later name topics by id. */
  readonly usesTopicIds: boolean
  readonly partitions = new Map<string, Wanted>()
  epoch = 1

  constructor(id: number, usesTopicIds: boolean) {
    this.id = id
    this.usesTopicIds = usesTopicIds
  }
}

const initialEpoch = 0
const finalEpoch = -1
const epochMax = 2 ** 31 - 1
const firstTopicIdVersion = 13

/**
 * Incremental fetch sessions (KIP-227): a consumer of many partitions sends what changed since its last fetch, and
 * is answered with what changed since the last answer. Bounded by `max.incremental.fetch.session.cache.slots`; the
 * session that was used least recently gives way.
 */
export class FetchSessions {
  readonly #random: Random
  readonly #sessionsMax: number
  /** In the order of their last use. */
  readonly #sessions = new Map<number, Session>()

  constructor(random: Random, sessionsMax: number) {
    this.#random = random
    this.#sessionsMax = sessionsMax
  }

  get size(): number {
    return this.#sessions.size
  }

  /**
   * What a request asks for, its session considered. Throws FETCH_SESSION_ID_NOT_FOUND,
   * INVALID_FETCH_SESSION_EPOCH or FETCH_SESSION_TOPIC_ID_ERROR; the consumer then begins a new session.
   */
  plan(request: FetchRequest, version: number): FetchPlan {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === initialEpoch || sessionEpoch === finalEpoch) {
      if (sessionId !== 0) this.#sessions.delete(sessionId)
      return sessionEpoch === finalEpoch ? fullPlan(request, version) : this.#begin(request, version)
    }
    const session = this.#sessions.get(sessionId)
    if (!session) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== sessionEpoch) throw new KafkaError('INVALID_FETCH_SESSION_EPOCH')
    if (session.usesTopicIds !== version >= firstTopicIdVersion)
      throw new KafkaError('FETCH_SESSION_TOPIC_ID_ERROR')
    session.epoch = session.epoch === epochMax ? 1 : session.epoch + 1
    this.#sessions.delete(sessionId)
    ask(session.partitions, request, version)
    forget(session.partitions, request)
    // A session of nothing ends, and the answer says so (FetchManager.newContext).
    if (session.partitions.size === 0) return fullPlan(request, version)
    this.#sessions.set(sessionId, session)
    return { ...planOf(session.partitions), sessionId, isIncremental: true }
  }

  #begin(request: FetchRequest, version: number): FetchPlan {
    if (this.#sessionsMax === 0 || request.topics.length === 0) return fullPlan(request, version)
    if (this.#sessions.size >= this.#sessionsMax) {
      const [oldest] = this.#sessions.keys()
      this.#sessions.delete(oldest!)
    }
    let id: number
    do id = 1 + this.#random.below(epochMax - 1)
    while (this.#sessions.has(id))
    const session = new Session(id, version >= firstTopicIdVersion)
    this.#sessions.set(id, session)
    ask(session.partitions, request, version)
    return { ...planOf(session.partitions), sessionId: id, isIncremental: false }
  }
}

function fullPlan(request: FetchRequest, version: number): FetchPlan {
  const partitions = new Map<string, Wanted>()
  ask(partitions, request, version)
  return { ...planOf(partitions), sessionId: 0, isIncremental: false }
}

function planOf(partitions: Map<string, Wanted>): Pick<FetchPlan, 'wanted' | 'moveLast'> {
  return {
    wanted: partitions.values(),
    moveLast(wanted) {
      const key = keyOf(wanted.topic, wanted.topicId, wanted.partition)
      if (partitions.delete(key)) partitions.set(key, wanted)
    },
  }
}

function keyOf(topic: string, topicId: string, partition: number): string {
  return `${topic}/${topicId}/${partition}`
}

function ask(partitions: Map<string, Wanted>, request: FetchRequest, version: number): void {
  const usesTopicId = version >= firstTopicIdVersion
  for (const { topic, topicId, partitions: asked } of request.topics) {
    for (const one of asked) {
      const key = keyOf(topic, topicId, one.partition)
      const known = partitions.get(key)
      const fields = {
        fetchOffset: one.fetchOffset,
        lengthMax: one.partitionMaxBytes,
        currentLeaderEpoch: one.currentLeaderEpoch,
        lastFetchedEpoch: one.lastFetchedEpoch,
      }
      if (known) Object.assign(known, fields)
      else {
        const { partition } = one
        partitions.set(key, { topic, topicId, usesTopicId, partition, ...fields, told: undefined })
      }
    }
  }
}

function forget(partitions: Map<string, Wanted>, { forgottenTopicsData }: FetchRequest): void {
  for (const { topic, topicId, partitions: forgotten } of forgottenTopicsData) {
    for (const partition of forgotten) partitions.delete(keyOf(topic, topicId, partition))
  }
}
