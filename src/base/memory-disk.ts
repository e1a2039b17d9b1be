import { assert } from './assert.ts'
import { StorageInUseError, type DiskFile, type Unlock } from './disk.ts'
import type { MappableDisk, MappedFile } from './mapping.ts'

/**
 * Files that live in this process alone: the engine of brokers in tests. As asynchronous as a real disk, so that
 * nothing comes to depend on a write that ends at once; a sync has nothing to do. What one owner leaves the next one
 * finds, as long as both are given the same disk.
 */
export function memoryDisk(): MappableDisk {
  return new MemoryDisk()
}

class MemoryDisk implements MappableDisk {
  readonly #files = new Map<string, MemoryBytes>()
  #isLocked = false

  async lock(): Promise<Unlock> {
    if (this.#isLocked) throw new StorageInUseError('this memory is in use by another broker of this process')
    this.#isLocked = true
    return async () => void (this.#isLocked = false)
  }

  async list(folder: string): Promise<string[]> {
    const prefix = folder === '' ? '' : `${folder}/`
    const names = [...this.#files.keys()].filter(name => name.startsWith(prefix))
    return [...new Set(names.map(name => name.slice(prefix.length).split('/')[0]!))].sort()
  }

  async open(name: string): Promise<DiskFile> {
    let bytes = this.#files.get(name)
    if (!bytes) this.#files.set(name, (bytes = new MemoryBytes()))
    return new MemoryFile(bytes)
  }

  async openMapped(name: string): Promise<MappedFile> {
    const bytes = this.#files.get(name)
    assert(bytes !== undefined, 'a file mapped that is not there')
    return new MemoryFile(bytes)
  }

  async read(name: string): Promise<Buffer | undefined> {
    const bytes = this.#files.get(name)
    if (!bytes) return undefined
    const whole = Buffer.alloc(bytes.size)
    bytes.read(0, whole)
    return whole
  }

  async replace(name: string, whole: Buffer): Promise<void> {
    const bytes = new MemoryBytes()
    bytes.write(0, whole)
    this.#files.set(name, bytes)
  }

  async rename(name: string, newName: string): Promise<void> {
    const bytes = this.#files.get(name)
    assert(bytes !== undefined, 'a file renamed that is not there')
    this.#files.delete(name)
    this.#files.set(newName, bytes)
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name)
  }
}

const chunkLength = 256 * 1024

/** Bytes in chunks, so that growing copies nothing and a hole takes no memory. */
class MemoryBytes {
  readonly #chunks: (Buffer | undefined)[] = []
  size = 0

  write(position: number, bytes: Buffer): void {
    this.#each(position, bytes.length, (index, at, from, length) => {
      const chunk = (this.#chunks[index] ??= Buffer.alloc(chunkLength))
      bytes.copy(chunk, at, from, from + length)
    })
    this.size = Math.max(this.size, position + bytes.length)
  }

  read(position: number, into: Buffer): number {
    const length = Math.max(0, Math.min(into.length, this.size - position))
    this.#each(position, length, (index, at, from, length) => {
      const chunk = this.#chunks[index]
      if (chunk) chunk.copy(into, from, at, at + length)
      else into.fill(0, from, from + length)
    })
    return length
  }

  truncate(size: number): void {
    if (size < this.size) {
      const kept = Math.ceil(size / chunkLength)
      for (let index = kept; index < this.#chunks.length; index++) this.#chunks[index] = undefined
      this.#chunks[kept - 1]?.fill(0, size - (kept - 1) * chunkLength)
    }
    this.size = size
  }

  #each(
    position: number,
    length: number,
    visit: (chunk: number, at: number, from: number, length: number) => void,
  ): void {
    for (let from = 0; from < length;) {
      const at = (position + from) % chunkLength
      const part = Math.min(chunkLength - at, length - from)
      visit(Math.floor((position + from) / chunkLength), at, from, part)
      from += part
    }
  }
}

class MemoryFile implements DiskFile, MappedFile {
  readonly #bytes: MemoryBytes
  #isOpen = true

  constructor(bytes: MemoryBytes) {
    this.#bytes = bytes
  }

  get size(): number {
    return this.#bytes.size
  }

  async writev(position: number, pieces: readonly Buffer[]): Promise<void> {
    assert(this.#isOpen, 'a closed file written')
    let at = position
    for (const piece of pieces) {
      this.#bytes.write(at, piece)
      at += piece.length
    }
    await later()
  }

  store(position: number, bytes: Buffer): void {
    assert(this.#isOpen, 'a closed mapping stored to')
    this.#bytes.write(position, bytes)
  }

  async sync(): Promise<void> {
    assert(this.#isOpen, 'a closed file synced')
    await later()
  }

  async read(position: number, into: Buffer): Promise<number> {
    await later()
    return this.readSync(position, into)
  }

  readSync(position: number, into: Buffer): number {
    assert(this.#isOpen, 'a closed file read')
    return this.#bytes.read(position, into)
  }

  async truncate(size: number): Promise<void> {
    assert(this.#isOpen, 'a closed file cut')
    this.#bytes.truncate(size)
  }

  async close(): Promise<void> {
    this.#isOpen = false
  }
}

/** Some turns of the event loop later, as a disk would answer. */
function later(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve))
}
