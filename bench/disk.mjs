// What the disk and the page cache do by themselves, kept apart from what a broker does with them.
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../compat/process.mjs'

/** Writes out whatever earlier runs left unsynced, so that the next one does not pay for it. */
export function syncAll() {
  return run('sync', [], { timeoutMs: 120_000 })
}

/** Makes the next reads come from the disk. False where it is not permitted: only root may. */
export async function dropPageCache() {
  await syncAll()
  return writeFile('/proc/sys/vm/drop_caches', '3').then(
    () => true,
    () => false,
  )
}

/**
 * Fills so much of the page cache and lets it go: a virtual machine is slower by half where its memory is new or was
 * handed back, which would be charged to whichever run happens to get it.
 */
export async function touchPageCache(directory, mb) {
  const file = join(directory, 'page-cache')
  const handle = await open(file, 'w')
  const megabyte = Buffer.alloc(1_000_000, 1)
  for (let i = 0; i < mb; i++) await handle.write(megabyte)
  await handle.close()
  await rm(file)
}

/** The disk's own p99 of a 4 KiB append and its fdatasync, in ms, in the directory where the brokers write. */
export function diskSyncP99Ms(directory) {
  const times = appendTimesMs(directory, { length: 4096, count: 1000 })
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]
}

/** What the disk takes by itself, in MB/s: 4 MiB at a time, each with its fdatasync, in the directory where the brokers write. */
export function diskWriteMbPerS(directory) {
  const [length, count] = [4 * 1024 * 1024, 100]
  const seconds = appendTimesMs(directory, { length, count }).reduce((sum, ms) => sum + ms, 0) / 1000
  return (count * length) / 1e6 / seconds
}

/** How long so many appends of one length and their fdatasyncs take, in ms each. */
function appendTimesMs(directory, { length, count }) {
  const file = join(directory, 'disk-probe')
  const fd = openSync(file, 'w')
  const piece = Buffer.alloc(length, 1)
  const times = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    writeSync(fd, piece)
    fdatasyncSync(fd)
    times.push(performance.now() - start)
  }
  closeSync(fd)
  rmSync(file)
  return times
}
