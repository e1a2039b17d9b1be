import { readBatch } from '../../src/protocol/records/batch.ts'
import { readControlBatch } from '../../src/protocol/records/control.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { hold } from './hold.ts'
import type { AppendedBatch, KnownPartition } from './store-model.ts'

/** A transaction as its batches tell it. */
interface Told {
  readonly producerId: bigint
  readonly firstOffset: bigint
  /** Of its first batch that is not before the log start; undefined where all are. */
  firstAlive: bigint | undefined
  /** Of its marker. */
  lastOffset: bigint | undefined
  /** Its marker has been accepted, and cannot be seen yet. */
  isEnding: boolean
  isAborted: boolean
}

/** What the batches below `end` say of transactions, in the order of their first offsets; those behind say only which are ending. */
function transactionsIn(batches: readonly AppendedBatch[], logStart: bigint, end: bigint): Told[] {
  const all: Told[] = []
  const open = new Map<bigint, Told>()
  for (const { bytes, baseOffset, nextOffset } of batches) {
    const batch = readBatch(bytes)
    if (nextOffset > end) {
      const ending = batch.isControl ? open.get(batch.producerId) : undefined
      if (ending) ending.isEnding = true
      continue
    }
    if (!batch.isTransactional) continue
    const { producerId } = batch
    let told = open.get(producerId)
    if (batch.isControl) {
      open.delete(producerId)
      if (!told) continue
      told.lastOffset = baseOffset
      told.isAborted = readControlBatch(batch)!.type === 'ABORT'
      continue
    }
    if (!told) {
      told = {
        producerId,
        firstOffset: baseOffset,
        firstAlive: undefined,
        lastOffset: undefined,
        isEnding: false,
        isAborted: false,
      }
      open.set(producerId, told)
      all.push(told)
    }
    if (nextOffset > logStart) told.firstAlive ??= baseOffset
  }
  return all
}

/**
 * Holds a partition's last stable offset and what it tells of aborted transactions against what was appended (invariant 5). A transaction
 * of which the log start has passed the beginning begins with what is left of it, unless its marker is on its way.
 */
export function checkTransactions(partition: KnownPartition, log: PartitionLog): void {
  const { id, batches } = partition
  const { highWatermark: end, logStartOffset: logStart, lastStableOffset: stable } = log
  const told = transactionsIn(batches, logStart, end)
  const open = told.filter(({ lastOffset }) => lastOffset === undefined)
  const most = greatest(logStart, smallest(end, ...open.map(({ firstAlive }) => firstAlive ?? end)))
  const isCut = open.some(({ isEnding, firstOffset }) => isEnding && firstOffset < logStart)
  const least = isCut ? logStart : most
  hold(
    least <= stable && stable <= most,
    () => `the last stable offset of partition ${id} is ${stable}, not from ${least} to ${most}`,
  )

  const aborted = new Map(log.abortedTransactions(logStart, end).map(each => [BigInt(each.lastOffset), each]))
  for (const { producerId, firstOffset, firstAlive, lastOffset, isAborted } of told) {
    if (!isAborted || firstAlive === undefined) continue
    const found = aborted.get(lastOffset!)
    aborted.delete(lastOffset!)
    const isTold =
      found?.producerId === producerId && found.firstOffset >= firstOffset && found.firstOffset <= firstAlive
    hold(isTold, () => `partition ${id} does not tell that ${firstAlive} to ${lastOffset} were aborted`)
  }
  for (const { firstOffset, lastOffset } of aborted.values()) {
    const isVisible = firstOffset >= logStart && lastOffset < end
    hold(!isVisible, () => `partition ${id} tells that ${firstOffset} to ${lastOffset} were aborted`)
  }
}

function smallest(first: bigint, ...others: readonly bigint[]): bigint {
  return others.reduce((least, each) => (each < least ? each : least), first)
}

function greatest(left: bigint, right: bigint): bigint {
  return left > right ? left : right
}
