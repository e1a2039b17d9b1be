import { StorageInUseError, type DiskFile, type OpenOptions, type Unlock } from '../../src/base/disk.ts'
import type { MappableDisk, MappedFile } from '../../src/base/mapping.ts'
import type { Random } from '../../src/base/random.ts'
import { zerosAfter } from '../support/zeros-after.ts'
import type { Life } from './scheduler.ts'
import { SimulatedFile } from './simulated-file.ts'
import { SimulatedNames } from './simulated-names.ts'

export type SystemCallKind =
  | 'open'
  | 'create'
  | 'read'
  | 'read-now'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'store'
  | 'mkdir'
  | 'rename'
  | 'unlink'
  | 'sync-folder'

/** What the broker asks the operating system for. */
export interface SystemCall {
  readonly kind: SystemCallKind
  /** The file, or the folder. */
  readonly name: string
}

/**
 * How a call goes wrong: by an error of the operating system; `short`, by writing less than was asked for; `ignored`,
 * by saying that it is done while nothing is, which nobody can survive and the tests of the tests use.
 */
export type Fault = 'EIO' | 'ENOSPC' | 'EMFILE' | 'short' | 'ignored'

export interface SimulatedDiskOptions {
  /** Whose calls these are; they end with it. */
  readonly life: Life
  readonly random: Random
  /** Asked before each call. */
  readonly faultOf?: ((call: SystemCall) => Fault | undefined) | undefined
  /** Told of each call that may have changed something, after it has and before the caller knows. */
  readonly changed?: ((call: SystemCall) => void) | undefined
}

/**
 * A disk that lies as disks do (DESIGN, section 9). It models the system calls beneath `nodeDisk`, so that a crash falls
 * between any two of them; a change is durable when a sync says so, for a name when its folder is synced. Calls that are
 * under way together take effect in any order.
 */
export class SimulatedDisk implements MappableDisk {
  readonly #names: SimulatedNames
  readonly #options: SimulatedDiskOptions
  readonly #life: Life
  readonly #random: Random
  #isLocked = false
  #calls = 0
  #crashAt = Infinity

  constructor(options: SimulatedDiskOptions, names = new SimulatedNames()) {
    this.#options = options
    this.#life = options.life
    this.#random = options.random
    this.#names = names
  }

  /** Calls so far that may have changed something. */
  get calls(): number {
    return this.#calls
  }

  /** The owner is dead: no call takes effect or returns any more. */
  get isDead(): boolean {
    return this.#life.isOver
  }

  /** The owner dies as soon as so many more calls have changed something, before the last of them returns. */
  crashAfter(calls: number): void {
    this.#crashAt = this.#calls + calls
  }

