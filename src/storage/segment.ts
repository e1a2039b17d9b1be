import { assert } from '../base/assert.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import type { Region } from '../base/slabs.ts'
import { crc32c } from '../protocol/records/crc32c.ts'
import { trailerLength, writeFooter } from './footer.ts'
import { Rows, rowLength, RowView } from './row.ts'
import type { Run } from './run.ts'
import { segmentName } from './segment-files.ts'
import type { SpareFiles } from './spare-files.ts'
import { indexHead, readIndex, writeIndexEntry, type IndexEntry } from './sparse-index.ts'
import { ifReadable } from './unreadable.ts'
import type { Tail } from './walk.ts'

/** What is kept in RAM of a segment while it is written, and until none of its batches is in the tail cache any more. */
export class SegmentMemory {
  /** In the order of the log; positions count from the start of the file once their block is closed. */
  readonly rows = new Rows()
  /** What holds the batches that are in RAM, by the ordinals of their rows, and where in it each begins. */
  readonly #regions: (Region | undefined)[] = []
  readonly #positions: number[] = []
  readonly runs: Run[] = []
  /** The sparse index, head and entries. */
  readonly index: Buffer[] = [indexHead()]
  cachedCount = 0

  /** A row, by moving `view` there. */
  row(ordinal: number, view: RowView): RowView {
    return view.move(this.rows.chunk(ordinal), this.rows.at(ordinal))
  }

  /** Makes room for one more row and returns its ordinal. */
  add(): number {
    this.#regions.push(undefined)
    this.#positions.push(0)
    return this.rows.add()
  }

  /** Takes over the hold on the batch of a row, which begins at `position` of its region. */
  keep(ordinal: number, region: Region, position: number): void {
    this.#regions[ordinal] = region
    this.#positions[ordinal] = position
  }

  /** What holds the batch of a row; undefined where it is on disk only. */
  region(ordinal: number): Region | undefined {
    return this.#regions[ordinal]
  }

  /** The batch of a row that is in RAM, of which the length is known. */
  batch(ordinal: number, length: number): Buffer {
    const position = this.#positions[ordinal]!
    return this.#regions[ordinal]!.bytes.subarray(position, position + length)
  }

