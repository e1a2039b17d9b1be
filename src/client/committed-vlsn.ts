import type { KafkaAdmin } from './kafka-client.ts'

/** What stands beside a committed offset. */
export interface VlsnMark {
  /** Everything below it is done: in the whole topic where the consumer reads in order, else in this partition. */
  readonly next: bigint
  /** How many partitions the topic had. */
  readonly partitionCount: number
}

/** As the metadata of a commit: `odradek.vlsn=NEXT/PARTITIONS`. */
export function markText({ next, partitionCount }: VlsnMark): string {
  return `odradek.vlsn=${next}/${partitionCount}`
}

function markOf(metadata: string | null): VlsnMark | undefined {
  const [, next, partitionCount] = /^odradek\.vlsn=(\d+)\/(\d+)$/.exec(metadata ?? '') ?? []
  return next === undefined ? undefined : { next: BigInt(next), partitionCount: Number(partitionCount) }
}

/** A partition's commit. */
export interface Committed {
  readonly partition: number
  /** -1 where nothing is committed. */
  readonly offset: bigint
  readonly mark: VlsnMark | undefined
}

export async function committedIn(admin: KafkaAdmin, groupId: string, topic: string): Promise<Committed[]> {
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] })
  return (answer?.partitions ?? []).map(({ partition, offset, metadata }) => ({
    partition,
    offset: BigInt(offset),
    mark: markOf(metadata),
  }))
}
