import type { Disk } from '../base/disk.ts'
import type { MappableDisk, MappedFile } from '../base/mapping.ts'
import { sequencerError } from './errors.ts'
import type { MmapOptions } from './fixed-mmap.ts'
import { KeptSequencer, type Keeper, type Survives } from './sequencer.ts'

const pieceLength = 1024 * 1024

export interface BitmapOptions extends MmapOptions {
  /** How many numbers the file has room for, at least: it takes a byte for 8. A greater one than before makes it longer. */
  readonly capacity: number
}

/**
 * A mapped file in which every number that was handed out has its bit (the seeds give it a byte). The bits are set in order, so
 * that recovery finds the end by bisection.
 */
export class BitmapMmapSequencer extends KeptSequencer {
  /**
   * Opens the counter in `name`; a new one stands at 0. Writes the whole file first, so that a full disk is an error here and not a
   * signal later. Rejects with SequencerError, and MappingError where nothing can be mapped.
   */
  static async open(
    disk: MappableDisk,
    name: string,
    { capacity, survives = 'power loss' }: BitmapOptions,
  ): Promise<BitmapMmapSequencer> {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new RangeError(`a bitmap of ${capacity} numbers`)
    let file: MappedFile | undefined
    try {
      await fill(disk, name, Math.ceil(capacity / 8))
      file = await disk.openMapped(name)
      const value = end(file)
      // Its last bits may be there only because its last owner was killed and the machine was not.
      await file.sync()
      return new BitmapMmapSequencer(name, new Bitmap(file, value, survives), BigInt(value))
    } catch (error) {
      await file?.close()
      if (error instanceof Error && 'code' in error)
        throw sequencerError(`${name}: the counter cannot be opened`, error)
      throw error
    }
  }
}

/** Writes zeros until the file is so long, and has them on the disk. */
async function fill(disk: Disk, name: string, length: number): Promise<void> {
  const file = await disk.open(name)
  try {
    if (file.size >= length) return
    const zeros = Buffer.alloc(Math.min(pieceLength, length - file.size))
    while (file.size < length) {
      await file.writev(file.size, [zeros.subarray(0, Math.min(pieceLength, length - file.size))])
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * One more than the greatest number whose bit is set. After a power loss there may be stray bits and gaps beyond what was
 * synced; wherever in them the bisection ends, it ends above every number that was handed out, for all bits of those are set.
 */
function end(file: MappedFile): number {
  const byte = Buffer.alloc(1)
  const at = (position: number): number => {
    file.readSync(position, byte)
    return byte[0]!
  }
  let low = 0
  for (let high = file.size; low < high;) {
    const middle = Math.floor((low + high) / 2)
    if (at(middle) === 0) high = middle
    else low = middle + 1
  }
  return low === 0 ? 0 : (low - 1) * 8 + 32 - Math.clz32(at(low - 1))
}

class Bitmap implements Keeper {
  readonly valueMax: bigint
  readonly beyond
  readonly note?: (value: bigint) => void
  readonly #file: MappedFile
  readonly #byte = Buffer.alloc(1)
  #marked: number
  #kept: number

  constructor(file: MappedFile, value: number, survives: Survives) {
    this.#file = file
    this.#marked = this.#kept = value
    this.valueMax = BigInt(file.size * 8)
    const message = `the bitmap has room for ${this.valueMax} numbers; open it with a greater capacity`
    this.beyond = { reason: 'used up', message } as const
    if (survives === 'kill') {
      this.note = value => {
        this.#mark(this.#marked, Number(value))
        this.#marked = Number(value)
      }
    }
  }

  /** Sets the bits from `from` up to `to`; those before are set. */
  #mark(from: number, to: number): void {
    const first = Math.floor(from / 8)
    const last = Math.floor((to - 1) / 8)
    if (last > first) this.#file.store(first, Buffer.alloc(last - first, 0xff))
    this.#byte[0] = (1 << (to - last * 8)) - 1
    this.#file.store(last, this.#byte)
  }

  async keep(value: bigint): Promise<bigint> {
    const to = Number(value)
    // From what is certainly on the disk: bits that a failed sync has dropped are clean to the system until they are set again.
    this.#mark(this.#kept, to)
    await this.#file.sync()
    this.#kept = to
    return value
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
