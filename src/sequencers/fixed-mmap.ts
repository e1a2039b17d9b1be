import type { MappableDisk, MappedFile } from '../base/mapping.ts'
import { SequencerError, sequencerError } from './errors.ts'
import { KeptSequencer, type Keeper, type Survives } from './sequencer.ts'

const valueMax = 2n ** 63n - 1n
/** What a disk writes whole or not at all; each slot has one of its own. */
const sectorLength = 512
// One is on the disk, one on its way there, one is the newest; so there is always one that nobody relies on.
const slotCount = 4
const slotLength = 16
const mask = 2n ** 64n - 1n

export interface MmapOptions {
  /** 'power loss' unless given. */
  readonly survives?: Survives | undefined
}

/**
 * A counter in a mapped file of one page. The seeds store 8 bytes over themselves; here the 8 bytes and their complement go to
 * one of four places, so that neither a store that a kill cuts short nor a torn sector costs the value before.
 */
export class FixedMmapSequencer extends KeptSequencer {
  /** Opens the counter in `name`; a new one stands at 0. Rejects with SequencerError, and MappingError where nothing can be mapped. */
  static async open(
    disk: MappableDisk,
    name: string,
    { survives = 'power loss' }: MmapOptions = {},
  ): Promise<FixedMmapSequencer> {
    let file: MappedFile | undefined
    try {
      if ((await disk.read(name)) === undefined) await disk.replace(name, newFile())
      file = await disk.openMapped(name)
      const found = newest(file)
      if (!found)
        throw new SequencerError(`${name} is not a mapped counter, or all its copies are damaged`, 'damaged')
      // It may be there only because its last owner was killed and the machine was not.
      await file.sync()
      return new FixedMmapSequencer(name, new Slots(file, found.slot, survives), found.value)
    } catch (error) {
      await file?.close()
      if (error instanceof Error && 'code' in error)
        throw sequencerError(`${name}: the counter cannot be opened`, error)
      throw error
    }
  }
}

interface Found {
  readonly slot: number
  readonly value: bigint
}

/** Every slot stands at 0. */
function newFile(): Buffer {
  const bytes = Buffer.alloc(slotCount * sectorLength)
  for (let slot = 0; slot < slotCount; slot++) encode(0n).copy(bytes, slot * sectorLength)
  return bytes
}

function encode(value: bigint, into = Buffer.alloc(slotLength)): Buffer {
  into.writeBigUInt64LE(value, 0)
  into.writeBigUInt64LE(value ^ mask, 8)
  return into
}

/** The greatest value that is whole. */
function newest(file: MappedFile): Found | undefined {
  if (file.size !== slotCount * sectorLength) return undefined
  let best: Found | undefined
  const bytes = Buffer.alloc(slotLength)
  for (let slot = 0; slot < slotCount; slot++) {
    file.readSync(slot * sectorLength, bytes)
    const value = bytes.readBigUInt64LE(0)
    if (bytes.readBigUInt64LE(8) !== (value ^ mask)) continue
    if (!best || value > best.value) best = { slot, value }
  }
  return best
}

class Slots implements Keeper {
  readonly valueMax = valueMax
  readonly beyond = { reason: 'used up', message: `no number is greater than ${valueMax}` } as const
  readonly note?: (value: bigint) => void
  readonly #file: MappedFile
  readonly #bytes = Buffer.alloc(slotLength)
  #synced: number
  #syncing: number
  #newest: number
  #stored = -1n

  constructor(file: MappedFile, slot: number, survives: Survives) {
    this.#file = file
    this.#synced = this.#syncing = this.#newest = slot
    if (survives === 'kill') this.note = value => this.#store(value)
  }

  #store(value: bigint): void {
    let slot = 0
    while (slot === this.#synced || slot === this.#syncing || slot === this.#newest) slot++
    this.#file.store(slot * sectorLength, encode(value, this.#bytes))
    this.#newest = slot
    this.#stored = value
  }

  async keep(value: bigint): Promise<bigint> {
    if (this.#stored !== value) this.#store(value)
    this.#syncing = this.#newest
    await this.#file.sync()
    this.#synced = this.#syncing
    return value
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
