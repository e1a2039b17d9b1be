import type { Clock } from '../../base/clock.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/11-join-group.ts'
import type { SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts'
import type { Draft } from '../../protocol/schema.ts'
import { Deadline } from '../../coordination/deadline.ts'
import type { Parked } from '../../coordination/parked.ts'

export type JoinReply = Draft<typeof JoinGroupResponse>
export type SyncReply = Draft<typeof SyncGroupResponse>

/** One way of assigning that a member knows, and what it tells the leader if that way is chosen. */
export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

/** No metadata, or nothing assigned. */
export const noBytes: Buffer = Buffer.alloc(0)

/** What a member says of itself as it joins. */
export interface MemberFacts {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocols: readonly Protocol[]
}

/** A member of a classic group (ClassicGroupMember). */
export class ClassicMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  #protocols: readonly Protocol[] = []
  #protocolNames: ReadonlySet<string> = new Set()
  assignment: Buffer = noBytes
  /** Has not heard its member id in an answer yet, so that it cannot send heartbeats. */
  isNew = false
  /** Its JoinGroup, while the group waits for the other members. */
  parkedJoin: Parked<JoinReply> | undefined
  /** Its SyncGroup, while the group waits for the leader's assignment. */
  parkedSync: Parked<SyncReply> | undefined
  /** When it is taken for dead. */
  readonly session: Deadline

  constructor(facts: MemberFacts, clock: Clock) {
    this.memberId = facts.memberId
    this.groupInstanceId = facts.groupInstanceId
    this.clientId = facts.clientId
    this.clientHost = facts.clientHost
    this.rebalanceTimeoutMs = facts.rebalanceTimeoutMs
    this.sessionTimeoutMs = facts.sessionTimeoutMs
    this.protocols = facts.protocols
    this.session = new Deadline(clock)
  }

  /** A waiting member cannot send heartbeats and does not need to, unless it is one that may never have been answered. */
  get isExcusedFromHeartbeats(): boolean {
    return !this.isNew && (this.parkedJoin !== undefined || this.parkedSync !== undefined)
  }

  get protocols(): readonly Protocol[] {
    return this.#protocols
  }

  set protocols(protocols: readonly Protocol[]) {
    this.#protocols = protocols
    this.#protocolNames = new Set(protocols.map(({ name }) => name))
  }

  supports(protocol: string): boolean {
    return this.#protocolNames.has(protocol)
  }

  /** What the member tells the leader under `protocol`; nothing when it does not know it. */
  metadata(protocol: string): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? noBytes
  }

  /** Whether a join says the same as the last one did, in the same order. */
  matches(protocols: readonly Protocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, index) => {
        const own = this.protocols[index]!
        return own.name === name && own.metadata.equals(metadata)
      })
    )
  }

  /** Parks a join. One that still waits is an older try of the same member: told to join again, in case it is alive. */
  parkJoin(parked: Parked<JoinReply>): void {
    this.parkedJoin?.refuse('REBALANCE_IN_PROGRESS')
    this.parkedJoin = parked
  }

  /** Parks a sync, likewise. */
  parkSync(parked: Parked<SyncReply>): void {
    this.parkedSync?.refuse('REBALANCE_IN_PROGRESS')
    this.parkedSync = parked
  }

  /** Takes what waits, so that it is answered once. */
  takeJoin(): Parked<JoinReply> | undefined {
    const parked = this.parkedJoin
    this.parkedJoin = undefined
    return parked
  }

  takeSync(): Parked<SyncReply> | undefined {
    const parked = this.parkedSync
    this.parkedSync = undefined
    return parked
  }
}

/** A request's protocols with bytes of their own: those of a request are only lent. */
export function ownedProtocols(request: JoinGroupRequest): Protocol[] {
  return request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
}
