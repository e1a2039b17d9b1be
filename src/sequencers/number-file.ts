import type { Disk } from '../base/disk.ts'
import { SequencerError, sequencerError } from './errors.ts'

/** The greatest number that a file may hold: Kafka's int64. */
export const numberMax = 2n ** 63n - 1n

/** A file with one decimal number in it, which is replaced whole: a crash leaves the old number or the new one. */
export class NumberFile {
  readonly #disk: Disk
  readonly #name: string
  #value: bigint

  private constructor(disk: Disk, name: string, value: bigint) {
    this.#disk = disk
    this.#name = name
    this.#value = value
  }

  /** A file that is not there holds 0. Rejects with SequencerError where it is damaged, and with the disk's errors as they are. */
  static async open(disk: Disk, name: string): Promise<NumberFile> {
    const bytes = await disk.read(name)
    const text = bytes?.toString('latin1') ?? '0\n'
    if (!/^\d{1,19}\n$/.test(text) || BigInt(text) > numberMax) {
      throw new SequencerError(`${name} does not hold one decimal number`, 'damaged')
    }
    return new NumberFile(disk, name, BigInt(text))
  }

  /** What is on the disk, or at least was as this was opened. */
  get value(): bigint {
    return this.#value
  }

  /** Resolves when `value` is on the disk; rejects with SequencerError. */
  async write(value: bigint): Promise<void> {
    try {
      await this.#disk.replace(this.#name, Buffer.from(`${value}\n`))
    } catch (error) {
      throw sequencerError(`${this.#name}: ${value} cannot be written`, error)
    }
    this.#value = value
  }
}
