import type { NumberedTopic } from '../../src/groups/commits/numbered-topic.ts'
import { idOf } from './group-topics.ts'

/** A topic of VLSNs without a log: what is written is there at once, in one era after another. */
export class TestNumberedTopic implements NumberedTopic {
  readonly name: string
  readonly id: string
  readonly viewName: string
  readonly viewId: string
  isWhole = true
  /** The VLSNs of each partition, by offset; undefined where a marker lies. */
  readonly logs: (bigint | undefined)[][]
  readonly starts: number[]
  /** The next VLSN. */
  end = 0n

  constructor(name: string, partitionCount: number) {
    this.name = name
    this.id = idOf(name)
    this.viewName = `${name}.vlsn`
    this.viewId = idOf(this.viewName)
    this.logs = Array.from({ length: partitionCount }, () => [])
    this.starts = this.logs.map(() => 0)
  }

  get partitionCount(): number {
    return this.logs.length
  }

  /** Writes so many records, each where its number belongs. */
  write(count: number): this {
    for (let left = count; left > 0; left--) {
      this.logs[Number(this.end % BigInt(this.partitionCount))]!.push(this.end)
      this.end++
    }
    return this
  }

  /** Leaves a number out for good. */
  skip(): void {
    this.end++
  }

  mark(partition: number): void {
    this.logs[partition]!.push(undefined)
  }

  deleteBefore(partition: number, offset: number): void {
    this.starts[partition] = Math.max(this.starts[partition]!, offset)
  }

  grow(partitionCount: number): void {
    while (this.logs.length < partitionCount) {
      this.logs.push([])
      this.starts.push(0)
    }
  }

  /** What a partition holds from an offset on, oldest first. */
  from(partition: number, offset: bigint | undefined): bigint[] {
    const first = Math.max(Number(offset ?? 0n), this.starts[partition]!)
    return this.logs[partition]!.slice(first).filter(vlsn => vlsn !== undefined)
  }

  committedBelow(offsets: readonly (bigint | undefined)[]): bigint {
    let least = this.end
    for (let partition = 0; partition < this.partitionCount; partition++) {
      const open = this.from(partition, offsets[partition])[0]
      if (open !== undefined && open < least) least = open
    }
    return least
  }

  offsetFrom(partition: number, vlsn: bigint): bigint {
    const log = this.logs[partition]!
    const start = this.starts[partition]!
    const at = log.findIndex((each, offset) => offset >= start && each !== undefined && each >= vlsn)
    return BigInt(at < 0 ? log.length : at)
  }
}