  /** What a power cut at this moment may leave, for another owner. This disk goes on as if nothing had been. */
  crashed(options: SimulatedDiskOptions): SimulatedDisk {
    return new SimulatedDisk(options, this.#names.crashed(options.random))
  }

  /** The owner is dead and the machine is not: everything that was written is there for the next one. */
  killed(options: SimulatedDiskOptions): SimulatedDisk {
    this.#life.end()
    return new SimulatedDisk(options, this.#names)
  }

  /** Memory is short: see SimulatedFile. */
  evict(): void {
    for (const name of this.#names.all()) this.#names.get(name)!.evict()
  }

  /** Every file's bytes as a reader sees them, by name. */
  contents(): Map<string, Buffer> {
    return new Map(
      this.#names.all().map(name => {
        const file = this.#names.get(name)!
        const bytes = Buffer.alloc(file.size)
        file.read(0, bytes)
        return [name, bytes]
      }),
    )
  }

  async lock(): Promise<Unlock> {
    if (this.#isLocked) throw new StorageInUseError('this simulated disk is in use')
    this.#isLocked = true
    try {
      for (const folder of this.#names.folders()) await this.#syncFolder(folder)
    } catch (error) {
      this.#isLocked = false
      throw error
    }
    return async () => void (this.#isLocked = false)
  }

  list(folder: string): Promise<string[]> {
    return this.#call('open', folder, () => this.#names.list(folder))
  }

  async open(name: string, { isAppended = false }: OpenOptions = {}): Promise<DiskFile> {
    const found = await this.#call('open', name, () => this.#names.get(name))
    if (found) return new OpenFile(this, name, found, isAppended)
    await this.#makeFolder(folderOf(name))
    const made = await this.#create(name)
    await this.#syncFolder(folderOf(name))
    return new OpenFile(this, name, made, isAppended)
  }

  async openMapped(name: string): Promise<MappedFile> {
    const file = await this.#call('open', name, () => this.#names.get(name))
    if (!file) throw systemError('ENOENT')
    return new OpenFile(this, name, file)
  }

  async read(name: string): Promise<Buffer | undefined> {
    const file = await this.#call('open', name, () => this.#names.get(name))
    if (!file) return undefined
    const bytes = Buffer.alloc(file.size)
    await this.readFile(name, file, 0, bytes)
    return bytes
  }

  async replace(name: string, bytes: Buffer): Promise<void> {
    const draft = `${name}.new`
    await this.#makeFolder(folderOf(name))
    const file = await this.#create(draft)
    if (file.size > 0) await this.truncateFile(draft, file, 0)
    await this.writeFile(draft, file, 0, [bytes])
    await this.syncFile(draft, file)
    await this.#change('rename', name, () => this.#names.rename(draft, name))
    await this.#syncFolder(folderOf(name))
  }

  async rename(name: string, newName: string): Promise<void> {
    await this.#change('rename', newName, () => this.#names.rename(name, newName))
    await this.#syncFolder(folderOf(newName))
  }

  async remove(name: string): Promise<void> {
    await this.#change('unlink', name, () => this.#names.unlink(name))
  }

  async #makeFolder(folder: string): Promise<void> {
    if (folder === '' || this.#names.hasFolder(folder)) return
    await this.#change('mkdir', folder, () => this.#names.makeFolder(folder))
    await this.#syncFolder('')
  }

  #create(name: string): Promise<SimulatedFile> {
    return this.#change('create', name, () => this.#names.create(name))
  }

  #syncFolder(folder: string): Promise<void> {
    return this.#change('sync-folder', folder, () => this.#names.syncFolder(folder))
  }

  /** Writes as often as it takes, since a call may write less than it was asked to. */
  async writeFile(
    name: string,
    file: SimulatedFile,
    position: number,
    pieces: readonly Buffer[],
  ): Promise<void> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    for (let written = 0; written < length;) {
      const from = written
      written += await this.#change('write', name, fault => {
        // Gathered when the call takes effect, so that memory which was given away too early shows.
        const bytes = Buffer.concat(pieces).subarray(from)
        const part = fault === undefined ? bytes.length : this.#random.below(bytes.length + 1)
        file.write(position + from, bytes.subarray(0, part))
        return part
      })
    }
  }

  /** No call of the system, and yet seen by others: by the next owner, and by the disk whenever the system likes. */
  storeInFile(name: string, file: SimulatedFile, position: number, bytes: Buffer): void {
    if (this.#life.isOver) return
    file.write(position, bytes)
    this.#note({ kind: 'store', name })
  }

  async syncFile(name: string, file: SimulatedFile): Promise<void> {
    await this.#later(latencyOf(this.#random))
    const begun = file.changes
    await this.#change('sync', name, fault => {
      if (fault === undefined) file.settle(begun)
      else file.lose(begun, this.#random)
    })
  }

  readFile(name: string, file: SimulatedFile, position: number, into: Buffer): Promise<number> {
    return this.#call('read', name, () => file.read(position, into))
  }

  readFileSync(name: string, file: SimulatedFile, position: number, into: Buffer): number {
    const fault = this.#options.faultOf?.({ kind: 'read-now', name })
    if (fault !== undefined) throw systemError(fault)
    return file.read(position, into)
  }

  async truncateFile(name: string, file: SimulatedFile, size: number): Promise<void> {
    await this.#change('truncate', name, () => file.truncate(size))
  }

  /** A call that changes nothing. */
  #call<T>(kind: SystemCallKind, name: string, act: () => T): Promise<T> {
    return this.#begin({ kind, name }, fault => {
      if (fault !== undefined) throw systemError(fault)
      return act()
    })
  }

  /** A call that changes something. A write or sync that fails may have done part of its work. */
  #change<T>(kind: SystemCallKind, name: string, act: (fault: Fault | undefined) => T): Promise<T> {
    const call = { kind, name }
    return this.#begin(call, fault => {
      const isPartial = (kind === 'write' || kind === 'sync') && fault !== 'ignored'
      const result = fault === undefined || isPartial ? act(fault) : undefined
      this.#note(call)
      if (fault !== undefined && fault !== 'short' && fault !== 'ignored') throw systemError(fault)
      return result as T
    })
  }

  #note(call: SystemCall): void {
    this.#calls++
    this.#options.changed?.(call)
    if (this.#calls >= this.#crashAt) this.#life.end()
  }

  #begin<T>(call: SystemCall, act: (fault: Fault | undefined) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#life.after(latencyOf(this.#random), () => {
        try {
          const result = act(this.#options.faultOf?.(call))
          if (!this.#life.isOver) resolve(result)
        } catch (error) {
          if (!this.#life.isOver) reject(error as Error)
        }
      })
    })
  }

  #later(delayMs: number): Promise<void> {
    return new Promise(resolve => void this.#life.after(delayMs, resolve))
  }
}

class OpenFile implements DiskFile, MappedFile {
  readonly #disk: SimulatedDisk
  readonly #name: string
  readonly #file: SimulatedFile
  readonly #isAppended: boolean
  #isOpen = true

  constructor(disk: SimulatedDisk, name: string, file: SimulatedFile, isAppended = false) {
    this.#disk = disk
    this.#name = name
    this.#file = file
    this.#isAppended = isAppended
  }

  get size(): number {
    return this.#file.size
  }

  writev(position: number, pieces: readonly Buffer[]): Promise<void> {
    this.#check()
    const whole = this.#isAppended ? [...pieces, zerosAfter(position, pieces)] : pieces
    return this.#disk.writeFile(this.#name, this.#file, position, whole)
  }

  sync(): Promise<void> {
    this.#check()
    return this.#disk.syncFile(this.#name, this.#file)
  }

  read(position: number, into: Buffer): Promise<number> {
    this.#check()
    return this.#disk.readFile(this.#name, this.#file, position, into)
  }

  readSync(position: number, into: Buffer): number {
    this.#check()
    return this.#disk.readFileSync(this.#name, this.#file, position, into)
  }

  store(position: number, bytes: Buffer): void {
    this.#check()
    this.#disk.storeInFile(this.#name, this.#file, position, bytes)
  }

  truncate(size: number): Promise<void> {
    this.#check()
    return this.#disk.truncateFile(this.#name, this.#file, size)
  }

  async close(): Promise<void> {
    this.#isOpen = false
  }

  #check(): void {
    if (!this.#isOpen) throw systemError('EBADF')
  }
}

/** An error as the operating system gives it. */
function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made by the simulation`), { code })
}

function folderOf(name: string): string {
  return name.includes('/') ? name.slice(0, name.indexOf('/')) : ''
}

/** Mostly tenths of a millisecond; now and then a disk takes its time. */
function latencyOf(random: Random): number {
  const dice = random.below(1000)
  return dice < 995 ? 0.02 + dice / 2000 : 10 + 10 * (dice - 995)
}