  /** Batches that follow one another and are in RAM, in as few pieces as the memory that they lie in allows. */
  pieces(first: number, count: number): Buffer[] {
    const pieces: Buffer[] = []
    const row = new RowView()
    for (let ordinal = first; ordinal < first + count;) {
      const region = this.#regions[ordinal]!
      const start = this.#positions[ordinal]!
      let end = start
      do end += this.row(ordinal++, row).length
      while (ordinal < first + count && this.#regions[ordinal] === region && this.#positions[ordinal] === end)
      pieces.push(region.bytes.subarray(start, end))
    }
    return pieces
  }

  /** Gives up the hold on the batch of a row, which is in RAM until now. */
  give(ordinal: number): void {
    this.#regions[ordinal]!.release()
    this.#regions[ordinal] = undefined
  }

  /** Gives up all that there are. */
  release(): void {
    for (let ordinal = 0; ordinal < this.#regions.length; ordinal++)
      if (this.region(ordinal)) this.give(ordinal)
  }
}

/**
 * One file of blocks and its sparse index, `N.log` and `N.idx`, named by the number of its first block. What was kept of segments
 * when they were rewritten is in `N-G.log`, where G is the generation that the manifest names, and N the first block of the first.
 */
export class Segment {
  readonly firstBlock: number
  /** 0, unless it was rewritten. */
  readonly generation: number
  readonly name: string
  readonly #disk: Disk
  readonly #folder: string
  #file: DiskFile | undefined
  #index: DiskFile | undefined
  #indexSize = 0
  #indexPieces = 0
  #readers = 0
  #isRemoved = false
  /** Where the blocks end. */
  size = 0
  lastBlock: number
  lastHeaderCrc = 0
  memory: SegmentMemory | undefined
  /** It takes no more blocks. */
  isFull = false
  /** The footer is on disk. */
  isClosed = false
  /** How many partitions still have something alive here. */
  liveRuns = 0
  /** Bytes of all batches, dead ones too. */
  batchBytes = 0
  /** For a rewritten one: where the blocks that it stands for ended, `position` being where its own do. */
  tail: Tail | undefined
  /** It is being read to be replaced, and not to be removed meanwhile. */
  isBeingRewritten = false
  /** Rewriting has found damage in it; reads tell of what it concerns. */
  isUnsound = false
  /** When it may be removed at the earliest, in milliseconds of the monotonic clock. */
  keptUntilMs = 0

  constructor(disk: Disk, folder: string, firstBlock: number, generation = 0) {
    this.#disk = disk
    this.#folder = folder
    this.firstBlock = firstBlock
    this.generation = generation
    this.lastBlock = firstBlock - 1
    this.name = `${folder}/${segmentName(firstBlock, generation)}`
  }

  /** The same segment with nothing in it, for an audit to fill. */
  twin(): Segment {
    const twin = new Segment(this.#disk, this.#folder, this.firstBlock, this.generation)
    twin.memory = new SegmentMemory()
    return twin
  }

  get logName(): string {
    return `${this.name}.log`
  }

  get indexName(): string {
    return `${this.name}.idx`
  }

  get file(): DiskFile {
    assert(this.#file !== undefined, 'a segment used before it was opened')
    return this.#file
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  /** Opens both files, making what is missing. */
  async open(): Promise<void> {
    this.#file = await this.#disk.open(this.logName, { isAppended: true })
    this.#index = await this.#disk.open(this.indexName)
    this.#indexSize = this.#index.size
  }

  /** Adds an entry to the sparse index in RAM; `writeIndex` writes it. */
  addIndexEntry(entry: IndexEntry): void {
    this.memory!.index.push(writeIndexEntry(entry))
  }

  /** The entries of the sparse index that no block has written yet. */
  takeIndexPieces(): Buffer[] {
    const { index } = this.memory!
    const pieces = index.slice(this.#indexPieces)
    this.#indexPieces = index.length
    return pieces
  }

  async writeIndex(pieces: readonly Buffer[]): Promise<void> {
    const position = this.#indexSize
    this.#indexSize += lengthOf(pieces)
    await this.#index!.writev(position, [Buffer.concat(pieces)])
  }

  /** Makes the index file say what the index in RAM does; for recovery. True when it had to be written. */
  async repairIndex(): Promise<boolean> {
    const wanted = Buffer.concat(this.takeIndexPieces())
    const found = await ifReadable(this.readIndexFile())
    this.#indexSize = wanted.length
    if (found?.equals(wanted)) return false
    await this.#index!.truncate(wanted.length)
    await this.#index!.writev(0, [wanted])
    return true
  }

  /** The sparse index as it lies on disk. */
  async readIndexFile(): Promise<Buffer> {
    const bytes = Buffer.alloc(this.#index!.size)
    await this.#index!.read(0, bytes)
    return bytes
  }

  /**
   * An offset of the run before which no batch reaches `timestamp`: from the sparse index, when the rows are not in RAM, and are more
   * than the index of all the segment's runs. Without a sound index that can be read the whole run has to be searched.
   */
  async strideBefore(run: Run, timestamp: number): Promise<number> {
    if (run.ordinals || run.rowCount * rowLength <= this.#indexSize) return run.baseOffset
    this.retain()
    const entries = await ifReadable(this.readIndexFile()).finally(() => this.release())
    let start = run.baseOffset
    for (const { partition, baseOffset, maxTimestamp } of (entries && readIndex(entries)) ?? []) {
      if (partition !== run.partition) continue
      if (maxTimestamp >= timestamp) break
      start = baseOffset
    }
    return start
  }

  /**
   * Writes the footer and syncs both files: nothing is added any more. Where the footer `isMadeAgain`, its trailer is there and may be
   * all that says where the segment ended.
   */
  async finish({ isMadeAgain = false } = {}): Promise<void> {
    const { index } = this.memory!
    assert(lengthOf(index) === this.#indexSize, 'a segment finished before its index was written')
    const footer = this.drawFooter()
    await this.#index!.sync()
    // The trailer last, and once the rest is synced: it vouches for rows that are not looked at when it is found. But one that is there
    // is overwritten by the same bytes and never by the zeros behind a write.
    const trailerAt = isMadeAgain ? 0 : footer.length - trailerLength
    if (trailerAt > 0) {
      await this.file.writev(this.size, [footer.subarray(0, trailerAt)])
      await this.file.sync()
    }
    await this.file.writev(this.size + trailerAt, [footer.subarray(trailerAt)])
    await this.file.truncate(this.size + footer.length)
    await this.file.sync()
    this.isClosed = true
  }

  /** The footer that follows from what RAM holds, with a sparse index that may have another stride. */
  drawFooter(index: Buffer = Buffer.concat(this.memory!.index)): Buffer {
    const { rows, runs } = this.memory!
    return writeFooter(rows, runs, {
      rowsPosition: this.size,
      firstBlock: this.firstBlock,
      lastBlock: this.lastBlock,
      lastHeaderCrc: this.lastHeaderCrc,
      indexLength: index.length,
      indexCrc: crc32c(index),
    })
  }

  /** Gives up what RAM still holds of a closed segment. */
  forget(): void {
    assert(this.isClosed && this.memory?.cachedCount === 0, 'a segment forgotten that is still in use')
    for (const run of this.memory.runs) run.ordinals = undefined
    this.memory = undefined
  }

  /** Everything behind the blocks, as it lies on disk. */
  async readFooter(): Promise<Buffer> {
    const bytes = Buffer.alloc(Math.max(this.file.size - this.size, 0))
    await this.file.read(this.size, bytes)
    return bytes
  }

  /** Rows of a closed segment from its footer, `into` being filled. */
  readRowsSync(firstRow: number, into: Buffer): void {
    const read = this.file.readSync(this.size + firstRow * rowLength, into)
    assert(read === into.length, `rows of ${this.logName} lie behind its end`)
  }

  /** Cuts off what an earlier use of the file left behind the blocks. */
  async trim(): Promise<void> {
    if (this.file.size > this.size) await this.file.truncate(this.size)
  }

  /** Keeps the file open until `release`, though it be removed meanwhile. */
  retain(): void {
    this.#readers++
  }

  async release(): Promise<void> {
    if (--this.#readers === 0 && this.#isRemoved) await this.close()
  }

  /** Removes both files, or leaves the log to `spares`; who still reads from them can go on. They are given up also where that fails. */
  async remove(spares?: SpareFiles): Promise<void> {
    this.#isRemoved = true
    try {
      // A reader would find other blocks in a file that is used again.
      const isKept = this.#readers === 0 && (await spares?.keep(this.logName, this.size))
      if (!isKept) await this.#disk.remove(this.logName)
      await this.#disk.remove(this.indexName)
    } finally {
      if (this.#readers === 0) await this.close()
    }
  }

  async close(): Promise<void> {
    const files = [this.#file, this.#index]
    this.#file = this.#index = undefined
    for (const file of files) await file?.close()
  }
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
