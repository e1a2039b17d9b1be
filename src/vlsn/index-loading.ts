import { readBigInt64 } from '../protocol/int64.ts'
import { batchesIn, type Batch } from '../protocol/records/batch.ts'
import { bodyLengthMax, decompress } from '../protocol/records/compression.ts'
import { RecordCursor } from '../protocol/records/varint.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import type { Eras } from './eras.ts'
import type { Place, Stretch, VlsnIndex } from './vlsn-index.ts'

/**
 * Fills the index of a partition from its log. Between two records whose offsets and VLSNs are equally far apart there is no room for a
 * gap, since VLSNs rise and those of a partition are at least a partition count apart: what lies between is known without being
 * read. So a log of a writer without gaps is read in two places, and each gap costs as many as it takes to find it by
 * bisection. Rejects as `PartitionLog.read` does.
 */
export async function loadIndex(log: PartitionLog, eras: Eras, index: VlsnIndex): Promise<void> {
  const search = new Search(log, eras)
  await search.look(Number(log.logStartOffset), Number(log.highWatermark), undefined, undefined)
  for (const each of search.found) index.noteStretch(each)
}

/** A batch that was read: the offsets that it takes, and its records, if it has any. */
interface Seen {
  readonly from: number
  readonly to: number
  readonly places: readonly Place[]
}

class Search {
  /** In the order of the offsets. */
  readonly found: Stretch[] = []
  readonly #log: PartitionLog
  readonly #eras: Eras

  constructor(log: PartitionLog, eras: Eras) {
    this.#log = log
    this.#eras = eras
  }

  /** Finds what lies from offset `from` to before `to`; `before` and `after` are the records next to that, where they are known. */
  async look(from: number, to: number, before: Place | undefined, after: Place | undefined): Promise<void> {
    if (from >= to) return
    const stride = before && after && this.#strideWithoutGap(before, after)
    if (stride !== undefined) {
      this.found.push({ vlsn: before!.vlsn + stride, offset: from, stride, count: to - from })
      return
    }
    const middle = Math.floor((from + to) / 2)
    const seen = await this.#read(before ? (after ? middle : to - 1) : from)
    await this.look(from, seen.from, before, seen.places[0])
    for (const place of seen.places) if (place.offset >= from && place.offset < to) this.#note(place)
    await this.look(seen.to, to, seen.places.at(-1), after)
  }

  #strideWithoutGap(before: Place, after: Place): bigint | undefined {
    const stride = this.#eras.strideBetween(before.vlsn, after.vlsn)
    if (stride === undefined) return undefined
    const isDense = after.vlsn - before.vlsn === BigInt(stride) * BigInt(after.offset - before.offset)
    // A marker takes an offset and no VLSN, and so can hide a gap.
    const isWhole = isDense && !this.#log.hasControl(before.offset, after.offset)
    return isWhole ? BigInt(stride) : undefined
  }

  #note({ vlsn, offset }: Place): void {
    this.found.push({ vlsn, offset, stride: 1n, count: 1 })
  }

  async #read(offset: number): Promise<Seen> {
    const limit = this.#log.highWatermark
    const slice = await this.#log.read(BigInt(offset), { lengthMax: 0, limit, atLeastOne: true })
    try {
      const [batch] = batchesIn(slice.pieces[0]!)
      const from = Number(batch!.baseOffset)
      return { from, to: from + batch!.lastOffsetDelta + 1, places: batch!.isControl ? [] : placesIn(batch!) }
    } finally {
      slice.release()
    }
  }
}

/** The places of a stored batch's records. */
export function placesIn(batch: Batch): Place[] {
  const { recordCount, codec } = batch
  const baseOffset = Number(batch.baseOffset)
  const body = decompress(codec, batch.body, bodyLengthMax)
  const cursor = new RecordCursor(body)
  const places: Place[] = []
  for (let count = 0; count < recordCount; count++) {
    const end = cursor.enterRecord(body.length)
    cursor.varlongRounded()
    const offset = baseOffset + cursor.varint()
    const vlsn = readBigInt64(body, cursor.skip(cursor.varint()))
    places.push({ vlsn, offset })
    cursor.position = end
  }
  return places
}
