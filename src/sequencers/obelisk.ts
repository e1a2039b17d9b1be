import type { Disk, DiskFile } from '../base/disk.ts'
import { KeptSequencer, type Keeper } from './sequencer.ts'

// ext4 with 4 KiB blocks ends here; larger file systems only end later.
const valueMax = 2n ** 44n - 4096n

export interface ObeliskOptions {
  /**
   * How many numbers a sync covers beyond those that are asked for, so that as many more are handed out without one; a crash loses at
   * most so many. 0 unless given: then the size of the file is the counter at any time.
   */
  readonly ahead?: number | undefined
}

/**
 * A counter whose value is the size of a file (seed 002). It grows by ftruncate, which leaves a hole and takes no space,
 * and is synced before a number is handed out; so no number is ever handed out twice, and recovery is one stat. A close cuts off what
 * it is ahead.
 */
export class ObeliskSequencer extends KeptSequencer {
  /** Opens the counter in `name`; a new one stands at 0. Rejects with the disk's errors as they are. */
  static async open(disk: Disk, name: string, { ahead = 0 }: ObeliskOptions = {}): Promise<ObeliskSequencer> {
    if (!Number.isSafeInteger(ahead) || ahead < 0) throw new RangeError(`${ahead} numbers ahead`)
    const file = await disk.open(name)
    return new ObeliskSequencer(name, new FileSize(file, BigInt(ahead)), BigInt(file.size))
  }
}

class FileSize implements Keeper {
  readonly valueMax = valueMax
  readonly beyond = {
    reason: 'file too large',
    message: `no file is larger than ${valueMax} bytes, and the counter is one`,
  } as const
  readonly #file: DiskFile
  readonly #ahead: bigint
  #size: bigint

  constructor(file: DiskFile, ahead: bigint) {
    this.#file = file
    this.#ahead = ahead
    this.#size = BigInt(file.size)
  }

  async keep(value: bigint): Promise<bigint> {
    const size = value + this.#ahead
    await this.#setSize(size < valueMax ? size : valueMax)
    return this.#size
  }

  async #setSize(size: bigint): Promise<void> {
    await this.#file.truncate(Number(size))
    await this.#file.sync()
    this.#size = size
  }

  async close(value: bigint): Promise<void> {
    try {
      // Where the last sync has failed, more was reserved than the file is long, and that stands.
      if (value < this.#size) await this.#setSize(value)
    } finally {
      await this.#file.close()
    }
  }
}
