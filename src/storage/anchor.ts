import type { DiskFile } from '../base/disk.ts'
import { crc32c } from '../protocol/records/crc32c.ts'
import { readUint64, writeUint64 } from '../protocol/int64.ts'

/**
 * A shard's anchor names the last committed position: two slots of 512 bytes, at 0 and 512, written in turn, the newest valid one
 * wins. Big-endian.
 *
 * | at | size | field |
 * |---|---|---|
 * | 0 | 4 | magic, 'ODRA' |
 * | 4 | 4 | CRC-32C of the bytes behind this field, to 64 |
 * | 8 | 2 | format version, 1 |
 * | 10 | 2 | 0 |
 * | 12 | 4 | the CRC field of the block's header |
 * | 16 | 8 | block number |
 * | 24 | 8 | the segment, by its first block number |
 * | 32 | 8 | where the block ends in the segment |
 * | 40 | 8 | LSN of its last entry |
 * | 48 | 4 | block epoch |
 * | 52 | 12 | 0 |
 *
 * It is written after its block is synced and is not synced itself. A lost or torn slot leaves an older anchor, which
 * only says less: blocks behind it are found by walking, and each says how far the log was synced before it.
 */
export interface Anchor {
  readonly headerCrc: number
  readonly blockNumber: number
  readonly segment: number
  readonly position: number
  readonly lsn: number
  readonly blockEpoch: number
}

const slotLength = 512
const anchorLength = 64
const anchorMagic = 0x4f445241
const anchorVersion = 1

/** Writes the anchor of one shard; while a write is under way only the newest of those that came is kept. */
export class AnchorFile {
  readonly #file: DiskFile
  readonly #failed: (error: unknown) => void
  #slot = 0
  #next: Anchor | undefined
  #writing: Promise<void> | undefined

  constructor(file: DiskFile, slot: number, failed: (error: unknown) => void) {
    this.#file = file
    this.#slot = slot
    this.#failed = failed
  }

  /** Notes a committed position; nobody waits for it. */
  write(anchor: Anchor): void {
    this.#next = anchor
    this.#writing ??= this.#writeAll().catch(this.#failed)
  }

  async #writeAll(): Promise<void> {
    while (this.#next) {
      const slot = anchorSlot(this.#next)
      this.#next = undefined
      await this.#file.writev(this.#slot * slotLength, [slot])
      this.#slot = 1 - this.#slot
    }
    this.#writing = undefined
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#file.close()
  }
}

function anchorSlot(anchor: Anchor): Buffer {
  const bytes = Buffer.alloc(slotLength)
  bytes.writeUInt32BE(anchorMagic, 0)
  bytes.writeUInt16BE(anchorVersion, 8)
  bytes.writeUInt32BE(anchor.headerCrc, 12)
  writeUint64(bytes, 16, anchor.blockNumber)
  writeUint64(bytes, 24, anchor.segment)
  writeUint64(bytes, 32, anchor.position)
  writeUint64(bytes, 40, anchor.lsn)
  bytes.writeUInt32BE(anchor.blockEpoch, 48)
  bytes.writeUInt32BE(crc32c(bytes, 8, anchorLength), 4)
  return bytes
}

/** The newest valid slot and where the next one goes. */
export function readAnchor(bytes: Buffer): { anchor: Anchor | undefined; nextSlot: number } {
  const slots = readAnchorSlots(bytes)
  const newest = (slots[1]?.blockNumber ?? 0) > (slots[0]?.blockNumber ?? 0) ? 1 : 0
  return { anchor: slots[newest], nextSlot: slots[newest] ? 1 - newest : 0 }
}

/** What each of the two slots says, undefined where it is not valid. */
export function readAnchorSlots(bytes: Buffer): (Anchor | undefined)[] {
  return [0, 1].map(slot => readSlot(bytes, slot * slotLength))
}

/** Whether something was written to a slot and is not what was written. */
export function isSlotDamaged(bytes: Buffer, slot: number): boolean {
  const written = bytes.subarray(slot * slotLength, slot * slotLength + anchorLength)
  return written.some(byte => byte !== 0) && !readSlot(bytes, slot * slotLength)
}

function readSlot(bytes: Buffer, at: number): Anchor | undefined {
  if (bytes.length < at + anchorLength || bytes.readUInt32BE(at) !== anchorMagic) return undefined
  if (bytes.readUInt32BE(at + 4) !== crc32c(bytes, at + 8, at + anchorLength)) return undefined
  return {
    headerCrc: bytes.readUInt32BE(at + 12),
    blockNumber: readUint64(bytes, at + 16),
    segment: readUint64(bytes, at + 24),
    position: readUint64(bytes, at + 32),
    lsn: readUint64(bytes, at + 40),
    blockEpoch: bytes.readUInt32BE(at + 48),
  }
}
