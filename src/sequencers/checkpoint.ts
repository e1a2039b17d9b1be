import type { Disk } from '../base/disk.ts'
import { NumberFile, numberMax } from './number-file.ts'
import { KeptSequencer, type Keeper } from './sequencer.ts'

export interface CheckpointOptions {
  /** How many numbers one sync covers, and how many a crash loses at most; 1000 unless given. */
  readonly every?: number | undefined
}

/**
 * A counter that writes down a bound once every so many numbers, before the first of them is handed out (the seeds write it
 * after, and repeat numbers). Recovery begins at the bound: what lay between is lost, and nothing is repeated. A close
 * writes the exact value.
 */
export class CheckpointSequencer extends KeptSequencer {
  /** Opens the counter in `name`; a new one stands at 0. Rejects with SequencerError where the file is damaged. */
  static async open(
    disk: Disk,
    name: string,
    { every = 1000 }: CheckpointOptions = {},
  ): Promise<CheckpointSequencer> {
    if (!Number.isSafeInteger(every) || every < 1) throw new RangeError(`a checkpoint every ${every} numbers`)
    const file = await NumberFile.open(disk, name)
    return new CheckpointSequencer(name, new Checkpoint(file, BigInt(every)), file.value)
  }
}

class Checkpoint implements Keeper {
  readonly valueMax = numberMax
  readonly beyond = { reason: 'used up', message: `no number is greater than ${numberMax}` } as const
  readonly #file: NumberFile
  readonly #every: bigint

  constructor(file: NumberFile, every: bigint) {
    this.#file = file
    this.#every = every
  }

  async keep(value: bigint): Promise<bigint> {
    const bound = value + this.#every - 1n
    await this.#file.write(bound < numberMax ? bound : numberMax)
    return this.#file.value
  }

  async close(value: bigint): Promise<void> {
    // Where the last checkpoint has failed, more was reserved than it says, and the one before stands.
    if (value < this.#file.value) await this.#file.write(value)
  }
}
