import { everyRow, indexFault, indexUpTo } from './index-check.ts'
import { PartitionState } from './partition-state.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Producer } from './producer-state.ts'
import { absorb } from './recovery.ts'
import { RunRows } from './run-rows.ts'
import type { Run } from './run.ts'
import type { Segment } from './segment.ts'
import type { Shard } from './shard.ts'
import type { Store } from './store.ts'
import { beginning, walk, type Tail } from './walk.ts'

/**
 * Walks everything that is synced and holds against it what the store believes: blocks are whole and follow one
 * another, indexes and footers say what the blocks do, and each partition's offsets, rows, epochs, producers and transactions are
 * those that its batches give (invariants 2, 3 and 8). Resolves to what is wrong, a sentence each.
 */
export async function audit(store: Store): Promise<string[]> {
  // A fenced shard is audited as far as it is synced; the others are waited for all the same.
  await Promise.allSettled(store.shards.map(shard => shard.flush()))
  const problems: string[] = []
  for (const shard of store.shards)
    problems.push(...(await shard.exclusively(() => new ShardAudit(shard).run())))
  return problems
}

class ShardAudit {
  readonly #shard: Shard
  readonly #problems: string[] = []
  readonly #states = new Map<number, PartitionState>()
  /** The runs as the blocks give them, by the first block of their segment and by partition. */
  readonly #runs = new Map<number, Map<number, Run>>()
  /** What was visible when the audit began. */
  readonly #ends = new Map<PartitionLog, number>()
  readonly #synced: Tail

  constructor(shard: Shard) {
    this.#shard = shard
    this.#synced = shard.synced
    for (const log of shard.logs.values()) this.#ends.set(log, log.syncedOffset)
  }

  async run(): Promise<string[]> {
    const segments = this.#shard.segments.filter(segment => segment.isOpen)
    for (const segment of segments) segment.retain()
    try {
      let tail: Tail | undefined = segments[0]?.firstBlock === 1 ? beginning : undefined
      for (const segment of segments) tail = await this.#auditSegment(segment, tail)
    } finally {
      for (const segment of segments) await segment.release()
    }
    for (const [log, end] of this.#ends) {
      if (this.#shard.logs.get(log.id) === log) this.#auditPartition(log, end)
    }
    return this.#problems
  }

  #report(problem: string): void {
    this.#problems.push(`shard ${this.#shard.id}: ${problem}`)
  }

  async #auditSegment(segment: Segment, before: Tail | undefined): Promise<Tail | undefined> {
    const { blockNumber, position } = this.#synced
    if (segment.firstBlock > blockNumber) return before
    const isNewest = segment.firstBlock === this.#synced.segment
    const shadow = segment.twin()
    const isAfter = before?.blockNumber === segment.firstBlock - 1
    const { tail, broken } = await walk(segment.file, {
      shard: this.#shard.id,
      segment: segment.firstBlock,
      end: isNewest && !segment.isClosed ? position : segment.size,
      after: isAfter && !segment.tail ? before : undefined,
      isRewritten: segment.tail !== undefined,
      checkedFrom: 0,
      visit: block =>
        absorb(block, shadow, everyRow, (row, place) => {
          let state = this.#states.get(row.partition)
          if (!state) this.#states.set(row.partition, (state = new PartitionState(row.partition)))
          if (row.baseOffset < state.nextOffset) {
            this.#report(`partition ${row.partition} has offset ${row.baseOffset} behind ${state.nextOffset}`)
          } else {
            state.extend(row)
            place(state)
          }
        }),
    })
    if (broken) this.#report(`${segment.logName} is broken at ${tail.position}: ${broken}`)
    this.#runs.set(segment.firstBlock, new Map(shadow.memory!.runs.map(run => [run.partition, run])))
    shadow.size = tail.position
    const end = segment.tail ?? tail
    shadow.lastBlock = end.blockNumber
    shadow.lastHeaderCrc = end.headerCrc
    if (!this.#shard.fault) await this.#auditIndexes(segment, shadow)
    return end
  }

