import { onTestFinished } from 'vitest'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { Logger } from '../../src/base/logger.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Slabs } from '../../src/base/slabs.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readControlBatch } from '../../src/protocol/records/control.ts'
import { buildBatch, readRecords, type BatchDraft } from '../../src/protocol/records/record.ts'
import { defaultLogSettings, type LogSettings } from '../../src/storage/log-settings.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { openStore, type Store, type StoreOptions } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'

/** Keeps what was said, for tests that expect it to be loud. */
export class LoggedLines implements Logger {
  readonly lines: string[] = []
  #add(level: string): (facts: object, message: string) => void {
    return (_facts, message) => void this.lines.push(`${level} ${message}`)
  }
  debug = this.#add('debug')
  info = this.#add('info')
  warn = this.#add('warn')
  error = this.#add('error')
  fatal = this.#add('fatal')
}

export type TestStoreOptions = Partial<StoreOptions> & { clock?: Clock; disk?: Disk }

/** A store in memory unless told otherwise. */
export function openTestStore(options: TestStoreOptions = {}): Promise<Store> {
  return openStore({
    disk: memoryDisk(),
    clock: systemClock,
    random: seededRandom(1),
    slabs: new Slabs(),
    logger: new LoggedLines(),
    ...options,
  })
}

/** A store without a tail whose partitions, 1 and so on, go by these settings. */
export async function openConfigured(
  settings: readonly LogSettings[],
  options: TestStoreOptions,
): Promise<{ store: Store; logs: PartitionLog[] }> {
  const store = await openTestStore({ tailBytesMax: 0, ...options })
  const logs = settings.map((each, index) => {
    const log = store.create(index + 1, { createdAt: 1 })
    log.configure(each)
    return log
  })
  store.dropUnknown()
  return { store, logs }
}

export function batchOf(values: readonly string[], draft: Partial<BatchDraft> = {}): Buffer {
  return buildBatch({
    records: values.map((value, index) => ({ value: Buffer.from(value), timestamp: BigInt(1000 + index) })),
    ...draft,
  })
}

export async function readAll(log: PartitionLog, from = log.logStartOffset): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let offset = from; offset < log.highWatermark;) {
    const slice = await log.read(offset, { lengthMax: 1 << 20, limit: log.highWatermark, atLeastOne: true })
    pieces.push(...slice.pieces.map(piece => Buffer.from(piece)))
    offset = slice.nextOffset
    slice.release()
  }
  return Buffer.concat(pieces)
}

/** Of a topic that is compacted, in segments of few records. */
export const compacted: LogSettings = {
  ...defaultLogSettings,
  isDeleted: false,
  isCompacted: true,
  segmentBytes: 600,
  fileDeleteDelayMs: 0,
}

/** One batch of records with these keys and values, as of now. */
export function keyed(
  clock: Clock,
  entries: readonly (readonly [string, string | null])[],
  draft: Partial<BatchDraft> = {},
): Buffer {
  const timestamp = BigInt(clock.now())
  return buildBatch({
    records: entries.map(([key, value]) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestamp,
    })),
    ...draft,
  })
}

/** Every record of a log but markers, as `offset key=value`. */
export async function recordsOf(log: PartitionLog): Promise<string[]> {
  const lines: string[] = []
  for (const batch of batchesIn(await readAll(log))) {
    if (batch.isControl) continue
    for (const { key, value, offset } of readRecords(batch))
      lines.push(`${offset} ${key?.toString() ?? ''}=${value?.toString() ?? 'null'}`)
  }
  return lines
}

/** The base offsets of the batches whose records a reader of committed records is given, by what the log tells it. */
export async function readCommitted(log: PartitionLog): Promise<bigint[]> {
  const from = log.logStartOffset
  const limit = log.lastStableOffset
  const ahead = log.abortedTransactions(from, limit).toSorted((a, b) => a.firstOffset - b.firstOffset)
  const aborted = new Set<bigint>()
  const given: bigint[] = []
  for (const batch of batchesIn(await readAll(log))) {
    const { baseOffset, lastOffset, producerId, isControl, isTransactional, recordCount } = batch
    if (lastOffset >= limit) break
    while (ahead.length > 0 && ahead[0]!.firstOffset <= lastOffset) aborted.add(ahead.shift()!.producerId)
    if (isControl) {
      if (readControlBatch(batch)?.type === 'ABORT') aborted.delete(producerId)
    } else if (recordCount > 0 && !(isTransactional && aborted.has(producerId))) given.push(baseOffset)
  }
  return given
}

/** The same by what comes later in these batches, which are all that a partition has. */
export function committedIn(bytes: Buffer): bigint[] {
  const batches = [...batchesIn(bytes)]
  const fates = batches.map(({ isTransactional, isControl, producerId }, index) => {
    if (!isTransactional || isControl) return isControl ? 'control' : 'COMMIT'
    const marker = batches.slice(index).find(each => each.isControl && each.producerId === producerId)
    return marker ? readControlBatch(marker)?.type : 'open'
  })
  const stable = fates.includes('open') ? fates.indexOf('open') : batches.length
  return batches
    .slice(0, stable)
    .filter(({ recordCount }, index) => fates[index] === 'COMMIT' && recordCount > 0)
    .map(({ baseOffset }) => baseOffset)
}

/** A disk whose syncs of log files wait until they are let go, one by one. */
export function heldDisk(): { disk: FaultyDisk; letGo: () => void; held: () => number } {
  const disk = new FaultyDisk()
  const waiting: (() => void)[] = []
  let isHolding = true
  disk.before = (operation, name) =>
    operation === 'sync' && name.endsWith('.log') && isHolding
      ? new Promise(resolve => void waiting.push(resolve))
      : undefined
  onTestFinished(() => {
    isHolding = false
    for (const resolve of waiting.splice(0)) resolve()
  })
  return { disk, letGo: () => waiting.shift()!(), held: () => waiting.length }
}

/** Lets everything happen that waits for no time and no held sync. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => void setImmediate(resolve))
}

export { onTestFinished }
