import type { Disk } from '../../base/disk.ts'
import { readAnchor, type Anchor } from '../anchor.ts'
import { readCheckpoint, type CheckpointHead } from '../checkpoint.ts'
import type { Trailer } from '../footer.ts'
import type { PartitionState } from '../partition-state.ts'
import { trailerOf } from '../recovery.ts'
import { firstBlockOf, orphansOf, Segment } from '../segment.ts'
import { anchorName, checkpointName, folderOf } from '../shard.ts'
import { beginning, syncedBehind, walk, type Tail, type Walk, type WalkedBlock } from '../walk.ts'

interface Checkpoint {
  readonly head: CheckpointHead
  readonly states: readonly PartitionState[]
}

/** A shard's files as they lie on the disk, while nobody writes to them. */
export class ShardAtRest {
  readonly id: number
  readonly folder: string
  readonly anchorBytes: Buffer
  readonly anchor: Anchor | undefined
  readonly checkpointBytes: Buffer | undefined
  readonly checkpoint: Checkpoint | undefined
  /** Index files without a segment. */
  readonly orphans: readonly string[]
  /** The greatest block number that is known to have been synced; walking may raise it. */
  knownSynced: number
  readonly #disk: Disk
  readonly #firstBlocks: readonly number[]

  private constructor(
    disk: Disk,
    id: number,
    found: { names: readonly string[]; anchorBytes: Buffer; checkpointBytes: Buffer | undefined },
  ) {
    this.#disk = disk
    this.id = id
    this.folder = folderOf(id)
    this.anchorBytes = found.anchorBytes
    this.anchor = readAnchor(found.anchorBytes).anchor
    this.checkpointBytes = found.checkpointBytes
    this.checkpoint = readCheckpoint(found.checkpointBytes)
    this.orphans = orphansOf(found.names)
    this.#firstBlocks = found.names.flatMap(name => firstBlockOf(name) ?? [])
    const lastFirstBlock = this.#firstBlocks.at(-1) ?? 1
    this.knownSynced = Math.max(
      this.anchor?.blockNumber ?? 0,
      this.checkpoint?.head.blockNumber ?? 0,
      lastFirstBlock - 1,
    )
  }

  static async open(disk: Disk, id: number): Promise<ShardAtRest> {
    const names = await disk.list(folderOf(id))
    const anchorBytes = (await disk.read(anchorName(id))) ?? Buffer.alloc(0)
    const checkpointBytes = await disk.read(checkpointName(id))
    return new ShardAtRest(disk, id, { names, anchorBytes, checkpointBytes })
  }

  /** Bytes of all segments. */
  async sizeInBytes(): Promise<number> {
    let size = 0
    for (const firstBlock of this.#firstBlocks) {
      const segment = new Segment(this.#disk, this.folder, firstBlock)
      await segment.open()
      size += segment.file.size
      await segment.close()
    }
    return size
  }

  /** The segments, oldest first, each open until the next one comes. They are to be walked in turn. */
  async *segments(): AsyncGenerator<SegmentAtRest, void, void> {
    let before = beginning
    for (const [index, firstBlock] of this.#firstBlocks.entries()) {
      const segment = new Segment(this.#disk, this.folder, firstBlock)
      await segment.open()
      try {
        const nextFirstBlock = this.#firstBlocks[index + 1]
        const atRest = new SegmentAtRest(this, segment, await trailerOf(segment), { before, nextFirstBlock })
        yield atRest
        before = atRest.walked?.tail ?? before
      } finally {
        await segment.close()
      }
    }
  }

  /** Where the shard ends after a walk to `tail`: its newest segments may have been removed, since nothing in them was alive. */
  endAfter(tail: Tail): Tail {
    const head = this.checkpoint?.head
    const isRemoved = head && head.blockNumber > tail.blockNumber && !this.#firstBlocks.includes(head.segment)
    return isRemoved ? head : tail
  }

  /** Why blocks are not there that were synced behind the shard's end; undefined where there are none. */
  missingBehind({ blockNumber }: Tail): string | undefined {
    if (blockNumber >= this.knownSynced) return undefined
    return `${this.folder}: blocks ${blockNumber + 1} to ${this.knownSynced} were synced and are not there`
  }
}

/** One segment of a shard at rest. */
export class SegmentAtRest {
  readonly segment: Segment
  readonly trailer: Trailer | undefined
  /** Where the shard's blocks ended before this segment. */
  readonly before: Tail
  /** Undefined for the newest. */
  readonly nextFirstBlock: number | undefined
  /** Once it was walked. */
  walked: Walk | undefined
  readonly #shard: ShardAtRest

  constructor(
    shard: ShardAtRest,
    segment: Segment,
    trailer: Trailer | undefined,
    { before, nextFirstBlock }: { before: Tail; nextFirstBlock: number | undefined },
  ) {
    this.#shard = shard
    this.segment = segment
    this.trailer = trailer
    this.before = before
    this.nextFirstBlock = nextFirstBlock
  }

  /** Blocks are missing before this segment. */
  get isBehindGap(): boolean {
    return this.before.blockNumber !== this.segment.firstBlock - 1
  }

  /** Where the blocks should end. */
  get blocksEnd(): number {
    return this.trailer?.rowsPosition ?? this.segment.file.size
  }

  /** Walks the blocks; the batches of those from `checkedFrom` on are checked too. */
  async walk(visit: (block: WalkedBlock) => void | Promise<void>, checkedFrom = 0): Promise<Walk> {
    const { firstBlock, file } = this.segment
    const known = [this.before, this.#shard.checkpoint?.head, beginning]
    return (this.walked = await walk(file, {
      shard: this.#shard.id,
      segment: firstBlock,
      end: this.blocksEnd,
      after: known.find(tail => tail?.blockNumber === firstBlock - 1),
      checkedFrom,
      visit: block => {
        this.#shard.knownSynced = Math.max(this.#shard.knownSynced, block.header.knownSynced)
        return visit(block)
      },
    }))
  }

  /** After the walk: why something is not there that was synced; undefined where all is. */
  async damage(): Promise<string | undefined> {
    const { tail, broken } = this.walked!
    const { file, logName } = this.segment
    if (this.trailer) {
      if (broken === undefined && tail.blockNumber === this.trailer.lastBlock) return undefined
    } else if (this.nextFirstBlock !== undefined) {
      if (tail.blockNumber === this.nextFirstBlock - 1) return undefined
    } else {
      const isJudged = broken === undefined || tail.blockNumber < this.#shard.knownSynced
      const behind = isJudged ? 0 : await syncedBehind(file, tail.position, this.blocksEnd, tail.blockNumber)
      this.#shard.knownSynced = Math.max(this.#shard.knownSynced, behind)
      if (tail.blockNumber >= this.#shard.knownSynced) return undefined
    }
    const lost = this.blocksEnd - tail.position
    return `${logName} is broken at ${tail.position}, behind block ${tail.blockNumber}: ${broken ?? 'blocks are missing'}; ${lost} bytes from there on cannot be trusted`
  }
}
