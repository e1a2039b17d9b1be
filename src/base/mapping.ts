import type { Disk, DiskFile } from './disk.ts'

/** A disk whose files can be had as memory. */
export interface MappableDisk extends Disk {
  /**
   * Maps a whole file that is there; its length stays as it is. It must have been written from end to end: a page that has no place on
   * the disk yet may find none when it is first stored to, and then the system kills the process (SIGBUS).
   * Rejects with MappingError where this machine cannot map files.
   */
  openMapped(name: string): Promise<MappedFile>
}

/** A file as memory. */
export interface MappedFile extends Pick<DiskFile, 'size' | 'readSync' | 'sync' | 'close'> {
  /** Puts bytes where a kill of this process leaves them. They outlive the machine's power after the next `sync`. */
  store(position: number, bytes: Buffer): void
}

/** Files cannot be mapped here: the package that can is not installed, or the system has no mmap. */
export class MappingError extends Error {
  override readonly name = 'MappingError'
}

/** Memory that the kernel keeps for a file. Nothing may touch `bytes` after `unmap`: the process would be killed. */
export interface Memory {
  readonly bytes: Buffer
  unmap(): void
}

type Map = (descriptor: number, length: number) => Memory

let loaded: Promise<Map> | undefined

/** Maps `length` bytes of an open file, shared with every process that maps or reads it. */
export async function mapMemory(descriptor: number, length: number): Promise<Memory> {
  const map = await (loaded ??= load())
  return map(descriptor, length)
}

// The same on Linux, macOS and the BSDs.
const readAndWrite = 3
const shared = 1
const failed = 2n ** 64n - 1n

async function load(): Promise<Map> {
  const { default: koffi } = await import('koffi').catch((error: NodeJS.ErrnoException) => {
    throw new MappingError(
      'mapped files need the optional package koffi, which cannot be loaded here; npm install koffi, or choose a sequencer that needs none',
      { cause: error },
    )
  })
  if (process.platform === 'win32')
    throw new MappingError('mapped files need mmap, which Windows does not have')
  const system = koffi.load(null)
  const mmap = system.func('void *mmap(void *, size_t, int, int, int, int64_t)')
  const munmap = system.func('int munmap(void *, size_t)')
  return (descriptor, length) => {
    const address: unknown = mmap(null, length, readAndWrite, shared, descriptor, 0)
    if (koffi.address(address) === failed) {
      const errno = koffi.errno()
      const code = Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0] ?? String(errno)
      throw Object.assign(new Error(`${code}: mmap of ${length} bytes`), { code, errno: -errno })
    }
    return {
      bytes: Buffer.from(koffi.view(address, length)),
      unmap: () => void munmap(address, length),
    }
  }
}
