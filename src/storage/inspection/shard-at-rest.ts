import type { Disk } from '../../base/disk.ts'
import { readAnchor, type Anchor } from '../anchor.ts'
import { readCheckpoint, type CheckpointHead } from '../checkpoint.ts'
import type { Trailer } from '../footer.ts'
import { emptyManifest, readManifest, type Manifest } from '../manifest.ts'
import type { PartitionState } from '../partition-state.ts'
import { trailerOf } from '../recovery.ts'
import { segmentFiles, segmentName, type SegmentFile } from '../segment-files.ts'
import { Segment } from '../segment.ts'
import { anchorName, checkpointName, folderOf } from '../shard.ts'
import { ifReadable } from '../unreadable.ts'
import { beginning, syncedBehind, walk, type Tail, type Walk, type WalkedBlock } from '../walk.ts'

interface Checkpoint {
  readonly head: CheckpointHead
  readonly states: readonly PartitionState[]
}

interface Found {
  readonly names: readonly string[]
  readonly anchorBytes: Buffer
  readonly checkpointBytes: Buffer | undefined
  readonly manifestBytes: Buffer | undefined
}

/** A shard's files as they lie on the disk, while nobody writes to them. */
export class ShardAtRest {
  readonly id: number
  readonly folder: string
  readonly anchorBytes: Buffer
  readonly anchor: Anchor | undefined
  readonly checkpoint: Checkpoint | undefined
  readonly manifest: Manifest
  readonly isCheckpointDamaged: boolean
  /** Why it is not known which segments there are, or not all are there that are listed. */
  readonly listFaults: string[] = []
  /** Files that count for nothing. */
  readonly leftOver: readonly string[]
  /** The greatest block number that is known to have been synced; walking may raise it. */
  knownSynced: number
  readonly #disk: Disk
  readonly #files: readonly SegmentFile[]

  private constructor(disk: Disk, id: number, found: Found) {
    const { names, anchorBytes, checkpointBytes, manifestBytes } = found
    this.#disk = disk
    this.id = id
    this.folder = folderOf(id)
    this.anchorBytes = anchorBytes
    this.anchor = readAnchor(anchorBytes).anchor
    this.checkpoint = readCheckpoint(checkpointBytes)
    const manifest = manifestBytes ? readManifest(manifestBytes) : emptyManifest
    this.manifest = manifest ?? emptyManifest
    const { files, leftOver } = segmentFiles(names, this.manifest)
    this.#files = files.filter(({ isMissing }) => !isMissing)
    this.leftOver = leftOver
    if (!manifest)
      this.listFaults.push(`${this.folder}/manifest is not sound, and nothing else says which files count`)
    for (const { firstBlock, generation, tail, isMissing } of files) {
      if (!isMissing) continue
      const name = `${this.folder}/${segmentName(firstBlock, generation)}.log`
      this.listFaults.push(
        `${name} is missing, with what was kept of blocks ${firstBlock} to ${tail!.blockNumber}`,
      )
    }
    this.isCheckpointDamaged = checkpointBytes !== undefined && !this.checkpoint
    this.knownSynced = Math.max(
      this.anchor?.blockNumber ?? 0,
      this.checkpoint?.head.blockNumber ?? 0,
      (files.at(-1)?.firstBlock ?? 1) - 1,
      ...this.manifest.lines.map(({ tail }) => tail.blockNumber),
    )
  }

  static async open(disk: Disk, id: number): Promise<ShardAtRest> {
    return new ShardAtRest(disk, id, {
      names: await disk.list(folderOf(id)),
      anchorBytes: (await disk.read(anchorName(id))) ?? Buffer.alloc(0),
      checkpointBytes: await disk.read(checkpointName(id)),
      manifestBytes: await disk.read(manifestName(id)),
    })
  }

