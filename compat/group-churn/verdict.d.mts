/** What happened, in milliseconds of one clock. Partitions are numbers of the one topic. */
export type GroupEvent = { readonly at: number } & (
  | { readonly event: 'joining' | 'leaving' | 'left' | 'crashed'; readonly member: string }
  | { readonly event: 'failed'; readonly member?: string; readonly error: string }
  /** What a member's listener was told; `generation` is the member's generation or epoch then. */
  | {
      readonly event: 'assigned' | 'revoked' | 'lost'
      readonly member: string
      readonly generation: number
      readonly partitions: readonly number[]
    }
  /** What one poll returned: [partition, offset, value], in share groups also the delivery count and what became of it. */
  | {
      readonly event: 'delivered'
      readonly member: string
      readonly records: readonly (
        | readonly [partition: number, offset: number, value: string]
        | readonly [number, number, string, deliveryCount: number, choice: 'accept' | 'release' | 'hold']
      )[]
    }
  /** The broker confirmed that these are done with. */
  | {
      readonly event: 'accepted'
      readonly member: string
      readonly records: readonly (readonly [partition: number, offset: number, deliveryCount: number])[]
    }
  /** Who is in the group by the broker's own account; one event per change of it. */
  | {
      readonly event: 'described'
      readonly members: readonly { readonly name: string; readonly partitions: readonly number[] }[]
    }
  /** kill -9 of a process and of all of the members in it. */
  | { readonly event: 'host-killed'; readonly members: readonly string[] }
  | { readonly event: 'broker-killed' | 'broker-back' }
  /** The broker acknowledged these records: [partition, offset, value]. */
  | { readonly event: 'produced'; readonly records: readonly (readonly [number, number, string])[] }
  /** Everything has come to rest: who is still in, and the end offset of every partition. */
  | {
      readonly event: 'rested'
      readonly members: readonly string[]
      readonly ends: readonly number[]
    }
)

export type ViolationKind =
  | 'member failed'
  | 'two owners'
  | 'two owners in one generation'
  | 'generation went back'
  | 'no owner'
  | 'uneven'
  | 'strangers in the group'
  | 'lost record'
  | 'another record'
  | 'held by two'
  | 'back after it was accepted'
  | 'delivered too often'
  | 'slow convergence'

export interface Violation {
  readonly kind: ViolationKind
  /** Whom and what it concerns, in words. */
  readonly what: string
}

export interface Limits {
  readonly protocol: 'classic' | 'consumer' | 'share'
  readonly heartbeatMs: number
  /** From the moment the broker knew of the last change. */
  readonly convergenceIntervalsMax: number
  /** Of one record of a share group. */
  readonly deliveriesMax: number
}

export interface Figures {
  readonly assignments: number
  /** Members that were alive and lost partitions because the broker had given them up. */
  readonly fenced: number
  readonly records: number
  /** All that was delivered, again or not. */
  readonly deliveries: number
  readonly deliveryCountMax: number
  readonly convergenceIntervals: number
}

/** Everything in a history that a group must never do. */
export function findViolations(
  history: readonly GroupEvent[],
  limits: Limits,
): { violations: Violation[]; figures: Figures }
