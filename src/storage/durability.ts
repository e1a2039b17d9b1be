/**
 * When whoever appends is answered (seed 004, DurabilityMode): `sync` once the one sync that is for this produce alone is
 * done, `group` once the sync of its block is, `async` at once.
 */
export type DurabilityMode = 'sync' | 'group' | 'async'

/**
 * How soon a batch is on disk, and whether it is waited for. A trigger has the block closed as soon as the one before it
 * is synced, with all that has come by then.
 */
export interface Durability {
  readonly mode: DurabilityMode
  /** The block waits for no more than so many records (seed 003, the volume trigger), ... */
  readonly recordsMax: number
  /** ... and no longer than so many milliseconds from this batch on (seed 003, the latency trigger). */
  readonly delayMsMax: number
  /** With this many records of its partition accepted and not synced, an append waits for its sync all the same. */
  readonly unsyncedRecordsMax: number
}

/** As soon as the block before it is synced, and no later: what coordinators have, and everybody who asks for nothing. */
export const groupCommit: Durability = {
  mode: 'group',
  recordsMax: Infinity,
  delayMsMax: 0,
  unsyncedRecordsMax: Infinity,
}
