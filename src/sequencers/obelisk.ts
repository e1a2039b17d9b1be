import type { Disk, DiskFile } from '../base/disk.ts'
import { KeptSequencer, type Keeper } from './sequencer.ts'

// ext4 with 4 KiB blocks ends here; larger file systems only end later.
const valueMax = 2n ** 44n - 4096n

/**
 * A counter whose value is the size of a file (seed 002). It grows by ftruncate, which leaves a hole and takes no space,
 * and is synced before a number is handed out; so no number is ever handed out twice, and recovery is one stat.
 */
export class ObeliskSequencer extends KeptSequencer {
  /** Opens the counter in `name`; a new one stands at 0. Rejects with the disk's errors as they are. */
  static async open(disk: Disk, name: string): Promise<ObeliskSequencer> {
    const file = await disk.open(name)
    return new ObeliskSequencer(name, new FileSize(file), BigInt(file.size))
  }
}

class FileSize implements Keeper {
  readonly valueMax = valueMax
  readonly beyond = {
    reason: 'file too large',
    message: `no file is larger than ${valueMax} bytes, and the counter is one`,
  } as const
  readonly #file: DiskFile

  constructor(file: DiskFile) {
    this.#file = file
  }

  async keep(value: bigint): Promise<bigint> {
    await this.#file.truncate(Number(value))
    await this.#file.sync()
    return value
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
