/** Where a record was written or is read. */
export interface Place {
  readonly topic: string
  readonly partition: number
}

/**
 * How a transaction ended. `unknown`: nobody heard the answer, so either is right, but only one of the two. Plain producing
 * is a transaction of one record.
 */
export type Outcome = 'committed' | 'aborted' | 'unknown'

/** A value, unique in the history, that a producer meant to write. */
export interface Produce extends Place {
  readonly kind: 'produce'
  /** The transaction that it belongs to; all of one share their outcome. */
  readonly transaction: string
  readonly value: string
  /** Whether it was sent under a transaction, so that all of it is there or nothing. */
  readonly isTransactional: boolean
}

/** An offset that a transaction moves for a group: the next to be consumed. */
export interface OffsetCommit extends Place {
  readonly kind: 'offset-commit'
  readonly transaction: string
  readonly group: string
  readonly offset: number
}

/** The end of a transaction. Ends come in the order in which one producer after the other heard them. */
export interface End {
  readonly kind: 'end'
  readonly transaction: string
  readonly outcome: Outcome
}

/** What one poll of a reader of committed records returned, of one partition. */
export interface Poll extends Place {
  readonly kind: 'poll'
  readonly reader: string
  readonly records: readonly { readonly offset: number; readonly value: string }[]
}

/** This reader has read everything that was committed before all writing ended. */
export interface ReadToEnd {
  readonly kind: 'read-to-end'
  readonly reader: string
}

/** A group's offset as it was answered after everything had ended. */
export interface OffsetFetch extends Place {
  readonly kind: 'offset-fetch'
  readonly group: string
  /** -1 when the group has none. */
  readonly offset: number
}

/** What happened, in the order in which it was observed. A reader reads each of its partitions on from
 * wherever it began. */
export type History = readonly (Produce | OffsetCommit | End | Poll | ReadToEnd | OffsetFetch)[]

export type AnomalyKind =
  | 'lost write'
  | 'duplicate'
  | 'aborted read'
  | 'torn transaction'
  | 'non-monotonic poll'
  | 'inconsistent offsets'
  | 'value from nowhere'

export interface Anomaly {
  readonly kind: AnomalyKind
  /** Whom and what it concerns, in words. */
  readonly what: string
}

/** Every anomaly in a history; none when all promises were kept. */
export function findAnomalies(history: History): Anomaly[]
