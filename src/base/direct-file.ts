import * as fs from 'node:fs'
import { constants, promises } from 'node:fs'
import { assert } from './assert.ts'
import type { DiskFile } from './disk.ts'

/** What a direct read or write begins and ends at multiples of, in the file and in memory; no device asks for more. */
export const sectorLength = 4096

/**
 * A write goes out in parts of this length at most, each from memory that is taken for as long as it takes. Each part is synced, so that
 * what is written together should fit one.
 */
const writeLengthMax = 12 * 1024 * 1024
/** Shorter reads go through the page cache, whose reading ahead serves them better. */
const readLengthMin = 64 * 1024
/** So many reads are under way at once, each in parts of this length at most: Node has no more threads for them. */
const reads = { countMax: 4, lengthMax: 1024 * 1024 }
/** In what steps a file remembers what was read of it. */
const stepLength = 64 * 1024

/**
 * A file that is written in order and read in long pieces, around the page cache where system and file system offer that (O_DIRECT).
 * It saves the kernel's work for each page, most of all where the pages' memory is new, and leaves the page cache to others. A write is
 * synced by the same call (O_DSYNC). What is read a second time goes through the page cache, to be there the third time.
 *
 * Whole sectors are written: a write that begins within one writes what is before it again, as the page cache would, and one that ends
 * within one is followed by zeros up to its end.
 */
export class DirectFile implements DiskFile {
  readonly #buffered: DiskFile
  readonly #descriptor: number
  #opening: Promise<promises.FileHandle | undefined> | undefined
  #size: number
  #isWriting = false
  /** Also where somebody else may have left something. */
  #mustSync = true
  /** Where the last write ended, and the sector that this is in. */
  #end = 0
  readonly #lastSector = Buffer.alloc(sectorLength)
  readonly #stepsRead = new Set<number>()

  /** `buffered` is the same file by way of the page cache, and `descriptor` its descriptor; it is closed with this one. */
  constructor(buffered: DiskFile, descriptor: number) {
    this.#buffered = buffered
    this.#descriptor = descriptor
    this.#size = buffered.size
  }

  get size(): number {
    return this.#size
  }

  async writev(position: number, pieces: readonly Buffer[]): Promise<void> {
    assert(!this.#isWriting, 'a write in order begun before the last one ended')
    this.#isWriting = true
    try {
      const handle = await (this.#opening ??= openDirect(this.#descriptor))
      if (handle) await this.#write(handle.fd, position, pieces)
      else await this.#writeBuffered(position, pieces)
    } finally {
      this.#isWriting = false
    }
  }

  async #writeBuffered(position: number, pieces: readonly Buffer[]): Promise<void> {
    this.#mustSync = true
    await this.#buffered.writev(position, pieces)
    this.#size = this.#buffered.size
  }

  async #write(descriptor: number, position: number, pieces: readonly Buffer[]): Promise<void> {
    const memory = writeMemories.pop() ?? alignedMemory(writeLengthMax)
    let filled = position % sectorLength
    let at = position - filled
    const flush = async (): Promise<void> => {
      const length = roundUp(filled)
      memory.fill(0, filled, length)
      memory.copy(this.#lastSector, 0, Math.max(length - sectorLength, 0))
      await writeAll(descriptor, memory.subarray(0, length), at)
      this.#size = Math.max(this.#size, at + length)
      at += filled
      filled = 0
    }
    try {
      this.#showLastSector(position).copy(memory, 0, 0, filled)
      // Not to be believed if this fails.
      this.#end = 0
      for (const piece of pieces) {
        for (let from = 0; from < piece.length;) {
          const copied = piece.copy(memory, filled, from)
          from += copied
          filled += copied
          if (filled === memory.length) await flush()
        }
      }
      if (filled > 0) await flush()
      this.#end = at
    } finally {
      writeMemories.push(memory)
    }
  }

  /** The sector that `position` is in, as the file has it. */
  #showLastSector(position: number): Buffer {
    const isWithin = position % sectorLength > 0
    if (isWithin && this.#end !== position) {
      this.#lastSector.fill(0)
      this.#buffered.readSync(position - (position % sectorLength), this.#lastSector)
    }
    return this.#lastSector
  }

