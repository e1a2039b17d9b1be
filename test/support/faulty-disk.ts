import type { Disk, DiskFile, OpenOptions, Unlock } from '../../src/base/disk.ts'
import type { Random } from '../../src/base/random.ts'
import { zerosAfter } from './zeros-after.ts'

const sectorLength = 512

interface Change {
  readonly position: number
  /** What was written; absent where the file was cut to `position`, or grown to it. */
  readonly bytes?: Buffer
}

/** A file as readers see it, and as a crash would leave it. */
class Contents {
  live: Buffer = Buffer.alloc(0)
  durable: Buffer = Buffer.alloc(0)
  pending: Change[] = []

  apply(change: Change): void {
    this.live = applied(this.live, change)
    this.pending.push(change)
  }

  settle(): void {
    this.durable = Buffer.from(this.live)
    this.pending = []
  }

  /** Any subset of the unsynced sectors may have reached the disk. */
  crashed(random: Random): Buffer {
    let bytes = this.durable
    for (const change of this.pending) {
      if (!change.bytes) {
        if (random.below(2) === 0) bytes = applied(bytes, change)
        continue
      }
      for (let from = 0; from < change.bytes.length;) {
        const position = change.position + from
        const to = Math.min(change.bytes.length, from + sectorLength - (position % sectorLength))
        if (random.below(2) === 0)
          bytes = applied(bytes, { position, bytes: change.bytes.subarray(from, to) })
        from = to
      }
    }
    return bytes
  }
}

function applied(bytes: Buffer, { position, bytes: written }: Change): Buffer {
  if (!written) return Buffer.concat([bytes.subarray(0, position)], position)
  const whole = Buffer.concat([bytes], Math.max(bytes.length, position + written.length))
  written.copy(whole, position)
  return whole
}

export type Operation = 'write' | 'sync' | 'read' | 'open' | 'replace' | 'rename'

/** Files in memory that forget at a crash what was not synced, and that fail or wait where a test says so. */
export class FaultyDisk implements Disk {
  readonly files = new Map<string, Contents>()
  /** How many files are open. */
  openCount = 0
  /** What was done, in order. */
  readonly operations: { operation: Operation; name: string }[] = []
  /** Asked before each operation; throws, or resolves when it may go on. */
  before: (operation: Operation, name: string) => void | Promise<void> = () => {}
  /** Asked before anything is read, at once or not; throws where that cannot be. */
  beforeReadSync: (name: string, position: number, length: number) => void = () => {}
  /** Files that are written in order are written as if around the page cache. */
  isDirect = false
  #isLocked = false

  /** What a crash at this moment would leave. */
  crash(random: Random): FaultyDisk {
    const disk = new FaultyDisk()
    for (const [name, contents] of this.files) disk.put(name, contents.crashed(random))
    return disk
  }

  /** The same files again, as if nothing had been running: what a kill of the process leaves. */
  copy(): FaultyDisk {
    const disk = new FaultyDisk()
    for (const [name, { live }] of this.files) disk.put(name, Buffer.from(live))
    return disk
  }

  put(name: string, bytes: Buffer): void {
    const contents = new Contents()
    contents.live = bytes
    contents.settle()
    this.files.set(name, contents)
  }

  get(name: string): Buffer {
    return this.files.get(name)!.live
  }

  /** The names that end so, in order. */
  names(suffix: string): string[] {
    return [...this.files.keys()].filter(name => name.endsWith(suffix)).sort()
  }

  async note(operation: Operation, name: string): Promise<void> {
    this.operations.push({ operation, name })
    await this.before(operation, name)
  }

  count(operation: Operation, suffix: string): number {
    return this.operations.filter(each => each.operation === operation && each.name.endsWith(suffix)).length
  }

  async lock(): Promise<Unlock> {
    if (this.#isLocked) throw new Error('locked')
    this.#isLocked = true
    return async () => void (this.#isLocked = false)
  }

  async list(folder: string): Promise<string[]> {
    const prefix = folder === '' ? '' : `${folder}/`
    const names = [...this.files.keys()].filter(name => name.startsWith(prefix))
    return [...new Set(names.map(name => name.slice(prefix.length).split('/')[0]!))].sort()
  }

  async open(name: string, { isAppended = false }: OpenOptions = {}): Promise<DiskFile> {
    await this.note('open', name)
    let contents = this.files.get(name)
    if (!contents) this.files.set(name, (contents = new Contents()))
    this.openCount++
    return new FaultyFile(this, name, contents, this.isDirect && isAppended)
  }

  async read(name: string): Promise<Buffer | undefined> {
    const contents = this.files.get(name)
    return contents && Buffer.from(contents.live)
  }

  async replace(name: string, bytes: Buffer): Promise<void> {
    await this.note('replace', name)
    this.put(name, Buffer.from(bytes))
  }

  async rename(name: string, newName: string): Promise<void> {
    await this.note('rename', name)
    this.files.set(newName, this.files.get(name)!)
    this.files.delete(name)
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name)
  }
}

class FaultyFile implements DiskFile {
  readonly #disk: FaultyDisk
  readonly #name: string
  readonly #contents: Contents
  readonly #hasZerosBehind: boolean
  #isOpen = true

  constructor(disk: FaultyDisk, name: string, contents: Contents, hasZerosBehind: boolean) {
    this.#disk = disk
    this.#name = name
    this.#contents = contents
    this.#hasZerosBehind = hasZerosBehind
  }

  get size(): number {
    return this.#contents.live.length
  }

  async writev(position: number, pieces: readonly Buffer[]): Promise<void> {
    // As a copy: memory that is reused too early must not be seen as what was written.
    const zeros = this.#hasZerosBehind ? [zerosAfter(position, pieces)] : []
    const bytes = Buffer.concat([...pieces, ...zeros])
    await this.#disk.note('write', this.#name)
    this.#contents.apply({ position, bytes })
    await later()
  }

  async sync(): Promise<void> {
    await this.#disk.note('sync', this.#name)
    await later()
    this.#contents.settle()
  }

  async read(position: number, into: Buffer): Promise<number> {
    await this.#disk.note('read', this.#name)
    await later()
    return this.readSync(position, into)
  }

  readSync(position: number, into: Buffer): number {
    this.#disk.beforeReadSync(this.#name, position, into.length)
    return this.#contents.live.copy(
      into,
      0,
      Math.min(position, this.size),
      Math.min(position + into.length, this.size),
    )
  }

  async truncate(size: number): Promise<void> {
    this.#contents.apply({ position: size })
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#disk.openCount--
    this.#isOpen = false
  }
}

function later(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve))
}

/** An error as the operating system gives it. */
export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by the test`), { code })
}
