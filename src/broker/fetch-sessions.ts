import type { Clock } from '../base/clock.ts'
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

interface Session {
  readonly id: number
  /** Requests by version 13 and later name topics by id. */
  readonly usesTopicIds: boolean
  readonly partitions: Map<string, Wanted>
  epoch: number
  /** Of the monotonic clock. */
  readonly begunMs: number
  usedMs: number
}

const initialEpoch = 0
const finalEpoch = -1
const epochMax = 2 ** 31 - 1
const firstTopicIdVersion = 13
/** A session has its place for so long, whoever else wants it (FetchSessionCache.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS). */
const tenureMs = 120_000

/**
 * Incremental fetch sessions (KIP-227): a consumer of many partitions sends what changed since its last fetch, and
 * is answered with what changed since the last answer. Bounded by `max.incremental.fetch.session.cache.slots`: when
 * all are taken, one that is no longer used gives way, or one of fewer partitions that has had its time; else the
 * consumer fetches without a session, so that many consumers never push each other out in turn (FetchSessionCacheShard.tryEvict).
 */
export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #sessionsMax: number
  /** In the order of their last use. */
  readonly #sessions = new Map<number, Session>()

  constructor(clock: Clock, random: Random, sessionsMax: number) {
    this.#clock = clock
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
    session.usedMs = this.#clock.monotonic()
    this.#sessions.delete(sessionId)
    ask(session.partitions, request, version)
    forget(session.partitions, request)
    // A session of nothing ends, and the answer says so (FetchManager.newContext).
    if (session.partitions.size === 0) return fullPlan(request, version)
    this.#sessions.set(sessionId, session)
    return { ...planOf(session.partitions), sessionId, isIncremental: true }
  }

  #begin(request: FetchRequest, version: number): FetchPlan {
    const full = fullPlan(request, version)
    if (full.partitions.size === 0 || !this.#makeRoom(full.partitions.size)) return full
    let id: number
    do id = 1 + this.#random.below(epochMax - 1)
    while (this.#sessions.has(id))
    const now = this.#clock.monotonic()
    const usesTopicIds = version >= firstTopicIdVersion
    this.#sessions.set(id, {
      id,
      usesTopicIds,
      partitions: full.partitions,
      epoch: 1,
      begunMs: now,
      usedMs: now,
    })
    return { ...full, sessionId: id }
  }

  /** Whether there is room for a session of `partitionCount` partitions, after one gave way to it where needed. */
  #makeRoom(partitionCount: number): boolean {
    if (this.#sessions.size < this.#sessionsMax) return true
    const before = this.#clock.monotonic() - tenureMs
    const [oldest] = this.#sessions.values()
    if (!oldest) return false
    if (oldest.usedMs < before) return this.#sessions.delete(oldest.id)
    let smallest: Session | undefined
    for (const session of this.#sessions.values()) {
      if (session.begunMs >= before || session.partitions.size >= partitionCount) continue
      if (!smallest || session.partitions.size < smallest.partitions.size) smallest = session
    }
    return smallest !== undefined && this.#sessions.delete(smallest.id)
  }
}

function fullPlan(
  request: FetchRequest,
  version: number,
): FetchPlan & { readonly partitions: Map<string, Wanted> } {
  const partitions = new Map<string, Wanted>()
  ask(partitions, request, version)
  return { ...planOf(partitions), sessionId: 0, isIncremental: false, partitions }
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
