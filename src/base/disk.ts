import { constants, promises, type Stats } from 'node:fs'
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { assert } from './assert.ts'
import { systemClock, systemSleep } from './clock.ts'
import { DirectFile } from './direct-file.ts'
import { mapMemory, type MappableDisk, type MappedFile, type Memory } from './mapping.ts'
import { systemRandom } from './random.ts'

/**
 * The only door to files: a tree of named byte strings. Names are relative, with `/` between their parts. Errors
 * surface as the operating system gives them (`code`: ENOSPC, EIO, EACCES ...); nothing here retries.
 */
export interface Disk {
  /**
   * Claims the whole disk for one owner; the names that earlier owners have left are on disk before this resolves. Rejects
   * with StorageInUseError while another one lives.
   */
  lock(): Promise<Unlock>
  /** The names in a folder, sorted; none where there is no such folder. */
  list(folder: string): Promise<string[]>
  /** Opens for reading and writing. A missing file is made, and its name is on disk before this resolves. */
  open(name: string, options?: OpenOptions): Promise<DiskFile>
  /** A whole file, or undefined where there is none. */
  read(name: string): Promise<Buffer | undefined>
  /** Puts `bytes` in the place of a whole file: after a crash it has either the old bytes or the new, on disk. */
  replace(name: string, bytes: Buffer): Promise<void>
  /** Gives a file another name in its folder, which nothing has; after a crash it has one of the two, and now this one on disk. */
  rename(name: string, newName: string): Promise<void>
  /** Removes a file if it is there. Those who have it open can go on reading it. */
  remove(name: string): Promise<void>
}

export interface OpenOptions {
  /**
   * The file is written in order, mostly in long pieces, and each write may be followed by zeros, fewer than 4,096. For a log, which
   * knows where it ends.
   */
  readonly isAppended?: boolean
}

/** Gives the lock back. */
export type Unlock = () => Promise<void>

/** One open file. Every position is given by the caller; positions and lengths are in bytes. */
export interface DiskFile {
  /** As of opening, and of every write and truncation since. */
  readonly size: number
  /** Writes the pieces one after another from `position` on. */
  writev(position: number, pieces: readonly Buffer[]): Promise<void>
  /** Resolves when everything written before is on stable storage. */
  sync(): Promise<void>
  /** Fills `into` from `position` on; resolves to the bytes read, fewer only at the end of the file. */
  read(position: number, into: Buffer): Promise<number>
  /** The same at once, for what is short and likely in the page cache (64 KiB at most). */
  readSync(position: number, into: Buffer): number
  /** Cuts the file, or grows it by a hole. Not yet synced. */
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

/** Another living process, or this one, already works in the same place. */
export class StorageInUseError extends Error {
  override readonly name = 'StorageInUseError'
}

/** The greatest length for which `readSync` is meant. */
export const readSyncLengthMax = 64 * 1024

/** The files under a folder of this machine, made if need be. */
export function nodeDisk(folder: string): MappableDisk {
  return new NodeDisk(folder)
}

class NodeDisk implements MappableDisk {
  readonly #folder: string
  /** Those that were there once. One that is gone since is not made again: what was in it is gone as well, and that has to be told. */
  readonly #folders = new Set<string>()

  constructor(folder: string) {
    this.#folder = folder
  }

