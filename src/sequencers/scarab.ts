import type { Disk } from '../base/disk.ts'
import { idParts, scarabLayout } from './id-layout.ts'
import { TimedIds, type TimedIdsOptions } from './timed-ids.ts'

const workerBits = 5
const partMax = 2 ** workerBits - 1

export interface ScarabOptions extends TimedIdsOptions {
  /** From 0 to 31, both; no two living generators may have the same pair. */
  readonly datacenter: number
  readonly worker: number
}

/** What a Scarab id says. */
export interface ScarabParts {
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  readonly datacenter: number
  readonly worker: number
  readonly sequence: number
}

/** Ids of 64 bits: a sign that is 0, 41 of milliseconds, 5 of datacenter, 5 of worker, 12 of sequence (seed 000). */
export class ScarabGenerator extends TimedIds {
  /** Opens the generator whose time bound is in `name`. Rejects with SequencerError, and RangeError for a bad datacenter or worker. */
  static async open(disk: Disk, name: string, options: ScarabOptions): Promise<ScarabGenerator> {
    const { datacenter, worker } = options
    for (const part of [datacenter, worker]) {
      if (!Number.isSafeInteger(part) || part < 0 || part > partMax) {
        throw new RangeError(`${name}: ${part} is not a whole number from 0 to ${partMax}`)
      }
    }
    const maker = datacenter * 2 ** workerBits + worker
    const bound = await this.openBound(disk, name, scarabLayout, maker)
    return new ScarabGenerator(name, scarabLayout, maker, bound, options)
  }
}

/** Reads an id that was made with this epoch, by whomever. */
export function scarabParts(id: bigint, epochMs?: number): ScarabParts {
  const { timestampMs, maker, sequence } = idParts(scarabLayout, id, epochMs)
  return { timestampMs, datacenter: maker >>> workerBits, worker: maker & partMax, sequence }
}

/** When an id was made, in milliseconds since 1970. */
export function scarabTimestampMs(id: bigint, epochMs?: number): number {
  return scarabParts(id, epochMs).timestampMs
}
