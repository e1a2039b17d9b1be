import type { Disk, DiskFile } from '../base/disk.ts'

// ext4 with 4 KiB blocks ends here; larger file systems only end later.
const valueMax = 2n ** 44n - 4096n

/** A counter that cannot be moved: the disk is full, or the file would be larger than a file can be. */
export class SequencerError extends Error {
  override readonly name = 'SequencerError'
}

/**
 * A counter whose value is the size of a file (seed 002). It grows by ftruncate, which leaves a hole and takes no space,
 * and is synced before a number is handed out; so no number is ever handed out twice, and recovery is one stat.
 */
export class ObeliskSequencer {
  readonly #name: string
  readonly #file: DiskFile
  #value: bigint
  #reserved: bigint
  #sync: Promise<void> | undefined
  #nextSync: Promise<void> | undefined

  private constructor(name: string, file: DiskFile) {
    this.#name = name
    this.#file = file
    this.#value = BigInt(file.size)
    this.#reserved = this.#value
  }

  /** Opens the counter in `name`; a new one stands at 0. */
  static async open(disk: Disk, name: string): Promise<ObeliskSequencer> {
    return new ObeliskSequencer(name, await disk.open(name))
  }

  /** How many numbers have been handed out for good, which is the next number too. */
  get value(): bigint {
    return this.#value
  }

  /** The next number, from 0 on. Calls made at once share a sync. */
  next(): Promise<bigint> {
    return this.reserve(1)
  }

  /** The first of `count` numbers that follow one another. Rejects with SequencerError; the numbers are then lost. */
  async reserve(count: number): Promise<bigint> {
    const first = this.#reserved
    if (first + BigInt(count) > valueMax) {
      throw new SequencerError(
        `${this.#name}: no file is larger than ${valueMax} bytes, and the counter is one`,
      )
    }
    this.#reserved += BigInt(count)
    await this.flush()
    return first
  }

  /** Resolves when everything reserved before is on disk. */
  flush(): Promise<void> {
    if (this.#reserved === this.#value) return Promise.resolve()
    // The sync under way began before what was reserved last; whoever comes now waits for the next one, together.
    if (!this.#sync) return (this.#sync = this.#grow().finally(() => (this.#sync = undefined)))
    return (this.#nextSync ??= this.#sync
      .catch(() => {})
      .then(() => {
        this.#nextSync = undefined
        return this.flush()
      }))
  }

  async #grow(): Promise<void> {
    const target = this.#reserved
    try {
      await this.#file.truncate(Number(target))
      await this.#file.sync()
    } catch (error) {
      const { code = 'an error', message } = error as NodeJS.ErrnoException
      throw new SequencerError(
        `${this.#name}: the counter cannot be moved to ${target}: ${code} (${message})`,
      )
    }
    this.#value = target
  }

  /** Ends; what was reserved is flushed first. */
  async close(): Promise<void> {
    await this.flush()
    await this.#file.close()
  }
}
