import type { Disk } from '../base/disk.ts'

const suffix = '.spare'

/** Which files are kept. */
export interface SpareLimits {
  readonly countMax: number
  /** Bytes. */
  readonly lengthMin: number
}

/**
 * The files of dead segments that are kept to be written once more: overwriting a file needs no new blocks of the file system
 * and no new pages, and takes less CPU and time than growing one (bench/disk-ways.mjs). They are named by the segment that
 * they were, `N.spare`, and hold its blocks until they are overwritten. Whoever reads a segment therefore believes a block only
 * where it follows the one before it, and a footer only where it names the segment's own first block.
 */
export class SpareFiles {
  readonly #disk: Disk
  readonly #limits: SpareLimits
  /** Oldest first. */
  readonly #names: string[]

  private constructor(disk: Disk, limits: SpareLimits, names: string[]) {
    this.#disk = disk
    this.#limits = limits
    this.#names = names
  }

  /** Those that an earlier start left in `folder`; what is more than `countMax` is removed. */
  static async open(disk: Disk, folder: string, limits: SpareLimits): Promise<SpareFiles> {
    const found = (await disk.list(folder)).filter(name => name.endsWith(suffix))
    const names = found.map(name => `${folder}/${name}`)
    for (const name of names.splice(limits.countMax)) await disk.remove(name)
    return new SpareFiles(disk, limits, names)
  }

  /** Takes over a file that nobody reads any more; false where it is too short, or there are enough. */
  async keep(logName: string, length: number): Promise<boolean> {
    const { countMax, lengthMin } = this.#limits
    if (this.#names.length >= countMax || length < lengthMin) return false
    const name = logName.replace(/\.log$/, suffix)
    await this.#disk.rename(logName, name)
    this.#names.push(name)
    return true
  }

  /** Gives one away under another name, for good once this resolves; false where there is none. */
  async give(logName: string): Promise<boolean> {
    const name = this.#names.shift()
    if (name === undefined) return false
    await this.#disk.rename(name, logName)
    return true
  }
}