  async lock(): Promise<Unlock> {
    await makeDataFolder(this.#folder)
    this.#folders.add(this.#folder)
    const unlock = await lockFile(join(this.#folder, 'lock'))
    try {
      await syncNames(this.#folder)
      return unlock
    } catch (error) {
      await unlock()
      throw error
    }
  }

  async list(folder: string): Promise<string[]> {
    const names = await promises.readdir(join(this.#folder, folder)).catch(absent)
    return (names ?? []).sort()
  }

  async open(name: string, { isAppended = false }: OpenOptions = {}): Promise<DiskFile> {
    const path = join(this.#folder, name)
    const handle = (await promises.open(path, constants.O_RDWR).catch(absent)) ?? (await this.#make(path))
    const file = new NodeFile(handle, await handle.stat())
    return isAppended ? new DirectFile(file, handle.fd) : file
  }

  async openMapped(name: string): Promise<MappedFile> {
    const handle = await promises.open(join(this.#folder, name), constants.O_RDWR)
    try {
      const stats = await handle.stat()
      return new NodeMappedFile(new NodeFile(handle, stats), await mapMemory(handle.fd, stats.size))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async #make(path: string): Promise<promises.FileHandle> {
    await this.#makeFolder(dirname(path))
    const made = await promises.open(path, constants.O_RDWR | constants.O_CREAT)
    try {
      await syncFolder(dirname(path))
      return made
    } catch (error) {
      await made.close()
      throw error
    }
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return
    await makeFolder(path)
    this.#folders.add(path)
  }

  read(name: string): Promise<Buffer | undefined> {
    return promises.readFile(join(this.#folder, name)).catch(absent)
  }

  async replace(name: string, bytes: Buffer): Promise<void> {
    const path = join(this.#folder, name)
    const draft = `${path}.new`
    await this.#makeFolder(dirname(path))
    const file = await promises.open(draft, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await promises.rename(draft, path)
    await syncFolder(dirname(path))
  }

  async rename(name: string, newName: string): Promise<void> {
    const path = join(this.#folder, newName)
    await promises.rename(join(this.#folder, name), path)
    await syncFolder(dirname(path))
  }

  async remove(name: string): Promise<void> {
    await promises.unlink(join(this.#folder, name)).catch(absent)
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

async function makeFolder(path: string): Promise<void> {
  const made = await promises.mkdir(path, { recursive: true })
  if (made !== undefined) await syncFolder(dirname(made))
}

/** As `makeFolder`; above it there may be folders that may be written to and not be read, which cannot be synced. */
async function makeDataFolder(path: string): Promise<void> {
  await makeFolder(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES' || !fs.existsSync(path)) throw error
  })
}

/** Whoever was killed between making a name and syncing its folder has left a name that only looks durable. */
async function syncNames(path: string): Promise<void> {
  for (const entry of await promises.readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolder(join(path, entry.name))
  }
  await syncFolder(path)
}

/** A new name is on disk once its folder is synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await promises.open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

// Callbacks on bare descriptors cost half of what FileHandle does per call; the handle only keeps the descriptor.
class NodeFile implements DiskFile {
  readonly #handle: promises.FileHandle
  readonly #descriptor: number
  #size: number

  constructor(handle: promises.FileHandle, { size }: Stats) {
    this.#handle = handle
    this.#descriptor = handle.fd
    this.#size = size
  }

  get size(): number {
    return this.#size
  }

  writev(position: number, pieces: readonly Buffer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const write = (at: number, rest: readonly Buffer[]): void => {
        fs.writev(this.#descriptor, rest, at, (error, written) => {
          if (error) return reject(error)
          this.#size = Math.max(this.#size, at + written)
          const left = after(rest, written)
          if (left.length === 0) return resolve()
          // A short write is not an error yet: the next one says what is wrong, such as ENOSPC.
          if (written === 0) return reject(new Error('a write that wrote nothing'))
          write(at + written, left)
        })
      }
      write(position, pieces)
    })
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#descriptor, error => (error ? reject(error) : resolve()))
    })
  }

  read(position: number, into: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const read = (filled: number): void => {
        fs.read(this.#descriptor, into, filled, into.length - filled, position + filled, (error, length) => {
          if (error) return reject(error)
          if (length === 0 || filled + length === into.length) return resolve(filled + length)
          read(filled + length)
        })
      }
      if (into.length === 0) resolve(0)
      else read(0)
    })
  }

  readSync(position: number, into: Buffer): number {
    let filled = 0
    while (filled < into.length) {
      const length = fs.readSync(this.#descriptor, into, filled, into.length - filled, position + filled)
      if (length === 0) break
      filled += length
    }
    return filled
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size)
    this.#size = size
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

class NodeMappedFile implements MappedFile {
  readonly #file: DiskFile
  #memory: Memory | undefined

  constructor(file: DiskFile, memory: Memory) {
    this.#file = file
    this.#memory = memory
  }

  get size(): number {
    return this.#file.size
  }

  readSync(position: number, into: Buffer): number {
    return this.#file.readSync(position, into)
  }

  store(position: number, bytes: Buffer): void {
    assert(this.#memory !== undefined, 'a closed mapping stored to')
    bytes.copy(this.#memory.bytes, position)
  }

  // Linux writes what was stored with the file's other pages, and its msync is this very call; macOS keeps both in one cache,
  // and there msync would not reach the disk.
  sync(): Promise<void> {
    return this.#file.sync()
  }

  async close(): Promise<void> {
    this.#memory?.unmap()
    this.#memory = undefined
    await this.#file.close()
  }
}

/** What is left of `pieces` after their first `length` bytes. */
function after(pieces: readonly Buffer[], length: number): readonly Buffer[] {
  let skipped = 0
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index]!
    if (skipped + piece.length > length) return [piece.subarray(length - skipped), ...pieces.slice(index + 1)]
    skipped += piece.length
  }
  return []
}

/** How often an owner touches its lock, and how long one that is not seen from here may miss that before it is taken for gone. */
const pulse = { everyMs: 1000, silenceMsMax: 5000 }

/**
 * Takes the lock at `path`: a file that names its owner. Node has no flock, so a link that fails when the name is taken
 * stands for it. A dead owner's lock is replaced by whoever holds the lock named after it, found again in the same
 * way; since only that holder may replace this one owner's file, two takers never both win.
 */
async function lockFile(path: string): Promise<Unlock> {
  const owner = ownerText(process.pid, systemRandom.bytes(8).toString('hex'))
  const draft = `${path}.${process.pid}-${systemRandom.bytes(8).toString('hex')}`
  await promises.writeFile(draft, owner, { flag: 'wx' })
  try {
    for (;;) {
      try {
        await promises.link(draft, path)
        return await hold(path, owner)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const found = await promises.readFile(path, 'utf8').catch(absent)
      if (found === undefined) continue
      const [pid, , nonce] = found.split(' ')
      if (await isAlive(found, path, draft)) {
        throw new StorageInUseError(
          `${dirname(path)} is in use by process ${pid}${isSeen(found) ? '' : elsewhere}`,
        )
      }
      const release = await lockFile(`${path}.${nonce?.trim() || 'unreadable'}`)
      try {
        const still = await promises.readFile(path, 'utf8').catch(absent)
        if (still !== found) continue
        await promises.rename(draft, path)
        return await hold(path, owner)
      } finally {
        await release()
      }
    }
  } finally {
    await promises.unlink(draft).catch(absent)
  }
}

const elsewhere = ' in another container or on another machine'

/** Touches the lock for as long as it is held; gives it back at once where that cannot be. */
async function hold(path: string, owner: string): Promise<Unlock> {
  const file = await promises.open(path, 'r+').catch(async (error: unknown) => {
    await promises.unlink(path)
    throw error
  })
  // By writing, so that the file system dates it; and into this very file, should another have taken its name.
  const touch = (): void => {
    file.write(owner, 0).catch(() => {})
    cancel = systemClock.after(pulse.everyMs, touch)
  }
  let cancel = systemClock.after(pulse.everyMs, touch)
  return async () => {
    cancel()
    await file.close()
    const found = await promises.readFile(path, 'utf8').catch(absent)
    if (found === owner) await promises.unlink(path)
  }
}

function ownerText(pid: number, nonce: string): string {
  return `${pid} ${startTimeOf(pid) ?? '-'} ${nonce} ${here()}\n`
}

/** Where process numbers mean what they mean to us: this start of the machine, and this container. */
function here(): string {
  try {
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot}/${fs.readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return '-'
  }
}

/** Whether the owner's process number can be looked up from here. */
function isSeen(owner: string): boolean {
  const [, , , place = here()] = owner.trim().split(' ')
  return place === here()
}

/** When a process began, as /proc tells it, so that a later one with the same number is not taken for it. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; the start time is the twentieth field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

async function isAlive(owner: string, path: string, draft: string): Promise<boolean> {
  return isSeen(owner) ? isRunning(owner) : hasPulse(path, draft)
}

function isRunning(owner: string): boolean {
  const [pidText, startTime] = owner.split(' ')
  const pid = Number(pidText)
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const started = startTimeOf(pid)
  return started === undefined || startTime === '-' || started === startTime
}

/** Whether somebody still touches the lock at `path`, by the clock of the file system, which has just dated `draft`. */
async function hasPulse(path: string, draft: string): Promise<boolean> {
  const touched = await touchedAt(path)
  const draftedAt = await touchedAt(draft)
  if (touched === undefined || draftedAt === undefined) return false
  let leftMs = pulse.silenceMsMax - (draftedAt - touched)
  for (; leftMs > 0; leftMs -= pulse.everyMs) {
    await systemSleep(pulse.everyMs)
    const now = await touchedAt(path)
    if (now !== touched) return now !== undefined
  }
  return false
}

async function touchedAt(path: string): Promise<number | undefined> {
  return (await promises.stat(path).catch(absent))?.mtimeMs
}
