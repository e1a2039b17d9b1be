/** What the metadata says of a partition over time. */
export interface PartitionLife {
  readonly partition: number
  readonly topic: string
  /** Its number in the topic. */
  readonly index: number
  readonly shard: number
  /** The LSN of the entry that made it. */
  readonly createdLsn: number
  /** The LSN of the entry that deleted it; Infinity while it is there. */
  readonly deletedLsn: number
  /** Where DeleteRecords or retention moved its start to, and the LSNs of the entries that say so; both rise. */
  readonly logStarts: readonly { readonly lsn: number; readonly offset: number }[]
}

/** Everything that the metadata says of partitions, whether they are there or not. */
export interface PartitionHistory {
  lives(): Iterable<PartitionLife>
  life(partition: number): PartitionLife | undefined
}

/** As messages call it: `TOPIC-N`. */
export function nameOf({ topic, index }: PartitionLife): string {
  return `${topic}-${index}`
}

/** Behind every entry. */
export const endOfTime: number = Number.MAX_SAFE_INTEGER

/** Whether it is there when everything up to `lsn` has happened. */
export function isThereAt(life: PartitionLife, lsn: number): boolean {
  return life.createdLsn <= lsn && lsn < life.deletedLsn
}

export function logStartAt(life: PartitionLife, lsn: number): number {
  return life.logStarts.findLast(start => start.lsn <= lsn)?.offset ?? 0
}

/** The LSN from which on nothing below `offset` is alive any more; Infinity where something still is. */
export function deadFrom(life: PartitionLife, offset: number): number {
  const start = life.logStarts.find(start => start.offset >= offset)
  return Math.min(start?.lsn ?? Infinity, life.deletedLsn)
}