  /** Bytes of all segments. */
  async sizeInBytes(): Promise<number> {
    let size = 0
    for (const { firstBlock, generation } of this.#files) {
      const segment = new Segment(this.#disk, this.folder, firstBlock, generation)
      await segment.open()
      size += segment.file.size
      await segment.close()
    }
    return size
  }

  /** The segments, oldest first, each open until the next one comes. They are to be walked in turn. */
  async *segments(): AsyncGenerator<SegmentAtRest, void, void> {
    let before = beginning
    for (const [index, { firstBlock, generation, tail }] of this.#files.entries()) {
      const segment = new Segment(this.#disk, this.folder, firstBlock, generation)
      segment.tail = tail
      await segment.open()
      try {
        const nextFirstBlock = this.#files[index + 1]?.firstBlock
        const atRest = new SegmentAtRest(this, segment, await ifReadable(trailerOf(segment)), {
          before,
          nextFirstBlock,
        })
        yield atRest
        before = atRest.walked ? atRest.end : before
      } finally {
        await segment.close()
      }
    }
  }

  /** The ends of blocks that are gone, of which nothing was kept, or that the checkpoint knows. */
  knownTails(): Tail[] {
    const gone = this.manifest.lines.map(({ tail }) => tail)
    return this.checkpoint ? [this.checkpoint.head, ...gone] : gone
  }

  /** Where the shard ends after a walk to `tail`: its newest segments may have been removed, since nothing in them was alive. */
  endAfter(tail: Tail): Tail {
    const head = this.checkpoint?.head
    const isRemoved = head !== undefined && !this.#files.some(({ firstBlock }) => firstBlock === head.segment)
    const ends = [
      ...this.manifest.lines.filter(({ generation }) => generation === 0).map(each => each.tail),
      ...(isRemoved ? [head] : []),
    ]
    return ends.reduce((last, end) => (end.blockNumber > last.blockNumber ? end : last), tail)
  }

  /** Whether the manifest says that nothing is left of all these blocks. */
  isEmptied(firstBlock: number, lastBlock: number): boolean {
    let next = firstBlock
    for (const { generation, tail } of this.manifest.lines) {
      if (generation === 0 && tail.segment <= next) next = Math.max(next, tail.blockNumber + 1)
    }
    return next > lastBlock
  }

  /** Why blocks are not there that were synced behind the shard's end; undefined where there are none. */
  missingBehind({ blockNumber }: Tail): string | undefined {
    if (blockNumber >= this.knownSynced) return undefined
    return `${this.folder}: blocks ${blockNumber + 1} to ${this.knownSynced} were synced and are not there`
  }
}

/** The file that says which segments count. */
export function manifestName(shard: number): string {
  return `${folderOf(shard)}/manifest`
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

  /** Blocks are missing before this segment, and nothing says that they should be. */
  get isBehindGap(): boolean {
    const [first, last] = [this.before.blockNumber + 1, this.segment.firstBlock - 1]
    return first <= last && !this.#shard.isEmptied(first, last)
  }

  /** Where the blocks should end. */
  get blocksEnd(): number {
    return this.segment.tail?.position ?? this.trailer?.rowsPosition ?? this.segment.file.size
  }

  /** After the walk: the last of the blocks that it stands for, as it was first written. */
  get end(): Tail {
    return this.segment.tail ?? this.walked!.tail
  }

  /** Walks the blocks; the batches of those from `checkedFrom` on are checked too. */
  async walk(visit: (block: WalkedBlock) => void | Promise<void>, checkedFrom = 0): Promise<Walk> {
    const { firstBlock, file, tail } = this.segment
    const isRewritten = tail !== undefined
    const known = [this.before, ...this.#shard.knownTails(), beginning]
    return (this.walked = await walk(file, {
      shard: this.#shard.id,
      segment: firstBlock,
      end: Math.min(this.blocksEnd, file.size),
      after: isRewritten ? undefined : known.find(each => each.blockNumber === firstBlock - 1),
      isRewritten,
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
    if (await this.#isWhole(this.walked!)) return undefined
    const lost = Math.max(0, this.blocksEnd - tail.position)
    const { logName } = this.segment
    return `${logName} is broken at ${tail.position}, behind block ${tail.blockNumber}: ${broken ?? 'blocks are missing'}; ${lost} bytes from there on cannot be trusted`
  }

  async #isWhole({ tail, broken, isUnreadable }: Walk): Promise<boolean> {
    const { segment, trailer, nextFirstBlock, blocksEnd } = this
    if (isUnreadable) return false
    if (segment.tail) return tail.position === segment.tail.position
    if (trailer) return broken === undefined && tail.blockNumber === trailer.lastBlock
    if (nextFirstBlock !== undefined) return tail.blockNumber === nextFirstBlock - 1
    if (broken !== undefined && tail.blockNumber >= this.#shard.knownSynced) {
      const known = await ifReadable(syncedBehind(segment.file, tail.position, blocksEnd, tail.blockNumber))
      if (known === undefined) return false
      this.#shard.knownSynced = Math.max(this.#shard.knownSynced, known)
    }
    return tail.blockNumber >= this.#shard.knownSynced
  }
}