  async #auditIndexes(segment: Segment, shadow: Segment): Promise<void> {
    // Blocks that were committed since the audit began are in the index and the footer, and not in the shadow.
    const isWhole = segment.isClosed && segment.lastBlock === shadow.lastBlock
    const found = await segment.readIndexFile()
    const index = isWhole ? found : indexUpTo(found, shadow.size)
    const fault = indexFault(index, shadow.memory!)
    if (fault !== undefined) this.#report(`${segment.indexName} ${fault}`)
    if (isWhole && !(await segment.readFooter()).equals(shadow.drawFooter(index))) {
      this.#report(`the footer of ${segment.logName} is not what the blocks give`)
    }
  }

  #auditPartition(log: PartitionLog, end: number): void {
    const { id, state } = log
    const found = this.#states.get(id)
    const says = (what: string, believed: unknown, scanned: unknown): void =>
      this.#report(`partition ${id}: ${what} is ${believed}, the blocks give ${scanned}`)

    if (found && found.nextOffset !== end && end > state.logStart)
      says('the high watermark', end, found.nextOffset)
    if (!found && end > state.logStart) says('the high watermark', end, 'nothing')
    if (state.logStart > end || end > state.nextOffset) says('the high watermark', end, state.logStart)
    const stable = Number(log.lastStableOffset)
    if (stable > log.committedOffset || stable < state.logStart)
      says('the last stable offset', stable, `${state.logStart} to ${log.committedOffset}`)
    let offset = state.logStart
    for (const run of state.runs) offset = this.#auditRun(log, run, offset, end)
    if (offset < end) says('what can be read', `up to ${end}`, offset)

    if (found) {
      for (const { what, believed, given } of differences(state, found, end)) says(what, believed, given)
    }
  }

  /** Compares a run's rows with those of the walk; returns the offset up to which it can be read. */
  #auditRun(log: PartitionLog, run: Run, from: number, end: number): number {
    const scanned = this.#runs.get(run.segment.firstBlock)?.get(log.id)
    const believedRows = new RunRows()
    const scannedRows = new RunRows()
    let offset = from
    for (let index = 0; index < run.rowCount; index++) {
      const { baseOffset, nextOffset, position, length, lsn } = believedRows.row(run, index)
      if (nextOffset > end) break
      const row = scanned && index < scanned.rowCount ? scannedRows.row(scanned, index) : undefined
      const isSame =
        row?.baseOffset === baseOffset &&
        row.nextOffset === nextOffset &&
        row.position === position &&
        row.length === length &&
        row.lsn === lsn
      if (!isSame) {
        this.#report(
          `partition ${log.id}: the row of offset ${baseOffset} in ${run.segment.logName} is not the block's`,
        )
      }
      if (nextOffset <= from) continue
      if (baseOffset > offset && offset >= log.state.compactedOffset)
        this.#report(`partition ${log.id}: nothing between ${offset} and ${baseOffset}`)
      offset = nextOffset
    }
    return offset
  }
}

interface Difference {
  readonly what: string
  readonly believed: unknown
  /** What the blocks give. */
  readonly given: unknown
}

/** Where the producers, transactions and epochs that a partition is believed to have below `end` are not those of its batches. */
export function* differences(
  believed: PartitionState,
  found: PartitionState,
  end: number,
): Generator<Difference, void, void> {
  yield* producerDifferences(believed, found, end)
  yield* openDifferences(believed, found, end)
  yield* abortedDifferences(believed, found, end)
  for (const { epoch, startOffset } of believed.epochs.entries) {
    // Where compaction has been, an epoch's first batch may be gone.
    if (startOffset >= end || startOffset < believed.compactedOffset) continue
    const given = found.epochs.of(startOffset)
    if (given >= 0 && given !== epoch) yield { what: `the epoch at ${startOffset}`, believed: epoch, given }
  }
}

