/** A record as a reader is given it: partition, offset, VLSN (its key), value. */
export type ReadRecord = readonly [partition: number, offset: number, vlsn: number, value: string]

/** An offset to go on at, by partition. */
export type Offsets = readonly (readonly [partition: number, offset: number])[]

/** Who reads: a member of a group that reads the view, or of one that reads the partitions under the strategy `vlsn`. */
export type Group = 'view' | 'partitions'

/** What happened; `at` is in milliseconds of the machine's monotonic clock. */
export type VlsnEvent = { readonly at: number } & (
  | { readonly event: 'writing'; readonly values: readonly string[] }
  /** Answered with success. */
  | { readonly event: 'written'; readonly records: readonly (readonly [vlsn: number, value: string])[] }
  /** A process of the group begins. */
  | { readonly event: 'started'; readonly group: Group }
  | { readonly event: 'read'; readonly group: Group; readonly records: readonly ReadRecord[] }
  /** It is about to commit these; `committed` follows where it was answered with success. */
  | { readonly event: 'committing'; readonly group: Group; readonly offsets: Offsets }
  | { readonly event: 'committed'; readonly group: Group }
  /** What OffsetFetch told while no process of the group was there; `number` is the offset of the view. -1 is none. */
  | { readonly event: 'told'; readonly group: Group; readonly offsets: Offsets; readonly number: number }
  /** An answer: the view ends here. */
  | { readonly event: 'view-end'; readonly end: number }
  | { readonly event: 'broker-killed' }
  | { readonly event: 'broker-back' }
)

/** What is there in the end: of each partition all records, in the order of their offsets, and all of the view. */
export interface Stored {
  readonly partitions: readonly (readonly ReadRecord[])[]
  readonly view: readonly ReadRecord[]
}

export interface Fault {
  readonly kind:
    | 'wrong view'
    | 'lost record'
    | 'another record'
    | 'value from nowhere'
    | 'value twice'
    | 'changed under a reader'
    | 'skipped'
    | 'repeated'
    | 'another place'
    | 'committed what was not read'
    | 'number not complete'
    | 'number went back'
    | 'end went back'
    | 'never read'
    | 'never committed'
  readonly what: string
}

/** What can be counted of a group. */
export interface GroupFigures {
  readonly sessions: number
  readonly deliveries: number
  /** How often a process, or one that joined again, went on behind where the group had read to. */
  readonly resumes: number
  /** Records that were read again after it, in all and at most after one. */
  readonly repeats: number
  readonly repeatsMax: number
}

/**
 * Judges a campaign after it has come to rest: both groups have read and committed everything.
 *
 * - The view is the partitions' records in the order of their VLSNs, whatever was acknowledged is in it, and what a reader was given is there
 *   for ever.
 * - A group goes on where it has committed: at what was answered with success, or sent and not answered since.
 * - Under the strategy `vlsn` a group goes on at one number in all partitions: below it everything was committed; and it is not below
 *   what was committed in all partitions.
 */
export function findFaults(
  history: readonly VlsnEvent[],
  stored: Stored,
): { readonly faults: Fault[]; readonly figures: Record<Group, GroupFigures> }

/** Holds records against VLSNs that follow one another from `from` to before `to`, where VLSN `n` has the value `n`. */
export function openOrder(bounds: { readonly from: number; readonly to: number }): {
  take(records: readonly ReadRecord[]): void
  readonly isWhole: boolean
  faults(): string[]
}
