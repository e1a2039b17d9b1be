import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import {
  batchesIn,
  batchOverhead,
  field,
  readBatch,
  type Batch,
} from '../../../src/protocol/records/batch.ts'
import { readControlBatch } from '../../../src/protocol/records/control.ts'
import { readRecords } from '../../../src/protocol/records/record.ts'
import { cleanBatch } from '../../../src/storage/compaction/batch-cleaning.ts'
import { DirtySection } from '../../../src/storage/compaction/dirty-section.ts'
import { OffsetMap } from '../../../src/storage/compaction/offset-map.ts'
import { TransactionWalk, type AbortedTransaction } from '../../../src/storage/compaction/transaction-walk.ts'
import { Producers } from '../../../src/storage/producer-state.ts'

/**
 * One partition of an Apache Kafka broker, which random producers wrote to (all codecs; idempotent and transactional ones), and its
 * log files (in base64) after each of four cleanings.
 */
interface History {
  readonly kafka: string
  readonly deleteRetentionMs: number
  readonly rounds: readonly {
    /** What was written since the cleaning before. */
    readonly appended: string
    /** When the cleaning began: its new delete horizons less the retention. */
    readonly nowMs: number
    readonly firstDirtyOffset: number
    readonly firstUncleanableOffset: number
    readonly after: string
  }[]
}

const file = join(import.meta.dirname, 'kafka-cleanings.json.gz')
const histories: History[] = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))

const batchesOf = (base64: string): Batch[] => [...batchesIn(Buffer.from(base64, 'base64'))]

/** What a broker knows of producers and transactions, learned from the batches as they come. */
class Witness {
  readonly producers = new Producers()
  readonly aborted: AbortedTransaction[] = []
  readonly #open = new Map<bigint, number>()

  see(batch: Batch): void {
    const { producerId, producerEpoch, baseSequence, lastOffsetDelta } = batch
    const lastOffset = Number(batch.lastOffset)
    if (batch.isControl) {
      const firstOffset = this.#open.get(producerId)
      this.#open.delete(producerId)
      if (firstOffset === undefined || readControlBatch(batch)?.type !== 'ABORT') return
      this.aborted.push({ producerId, firstOffset, lastOffset })
      return
    }
    if (batch.isTransactional && !this.#open.has(producerId)) {
      this.#open.set(producerId, Number(batch.baseOffset))
    }
    if (!batch.hasProducerId) return
    const sequenced = { producerId, producerEpoch, baseSequence, lastOffsetDelta }
    this.producers.note(sequenced, lastOffset, Number(batch.maxTimestamp))
  }
}

test.each(histories)('cleans as Apache Kafka $kafka did', ({ deleteRetentionMs, rounds }) => {
  const witness = new Witness()
  const { producers, aborted } = witness
  let log: Batch[] = []
  for (const { appended, after, nowMs, firstDirtyOffset, firstUncleanableOffset } of rounds) {
    const fresh = batchesOf(appended)
    for (const batch of fresh) witness.see(batch)
    log.push(...fresh)

    const map = new OffsetMap({ bytesMax: 1 << 20, loadFactor: 0.9, recordCount: 10_000 })
    const section = new DirtySection({ firstDirtyOffset, firstUncleanableOffset, map, aborted })
    for (const batch of log) if (batch.lastOffset >= firstDirtyOffset && !section.add(batch)) break
    const rules = { section, walk: new TransactionWalk(aborted), producers, nowMs, deleteRetentionMs }
    const cleaned = log.flatMap(batch => {
      const outcome = cleanBatch(batch, rules)
      if (outcome.kind === 'dropped') return []
      return outcome.kind === 'kept' ? [batch] : [readBatch(outcome.bytes)]
    })

    const expected = batchesOf(after)
    expect(cleaned.map(shapeOf)).toEqual(expected.map(shapeOf))
    log = expected
  }
})

/** All of a batch; the bytes too, where no library's way of compressing makes them differ. */
function shapeOf(batch: Batch): object {
  const header = Buffer.from(batch.view.subarray(0, batchOverhead))
  header.fill(0, field.crc, field.attributes)
  if (batch.codec !== 'none') header.fill(0, field.batchLength, field.partitionLeaderEpoch)
  return {
    header: header.toString('hex'),
    isSound: batch.isSound,
    records: [...readRecords(batch)],
    body: batch.codec === 'none' ? batch.body.toString('hex') : batch.codec,
  }
}
