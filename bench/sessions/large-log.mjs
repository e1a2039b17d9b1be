// 10 GB of log: read cold, remembered at what cost of memory, and recovered after a kill in the middle of writing.
import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { dropPageCache } from '../disk.mjs'

export const largeLog = {
  volumes: {
    full: { mb: 10_000, coldReads: 2, writingMs: 3000, freeGb: 30 },
    quick: { mb: 200, coldReads: 1, writingMs: 500, freeGb: 2 },
  },
  skip: async ({ cache, volume }) => {
    const { bavail, bsize } = await statfs(cache)
    const freeGb = (bavail * bsize) / 1e9
    if (freeGb < volume.freeGb)
      return `${Math.floor(freeGb)} GB of disk are free, ${volume.freeGb} are needed`
  },
  cases: {
    recovery: {
      secondsMax: 600,
      roundsMax: { odradek: 1, kafka: 1 },
      measure: async bench => {
        const { mb, coldReads, writingMs } = bench.volume
        const large = { topic: 'large', size: 1000, mb }
        await bench.load('produce', { ...large, batch: 1_000_000 })
        const coldRead = []
        for (let read = 1; read <= coldReads; read++) {
          if (!(await dropPageCache()))
            bench.note('The page cache could not be emptied, so the cold reads are not cold.')
          coldRead.push((await bench.load('consume', large)).mb_per_s)
        }
        const largeMemory = bench.residentMb()
        await killWhileWriting(bench, writingMs)
        const { metadataMs } = await bench.restart('large')
        // Still undefined is a broker that has not come back within the time.
        const recoveredMemory = bench.running && bench.residentMb()
        return { coldRead, largeMemory, recovery: metadataMs, recoveredMemory }
      },
    },
  },
}

async function killWhileWriting(bench, writingMs) {
  const stop = new AbortController()
  const signal = AbortSignal.any([bench.signal, stop.signal])
  const load = { topic: 'unfinished', size: 1000, window: '60s' }
  const writing = bench.load('produce', load, { signal }).catch(error => error)
  await sleep(writingMs)
  await bench.running.kill()
  stop.abort()
  await writing
}
