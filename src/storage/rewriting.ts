import { Batch } from '../protocol/records/batch.ts'
import { blockHeaderLength, blockLength, writeBlockHeader, type BlockHeader } from './block.ts'
import type { Pace } from './pace.ts'
import { PartitionState } from './partition-state.ts'
import { absorb } from './recovery.ts'
import { rowField, rowLength, RowView, writeRow } from './row.ts'
import type { Run } from './run.ts'
import type { Rewritten } from './segment-list.ts'
import { Segment, SegmentMemory } from './segment.ts'
import type { Shard } from './shard.ts'
import { walk, type Tail, type WalkedBlock } from './walk.ts'

/** What becomes of an entry: its bytes are copied, others take their place, or it goes. */
export type Verdict = 'kept' | 'dropped' | Buffer

/** Decides about an entry that is alive; the row and the batch are good during the call. */
export type Judge = (row: RowView, batch: () => Batch) => Verdict

export const keepAll: Judge = () => 'kept'

export interface Rewriting {
  readonly shard: Shard
  /** Closed segments that follow one another. */
  readonly sources: readonly Segment[]
  readonly judge: Judge
  readonly pace: Pace
}

const outputLength = 1024 * 1024
// A sync of a whole segment at once would have everybody's blocks wait for it.
const syncLengthMax = 8 * 1024 * 1024

/**
 * Writes what is alive of segments into one new file, synced and with its footer, while they go on being read. Each entry keeps its
 * LSN, offsets and epochs, each block its number. Resolves to what `Shard.swap` takes; undefined where the shard was closed or has
 * failed meanwhile, or a source is not sound, which is logged. Rejects with the disk's errors. Nothing is left behind then.
 */
export async function rewrite(rewriting: Rewriting): Promise<Rewritten | undefined> {
  const { sources } = rewriting
  for (const source of sources) {
    source.retain()
    source.isBeingRewritten = true
  }
  const copy = new Copy(rewriting)
  let rewritten: Rewritten | undefined
  try {
    return (rewritten = await copy.run())
  } finally {
    if (!rewritten) {
      for (const source of sources) source.isBeingRewritten = false
      await copy.discard()
    }
    for (const source of sources) await source.release()
  }
}

class Copy {
  readonly #rewriting: Rewriting
  readonly #target: Segment
  readonly #states = new Map<number, PartitionState>()
  readonly #output = Buffer.allocUnsafe(outputLength)
  #filled = 0
  #written = 0
  #synced = 0
  #headerCrc = 0

  constructor(rewriting: Rewriting) {
    this.#rewriting = rewriting
    const { shard, sources } = rewriting
    this.#target = shard.newSegment(sources[0]!.firstBlock)
    this.#target.memory = new SegmentMemory()
  }

