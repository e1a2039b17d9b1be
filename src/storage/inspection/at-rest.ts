import { assert } from '../../base/assert.ts'
import type { Disk, DiskFile } from '../../base/disk.ts'
import { checkFormat, hasFormat } from '../data-directory.ts'
import { StorageFormatError } from '../errors.ts'

/**
 * Works on a data directory that no broker has open, and keeps brokers out meanwhile. Nothing but the lock is written.
 * Rejects with StorageInUseError, with StorageFormatError, and as `work` does; `name` is what messages call the directory.
 */
export async function atRest<Result>(
  disk: Disk,
  name: string,
  work: (disk: Disk) => Promise<Result>,
): Promise<Result> {
  // Before the lock, which would make a directory where there is none.
  if (!(await hasFormat(disk))) {
    throw new StorageFormatError(`${name} is not an odradek data directory: it has no file "format"`)
  }
  const unlock = await disk.lock()
  try {
    const readOnly = new ReadOnlyDisk(disk)
    await checkFormat(readOnly)
    return await work(readOnly)
  } finally {
    await unlock()
  }
}

/** How long a file is; 0 where there is none. It is what a counter counts by. */
export async function sizeOf(disk: Disk, name: string): Promise<number> {
  const file = await disk.open(name)
  try {
    return file.size
  } finally {
    await file.close()
  }
}

/** A disk of which nothing is changed; what is not there reads as an empty file. */
class ReadOnlyDisk implements Disk {
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
  }

  list(folder: string): Promise<string[]> {
    return this.#disk.list(folder)
  }

  read(name: string): Promise<Buffer | undefined> {
    return this.#disk.read(name)
  }

  async open(name: string): Promise<DiskFile> {
    const [folder = '', file] = /^(?:(.*)\/)?([^/]+)$/.exec(name)!.slice(1)
    const isThere = (await this.#disk.list(folder)).includes(file!)
    return isThere ? new ReadOnlyFile(await this.#disk.open(name)) : nothing
  }

  lock = refuse
  replace = refuse
  rename = refuse
  remove = refuse
}

class ReadOnlyFile implements DiskFile {
  readonly #file: DiskFile

  constructor(file: DiskFile) {
    this.#file = file
  }

  get size(): number {
    return this.#file.size
  }

  read(position: number, into: Buffer): Promise<number> {
    return this.#file.read(position, into)
  }

  readSync(position: number, into: Buffer): number {
    return this.#file.readSync(position, into)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  writev = refuse
  sync = refuse
  truncate = refuse
}

const nothing: DiskFile = {
  size: 0,
  read: async () => 0,
  readSync: () => 0,
  close: async () => {},
  writev: refuse,
  sync: refuse,
  truncate: refuse,
}

async function refuse(): Promise<never> {
  assert(false, 'a data directory changed that is only looked at')
}