  /** What was written directly is on stable storage already (O_DSYNC), which saves a call. */
  async sync(): Promise<void> {
    if (!this.#mustSync) return
    await this.#buffered.sync()
    this.#mustSync = false
  }

  async read(position: number, into: Buffer): Promise<number> {
    if (into.length < readLengthMin || this.#isReadAgain(position, into.length))
      return this.#buffered.read(position, into)
    const handle = await (this.#opening ??= openDirect(this.#descriptor))
    if (!handle) return this.#buffered.read(position, into)
    const memory = await readMemories.take()
    try {
      let filled = 0
      while (filled < into.length) {
        const lead = (position + filled) % sectorLength
        const wanted = roundUp(lead + into.length - filled)
        const part = memory.subarray(0, wanted)
        const length = await readOnce(handle.fd, part, position + filled - lead)
        if (length <= lead) break
        filled += part.copy(into, filled, lead, length)
      }
      return filled
    } finally {
      readMemories.give(memory)
    }
  }

  /** Whether what is read was read before; notes that it is. By whole steps, since the next read may begin within one. */
  #isReadAgain(position: number, length: number): boolean {
    const first = Math.ceil(position / stepLength)
    const end = Math.floor((position + length) / stepLength)
    const isAgain = this.#stepsRead.has(first)
    for (let step = first; step < end; step++) this.#stepsRead.add(step)
    return isAgain
  }

  readSync(position: number, into: Buffer): number {
    return this.#buffered.readSync(position, into)
  }

  async truncate(size: number): Promise<void> {
    this.#mustSync = true
    await this.#buffered.truncate(size)
    this.#size = size
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close()
    await this.#buffered.close()
  }
}

/** The same file once more, for direct reads and writes; undefined where they cannot be had, or memory for them. */
async function openDirect(descriptor: number): Promise<promises.FileHandle | undefined> {
  // Linux alone has it, whatever the types say, and by this name even a file that has lost its own.
  if (constants.O_DIRECT === undefined) return undefined
  const flags = constants.O_RDWR | constants.O_DIRECT | constants.O_DSYNC
  const handle = await promises.open(`/proc/self/fd/${descriptor}`, flags).catch(() => undefined)
  if (!handle) return undefined
  try {
    if (writeMemories.length === 0) writeMemories.push(alignedMemory(writeLengthMax))
    const memory = await readMemories.take()
    // There are file systems that open a file so, and then refuse.
    await readOnce(handle.fd, memory.subarray(0, sectorLength), 0).finally(() => readMemories.give(memory))
    return handle
  } catch {
    await handle.close()
    return undefined
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let isStuck = false
    const write = (from: number): void => {
      fs.write(descriptor, bytes, from, bytes.length - from, position + from, (error, written) => {
        if (error) return reject(error)
        // Half a sector is written again with its other half. The next write says what is wrong, such as ENOSPC.
        const whole = written - (written % sectorLength)
        if (from + whole === bytes.length) return resolve()
        // A limit to the size of files may lie within a sector, and every write then ends there without saying so.
        if (whole === 0 && isStuck) return reject(new Error('a write that came to no whole sector'))
        isStuck = whole === 0
        write(from + whole)
      })
    }
    write(0)
  })
}

function readOnce(descriptor: number, into: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, into, 0, into.length, position, (error, length) =>
      error ? reject(error) : resolve(length),
    )
  })
}

function roundUp(length: number): number {
  return Math.ceil(length / sectorLength) * sectorLength
}

/** Part of the language, and of no types but those of browsers. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
}

/** Where a Buffer's memory begins is not ours to say; WebAssembly's begins where a page does. */
function alignedMemory(length: number): Buffer {
  const pages = length / 65_536
  return Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer)
}

/** Those that no write is using. */
const writeMemories: Buffer[] = []

/** Memory for reads; who finds none waits for another's. */
class ReadMemories {
  readonly #idle: Buffer[] = []
  readonly #waiting: ((memory: Buffer) => void)[] = []
  #count = 0

  take(): Promise<Buffer> {
    return new Promise(resolve => {
      const idle = this.#idle.pop()
      if (idle) return resolve(idle)
      if (this.#count === reads.countMax) return void this.#waiting.push(resolve)
      resolve(alignedMemory(reads.lengthMax))
      this.#count++
    })
  }

  give(memory: Buffer): void {
    const next = this.#waiting.shift()
    if (next) next(memory)
    else this.#idle.push(memory)
  }
}

const readMemories = new ReadMemories()