  async run(): Promise<Rewritten | undefined> {
    const { shard, sources } = this.#rewriting
    await this.#target.open()
    let tail: Tail | undefined
    for (const source of sources) {
      const walked = await this.#walk(source)
      if (shard.isStopping) return undefined
      if (walked.broken !== undefined || walked.tail.position !== source.size) {
        source.isUnsound = true
        shard.logger.error(
          { shard: shard.id, segment: source.logName, position: walked.tail.position, fault: walked.broken },
          'a segment that is not sound cannot be rewritten',
        )
        return undefined
      }
      tail = source.tail ?? walked.tail
    }
    const { segment } = sources[0]!.tail ?? { segment: sources[0]!.firstBlock }
    const end: Tail = { ...tail!, segment, position: this.#target.size }
    const isEmpty = this.#target.size === 0
    if (isEmpty) await this.discard()
    else await this.#finish(end)
    if (shard.isStopping) return undefined
    return { sources, target: isEmpty ? undefined : this.#target, tail: end, runs: this.#runs() }
  }

  #walk(source: Segment): ReturnType<typeof walk> {
    const { shard } = this.#rewriting
    return walk(source.file, {
      shard: shard.id,
      segment: source.firstBlock,
      end: source.size,
      after: undefined,
      isRewritten: source.tail !== undefined,
      checkedFrom: 0,
      visit: block => this.#copy(block),
    })
  }

  /** Writes what is kept of a block as a block. */
  #copy({ header, bytes, directoryAt }: WalkedBlock): Promise<void> | undefined {
    const { shard, judge } = this.#rewriting
    if (shard.isStopping) return undefined
    const head = Buffer.allocUnsafe(blockHeaderLength + header.directoryLength)
    const pieces: Buffer[] = [head]
    const row = new RowView()
    const bodyAt = directoryAt + header.directoryLength
    let count = 0
    let bodyLength = 0
    let firstLsn = 0
    let lastLsn = 0
    for (let index = 0; index < header.entryCount; index++) {
      row.move(bytes, directoryAt + index * rowLength)
      const batchAt = bodyAt + row.position
      const verdict = shard.isAlive(row) ? judge(row, () => new Batch(bytes, batchAt)) : 'dropped'
      if (verdict === 'dropped') continue
      const { partition, lsn, length } = row
      const at = blockHeaderLength + count * rowLength
      if (verdict === 'kept') {
        bytes.copy(head, at, row.at, row.at + rowLength)
        head.writeUInt32BE(bodyLength, at + rowField.position)
        pieces.push(bytes.subarray(batchAt, batchAt + length))
      } else {
        writeRow(head, at, verdict, 0, { partition, position: bodyLength, lsn })
        pieces.push(verdict)
      }
      bodyLength += pieces.at(-1)!.length
      firstLsn ||= lsn
      lastLsn = lsn
      count++
    }
    if (count === 0) return undefined
    pieces[0] = head.subarray(0, blockHeaderLength + count * rowLength)
    return this.#add(pieces, { ...header, firstLsn, lastLsn, entryCount: count, bodyLength })
  }

  #add(pieces: Buffer[], drawn: BlockHeader): Promise<void> | undefined {
    const target = this.#target
    const head = pieces[0]!
    const header = { ...drawn, isRewritten: true, previousCrc: this.#headerCrc }
    this.#headerCrc = writeBlockHeader(head, header)
    const directoryLength = header.entryCount * rowLength
    const block = { header: { ...header, directoryLength }, position: target.size, bytes: head }
    const { strideRecords } = this.#rewriting.shard.limits
    absorb({ ...block, directoryAt: blockHeaderLength }, target, strideRecords, (row, place) => {
      let state = this.#states.get(row.partition)
      if (!state) this.#states.set(row.partition, (state = new PartitionState(row.partition)))
      place(state)
    })
    target.size += blockLength(header.entryCount, header.bodyLength)
    return this.#write(pieces)
  }

  #write(pieces: readonly Buffer[]): Promise<void> | undefined {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (this.#filled + length > outputLength) return this.#writeOut(pieces, length)
    for (const piece of pieces) this.#filled += piece.copy(this.#output, this.#filled)
    return undefined
  }

  /** Writes what has been gathered, and `pieces` behind it. */
  async #writeOut(pieces: readonly Buffer[], length: number): Promise<void> {
    const { file } = this.#target
    await file.writev(this.#written, [this.#output.subarray(0, this.#filled), ...pieces])
    const total = this.#filled + length
    this.#written += total
    this.#filled = 0
    if (this.#written - this.#synced >= syncLengthMax) {
      await file.sync()
      this.#synced = this.#written
    }
    await this.#rewriting.pace.pass(total)
  }

  async #finish(end: Tail): Promise<void> {
    const target = this.#target
    await this.#writeOut([], 0)
    target.lastBlock = end.blockNumber
    target.lastHeaderCrc = end.headerCrc
    target.tail = end
    target.isFull = true
    await target.writeIndex(target.takeIndexPieces())
    await target.finish()
    target.forget()
  }

  #runs(): Map<number, Run> {
    return new Map([...this.#states].map(([partition, { runs }]) => [partition, runs[0]!]))
  }

  /** Removes the new file. */
  async discard(): Promise<void> {
    if (!this.#target.isOpen) return
    await this.#target.remove().catch((error: unknown) => {
      const { shard } = this.#rewriting
      shard.logger.error({ shard: shard.id, error }, 'a file that was not finished cannot be removed')
    })
  }
}
