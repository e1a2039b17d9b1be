import { nodeDisk, type Unlock } from '../base/disk.ts'
import type { MappableDisk } from '../base/mapping.ts'
import { BitmapMmapSequencer, type BitmapOptions } from './bitmap-mmap.ts'
import { CheckpointSequencer, type CheckpointOptions } from './checkpoint.ts'
import { SessionIds, TimestampOracle, TransactionIds, type CoordinatorIdsOptions } from './coordinator-ids.ts'
import { SequencerError } from './errors.ts'
import { FixedMmapSequencer, type MmapOptions } from './fixed-mmap.ts'
import { ObeliskSequencer, type ObeliskOptions } from './obelisk.ts'
import { ScarabGenerator, type ScarabOptions } from './scarab.ts'

interface Closable {
  close(): Promise<void>
}

/**
 * A folder of counters and ids, each under a name of its own, which one process has at a time.
 *
 * ```ts
 * const folder = await SequencerFolder.open('/var/lib/orders')
 * const numbers = await folder.obelisk('invoices')
 * await numbers.next() // 0n, and never again
 * await folder.close()
 * ```
 */
export class SequencerFolder {
  readonly #disk: MappableDisk
  readonly #unlock: Unlock
  readonly #open = new Map<string, Closable | undefined>()

  private constructor(disk: MappableDisk, unlock: Unlock) {
    this.#disk = disk
    this.#unlock = unlock
  }

  /**
   * Takes the folder at `path`, made if need be. Rejects with StorageInUseError while another process that lives has it, or this one;
   * with the system's errors as they are.
   */
  static async open(path: string): Promise<SequencerFolder> {
    return SequencerFolder.on(nodeDisk(path))
  }

  /** The same on a disk of the caller's. */
  static async on(disk: MappableDisk): Promise<SequencerFolder> {
    return new SequencerFolder(disk, await disk.lock())
  }

  obelisk(name: string, options?: ObeliskOptions): Promise<ObeliskSequencer> {
    return this.#opened(name, disk => ObeliskSequencer.open(disk, name, options))
  }

  checkpoint(name: string, options?: CheckpointOptions): Promise<CheckpointSequencer> {
    return this.#opened(name, disk => CheckpointSequencer.open(disk, name, options))
  }

  fixedMmap(name: string, options?: MmapOptions): Promise<FixedMmapSequencer> {
    return this.#opened(name, disk => FixedMmapSequencer.open(disk, name, options))
  }

  bitmapMmap(name: string, options: BitmapOptions): Promise<BitmapMmapSequencer> {
    return this.#opened(name, disk => BitmapMmapSequencer.open(disk, name, options))
  }

  scarab(name: string, options: ScarabOptions): Promise<ScarabGenerator> {
    return this.#opened(name, disk => ScarabGenerator.open(disk, name, options))
  }

  timestampOracle(name: string, options: CoordinatorIdsOptions): Promise<TimestampOracle> {
    return this.#opened(name, disk => TimestampOracle.open(disk, name, options))
  }

  transactionIds(name: string, options: CoordinatorIdsOptions): Promise<TransactionIds> {
    return this.#opened(name, disk => TransactionIds.open(disk, name, options))
  }

  sessionIds(name: string, options: CoordinatorIdsOptions): Promise<SessionIds> {
    return this.#opened(name, disk => SessionIds.open(disk, name, options))
  }

  /** Closes what was opened here, and gives the folder back. A name opens once in the life of its folder. */
  async close(): Promise<void> {
    try {
      for (const each of this.#open.values()) await each?.close()
    } finally {
      await this.#unlock()
    }
  }

  async #opened<Kind extends Closable>(
    name: string,
    open: (disk: MappableDisk) => Promise<Kind>,
  ): Promise<Kind> {
    if (!/^[\w][\w.-]*$/.test(name) || name === 'lock') {
      throw new RangeError(`"${name}" is not a name: letters, digits, _, . and -, and not "lock"`)
    }
    if (this.#open.has(name)) throw new SequencerError(`${name} is open already`, 'in use')
    this.#open.set(name, undefined)
    try {
      const opened = await open(this.#disk)
      this.#open.set(name, opened)
      return opened
    } catch (error) {
      this.#open.delete(name)
      throw error
    }
  }
}
