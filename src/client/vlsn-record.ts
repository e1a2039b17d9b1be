import type { KafkaMessage, RecordHeaders } from './kafka-client.ts'

/** A record of a VLSN topic as readers are given it. */
export interface VlsnRecord {
  readonly vlsn: bigint
  readonly value: Buffer | null
  readonly headers: RecordHeaders
  /** When it was written, in ms since 1970. */
  readonly timestampMs: number
}

export function vlsnRecord(vlsn: bigint, { value, headers = {}, timestamp }: KafkaMessage): VlsnRecord {
  return { vlsn, value, headers, timestampMs: Number(timestamp) }
}
