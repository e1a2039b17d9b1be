// The storage of the built odradek, in this process and without anything around it.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../dist/base/clock.js'
import { nodeDisk } from '../dist/base/disk.js'
import { systemRandom } from '../dist/base/random.js'
import { Slabs } from '../dist/base/slabs.js'
import { silentLogger } from '../dist/options.js'
import { buildBatch } from '../dist/protocol/records/record.js'
import { openStore } from '../dist/storage/store.js'
import { syncAll } from './disk.mjs'

// Under the repository, since a system's temporary folder may be memory, where a sync costs nothing.
const cache = join(import.meta.dirname, '.cache')

/** A new folder on the disk that is measured. */
export async function makeFolder(prefix) {
  await mkdir(cache, { recursive: true })
  return mkdtemp(join(cache, prefix))
}

/** Calls `work({ store, logs, slabs })` with a store in a new folder that has so many partitions, and removes it. */
export async function withStore({ partitions = 8, ...options }, work) {
  const folder = await makeFolder('store-')
  await syncAll()
  const slabs = new Slabs()
  const store = await openStore({
    disk: nodeDisk(folder),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    slabs,
    ...options,
  })
  try {
    const logs = Array.from({ length: partitions }, (_, index) =>
      store.create(index + 1, { createdAt: store.startCount }),
    )
    store.dropUnknown()
    return await work({ store, logs, slabs })
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** A batch with so many records of so many bytes each, as a producer sends it. */
export function batchOf(recordCount, recordLength) {
  const value = Buffer.alloc(recordLength, 'x')
  return buildBatch({
    records: Array.from({ length: recordCount }, (_, index) => ({ value, timestamp: BigInt(index) })),
  })
}
