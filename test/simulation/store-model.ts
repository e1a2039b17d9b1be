import type { Appended } from '../../src/storage/partition-log.ts'

/** A batch that was appended: as it was stamped, and what is known of its fate. */
export interface AppendedBatch {
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly bytes: Buffer
  readonly leaderEpoch: number
  /** Shared by all the batches of a block. */
  readonly block: Appended['committed']
  fate: 'pending' | 'acknowledged' | 'refused'
}

/** What is known of a partition. Its log start is durable elsewhere, as in the catalog. */
export interface KnownPartition {
  readonly id: number
  readonly createdAt: number
  readonly shard: number
  logStart: bigint
  /** The greatest high watermark that a reader was shown. */
  shown: bigint
  /** The same of the last stable offset. */
  shownStable: bigint
  readonly batches: AppendedBatch[]
  /** Of the partition's one idempotent producer. */
  sequence: number
  /** The next sequence of each of its transactional producers. */
  readonly transactional: number[]
}

/** How many transactional producers a partition has. */
export const transactionalCount = 2

/** The producer id of one of them. */
export function transactionalId({ id }: Pick<KnownPartition, 'id'>, which: number): bigint {
  return BigInt(id * transactionalCount + which) + 1_000_000n
}

/** What a store has promised and done, by partition. */
export class StoreModel {
  readonly partitions: Map<number, KnownPartition>
  idNext: number
  startCount: number

  constructor(partitions = new Map<number, KnownPartition>(), idNext = 1, startCount = 0) {
    this.partitions = partitions
    this.idNext = idNext
    this.startCount = startCount
  }

  /** The same as of now; what happens later to either is not seen in the other. */
  copy(): StoreModel {
    const partitions = new Map<number, KnownPartition>()
    for (const [id, partition] of this.partitions) {
      partitions.set(id, {
        ...partition,
        batches: partition.batches.map(batch => ({ ...batch })),
        transactional: [...partition.transactional],
      })
    }
    return new StoreModel(partitions, this.idNext, this.startCount)
  }
}