function* producerDifferences(
  believed: PartitionState,
  found: PartitionState,
  end: number,
): Generator<Difference, void, void> {
  for (const { producerId, epoch, lastTimestamp, batches: all } of found.producers) {
    // What lies before the log start may be gone here and there.
    const batches = all.filter(({ lastOffset }) => lastOffset >= believed.logStart)
    const producer = believed.producers.get(producerId)
    if (!producer && lastTimestamp <= believed.producers.expiredMs) continue
    // Compaction leaves the last one alone.
    const last = believed.compactedOffset > 0 ? batches.slice(-1) : batches
    // All of its newest epoch may be gone as well, while another file still has what the producer wrote before.
    const hasEpoch = producer && (producer.epoch === epoch || (last.length === 0 && producer.epoch > epoch))
    const isSame = producer && (believed.nextOffset > end || (hasEpoch && sameTail(producer.batches, last)))
    if (isSame) continue
    yield {
      what: `producer ${producerId}`,
      believed: producer && told(producer),
      given: told({ epoch, batches }),
    }
  }
}

function told({ epoch, batches }: Pick<Producer, 'epoch' | 'batches'>): string {
  return JSON.stringify({ epoch, batches })
}

/** Whether what is open at the end is what is believed to be; of what began before the log start, batches and markers may be gone. */
function* openDifferences(
  believed: PartitionState,
  found: PartitionState,
  end: number,
): Generator<Difference, void, void> {
  // What came since `end` may have ended or begun transactions.
  if (believed.nextOffset > end) return
  const first = believed.logStart
  for (const { producerId, firstOffset } of found.transactions.open()) {
    if (firstOffset < first) continue
    const since = believed.transactions.openSince(producerId)
    if (since === undefined || (since !== firstOffset && since >= first))
      yield { what: `the transaction of producer ${producerId}`, believed: since, given: firstOffset }
  }
  for (const { producerId, firstOffset } of believed.transactions.open()) {
    const given = found.transactions.openSince(producerId)
    if (given === undefined && firstOffset >= first)
      yield { what: `the transaction of producer ${producerId}`, believed: firstOffset, given }
  }
}

/** Where compaction or deletion has been, the first batches of a transaction, and then all, may be gone. */
function* abortedDifferences(
  believed: PartitionState,
  found: PartitionState,
  end: number,
): Generator<Difference, void, void> {
  const intactFrom = Math.max(believed.logStart, believed.compactedOffset)
  const known = new Map(believed.transactions.aborted.entries.map(each => [each.lastOffset, each]))
  for (const { producerId, firstOffset, lastOffset } of found.transactions.aborted.entries) {
    const abort = known.get(lastOffset)
    known.delete(lastOffset)
    if (lastOffset >= end || firstOffset < believed.logStart) continue
    const isSame =
      abort?.producerId === producerId &&
      (abort.firstOffset === firstOffset || abort.firstOffset < Math.min(firstOffset, intactFrom))
    if (isSame) continue
    yield {
      what: `the transaction aborted at ${lastOffset}`,
      believed: abort && `of producer ${abort.producerId} from ${abort.firstOffset}`,
      given: `of producer ${producerId} from ${firstOffset}`,
    }
  }
  for (const { firstOffset, lastOffset, producerId } of known.values()) {
    if (firstOffset < intactFrom || lastOffset >= end) continue
    const said = `of producer ${producerId} from ${firstOffset}`
    yield { what: `the transaction aborted at ${lastOffset}`, believed: said, given: undefined }
  }
}

interface Numbered {
  readonly lastOffset: number
  readonly lastSequence: number
}

/** Whether both end alike, as far as both go. */
function sameTail(left: readonly Numbered[], right: readonly Numbered[]): boolean {
  const count = Math.min(left.length, right.length)
  return Array.from({ length: count }, (_, index) => index + 1).every(
    back =>
      left.at(-back)!.lastOffset === right.at(-back)!.lastOffset &&
      left.at(-back)!.lastSequence === right.at(-back)!.lastSequence,
  )
}
