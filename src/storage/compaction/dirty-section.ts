import type { Batch } from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { OffsetMap } from './offset-map.ts'
import { TransactionWalk, type AbortedTransaction } from './transaction-walk.ts'

export interface DirtySectionOptions {
  readonly firstDirtyOffset: number
  readonly firstUncleanableOffset: number
  readonly map: OffsetMap
  /** At least those that reach into the section. */
  readonly aborted?: readonly AbortedTransaction[]
}

/**
 * The part of a partition that was not cleaned yet, and which offset of each key is the latest in it (Cleaner.buildOffsetMap). A full
 * map cuts the section short; the rest is for the next cleaning.
 */
export class DirtySection {
  readonly firstUncleanableOffset: number
  readonly #firstDirtyOffset: number
  readonly #map: OffsetMap
  readonly #walk: TransactionWalk
  #endOffset: number

  constructor({ firstDirtyOffset, firstUncleanableOffset, map, aborted }: DirtySectionOptions) {
    this.firstUncleanableOffset = firstUncleanableOffset
    this.#firstDirtyOffset = firstDirtyOffset
    this.#map = map
    this.#walk = new TransactionWalk(aborted)
    this.#endOffset = firstUncleanableOffset
  }

  /** Everything below is cleaned by this section's rules: the next section's first dirty offset. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** Whether a full map has cut the section short. */
  get isCut(): boolean {
    return this.#endOffset < this.firstUncleanableOffset
  }

  /**
   * Takes in the next batch: all that reach into the section are to come, in offset order. Returns false once no more are wanted.
   * Throws RecordsError for records that are not sound.
   */
  add(batch: Batch): boolean {
    if (this.isCut) return false
    // An aborted record is no value of its key, and what it replaced is.
    if (this.#walk.pass(batch) || batch.isControl) return true
    for (const { key, offset } of readRecords(batch)) {
      const at = Number(offset)
      if (at < this.#firstDirtyOffset || key === null) continue
      if (at >= this.firstUncleanableOffset) return false
      if (!this.#map.put(key, at)) {
        this.#endOffset = at
        return false
      }
    }
    return true
  }

  /** Whether a record with this key at this offset has been replaced by a later one within the section. */
  isReplaced(key: Buffer, offset: number): boolean {
    return offset < this.#map.get(key)
  }
}
