import { assert } from '../base/assert.ts'

/** From `firstVlsn` on, until the next era begins, a VLSN lies in partition `vlsn % partitionCount`. */
export interface Era {
  readonly firstVlsn: bigint
  readonly partitionCount: number
}

/** Where VLSNs lie, now and before the topic got more partitions. */
export class Eras {
  /** In their order; the first begins at 0. */
  readonly list: readonly Era[]

  constructor(list: readonly Era[]) {
    assert(list[0]?.firstVlsn === 0n, 'eras that do not begin at VLSN 0')
    this.list = list
  }

  partitionOf(vlsn: bigint): number {
    return Number(vlsn % BigInt(this.#at(vlsn).partitionCount))
  }

  /** How many partitions the VLSNs from `vlsn` on go round, and where that ends; undefined where it does not. */
  turnAt(vlsn: bigint): { readonly partitionCount: number; readonly end: bigint | undefined } {
    const index = this.#indexAt(vlsn)
    return { partitionCount: this.list[index]!.partitionCount, end: this.list[index + 1]?.firstVlsn }
  }

  /** How far apart the VLSNs of a partition are between `from` and `to`; undefined where an era begins between them. */
  strideBetween(from: bigint, to: bigint): number | undefined {
    const era = this.#at(from)
    return era === this.#at(to) ? era.partitionCount : undefined
  }

  /** The first VLSN at or above `vlsn` that lies in `partition`, which the newest era has. */
  firstIn(partition: number, vlsn: bigint): bigint {
    const { list } = this
    for (let index = this.#indexAt(vlsn); ; index++) {
      const { firstVlsn, partitionCount } = list[index]!
      const next = list[index + 1]
      if (partition < partitionCount) {
        const from = vlsn > firstVlsn ? vlsn : firstVlsn
        const count = BigInt(partitionCount)
        const found = from + ((BigInt(partition) - (from % count) + count) % count)
        if (!next || found < next.firstVlsn) return found
      }
      assert(next !== undefined, `partition ${partition} of no era`)
    }
  }

  /** These eras and one more. One in which nothing can have been written gives way to it. */
  with(era: Era): Eras {
    return new Eras([...this.list.filter(({ firstVlsn }) => firstVlsn < era.firstVlsn), era])
  }

  #at(vlsn: bigint): Era {
    return this.list[this.#indexAt(vlsn)]!
  }

  #indexAt(vlsn: bigint): number {
    return this.list.findLastIndex(({ firstVlsn }) => firstVlsn <= vlsn)
  }
}
