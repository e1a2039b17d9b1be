import type { RecordHeaders } from './kafka-client.ts'

/** A record as a UnifiedConsumer gives it. */
export interface ConsumedRecord {
  /** The VLSN that is its key; undefined where the key is none. */
  readonly vlsn: bigint | undefined
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: RecordHeaders
  /** When it was written, in ms since 1970. */
  readonly timestampMs: number
}

/** What is done with a record. What it rejects with ends the consumer, and the record is not committed. */
export type Handler = (record: ConsumedRecord) => unknown

/** Reading one topic in a group, one way or another. */
export interface Consumption {
  /** Joins the group, and hands records to `handler`, one at a time. Resolves when it has joined. */
  start(handler: Handler): Promise<void>
  /** Commits what is done. */
  commit(): Promise<void>
  /** Commits for the last time if it does so by itself, and leaves the group. */
  close(): Promise<void>
}

/** Whether a commit was refused because the group has moved on; the next owner of the partitions begins at the commit before. */
export function isStaleMember(error: unknown): boolean {
  const { type } = error as { type?: string }
  return type === 'REBALANCE_IN_PROGRESS' || type === 'ILLEGAL_GENERATION' || type === 'UNKNOWN_MEMBER_ID'
}
