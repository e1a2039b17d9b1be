// How much of the bare rate of writev + fdatasync the produce path reaches, block by block of the same size: batches of
// 16 KiB are copied as from a socket, checked, stamped, appended, and committed.
//   node bench/limit.mjs [--rounds N] [--mb N]
// bench/durability.mjs writes the same into bench/DURABILITY.md.
import fs from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareOdradek } from '../compat/odradek.mjs'
import { syncAll } from './disk.mjs'
import { median } from './report.mjs'

const mebibyte = 1024 * 1024
/** Small, so that files die and are used again within a run. */
const segmentBytes = 64 * mebibyte

if (process.argv[1] === import.meta.filename) await print()

async function print() {
  const { values: options } = parseArgs({
    options: { rounds: { type: 'string', default: '7' }, mb: { type: 'string', default: '256' } },
  })
  await prepareOdradek()
  for (const row of await measureLimits({ rounds: Number(options.rounds), mb: Number(options.mb) })) {
    const { bare, odradek } = row
    console.log(
      `blocks of ${row.blockKib} KiB, ${row.file}: bare ${bare.rate.toFixed(0)} MB/s at ${bare.cpu.toFixed(2)} CPU s/GB, ` +
        `odradek ${odradek.rate.toFixed(0)} MB/s at ${odradek.cpu.toFixed(2)}: ${(row.share * 100).toFixed(0)} %`,
    )
  }
}

/**
 * Rows of { blockKib, file: 'growing' | 'used again', bare, odradek, share }; rates in MB/s, CPU in s/GB, medians of rounds in
 * which the two alternate, so that a busy machine is unfair to both alike. Odradek must have been built.
 */
export async function measureLimits({ rounds, mb }) {
  const rows = []
  for (const blockKib of [64, 1024]) {
    for (const file of ['growing', 'used again']) {
      const work = { perBlock: blockKib / 16, isUsed: file === 'used again', length: mb * mebibyte }
      const pairs = []
      for (let round = 0; round < rounds; round++) pairs.push([await bare(work), await produced(work)])
      const [bares, odradeks] = [pairs.map(([first]) => first), pairs.map(([, second]) => second)]
      const share = median(pairs.map(([first, second]) => second.rate / first.rate))
      rows.push({ blockKib, file, bare: middle(bares), odradek: middle(odradeks), share })
    }
  }
  return rows
}

function middle(results) {
  return { rate: median(results.map(each => each.rate)), cpu: median(results.map(each => each.cpu)) }
}

/** A batch of 16 KiB in records of 100 bytes, nearly. */
async function makeBatch() {
  const { batchOf } = await import('./store.mjs')
  return batchOf(148, 100)
}

async function bare({ perBlock, isUsed, length }) {
  const { makeFolder } = await import('./store.mjs')
  const batch = await makeBatch()
  const folder = await makeFolder('bare-')
  await syncAll()
  const fd = fs.openSync(join(folder, 'log'), 'w')
  const pieces = [Buffer.alloc(batch.length * perBlock, batch)]
  const blockLength = pieces[0].length
  const writeAll = async total => {
    for (let written = 0; written < total; written += blockLength) {
      // As the log begins another file; one that was written before when files are used again.
      const position = isUsed ? written % segmentBytes : written
      await new Promise((resolve, reject) => {
        fs.writev(fd, pieces, position, error => {
          if (error) return reject(error)
          fs.fdatasync(fd, error => (error ? reject(error) : resolve()))
        })
      })
    }
  }
  try {
    if (isUsed) await writeAll(segmentBytes + blockLength)
    return await measured(length, () => writeAll(length))
  } finally {
    fs.closeSync(fd)
    await rm(folder, { recursive: true, force: true })
  }
}

async function produced({ perBlock, isUsed, length }) {
  const { withStore } = await import('./store.mjs')
  const { checkBatch } = await import('../dist/protocol/records/check.js')
  const batch = await makeBatch()
  const options = { blockBytes: batch.length * perBlock, segmentBytes, spareSegmentsMax: isUsed ? 2 : 0 }
  return withStore(options, async ({ store, logs, slabs }) => {
    let turn = 0
    const produce = async total => {
      const waiting = []
      for (let written = 0; written < total;) {
        let committed
        for (let each = 0; each < perBlock; each++, written += batch.length) {
          const region = slabs.take(batch.length)
          batch.copy(region.bytes)
          checkBatch(region.bytes)
          committed = logs[turn++ % logs.length].append(region.bytes, { hold: region }).committed
          region.release()
        }
        // The next block is made while this one is written, as with many clients.
        waiting.push(committed)
        if (waiting.length > 2) await waiting.shift()
        if (isUsed) for (const log of logs) log.deleteBefore(log.highWatermark)
      }
      await store.flushed()
    }
    if (isUsed) await produce(3 * segmentBytes)
    return measured(length, () => produce(length))
  })
}

async function measured(length, work) {
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  return { rate: length / 1e6 / seconds, cpu: (user + system) / 1e6 / (length / 1e9) }
}
