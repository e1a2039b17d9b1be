// How much of the bare rate of writev + fdatasync the produce path reaches, block by block of the same size: batches of
// 16 KiB are copied as from a socket, checked, stamped, appended, and committed.
//   node bench/limit.mjs [--rounds N] [--mb N] [--quick]
import fs from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareOdradek } from '../compat/odradek.mjs'
import { syncAll } from './disk.mjs'
import { median } from './report.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    mb: { type: 'string', default: '256' },
    quick: { type: 'boolean', default: false },
  },
})
const rounds = options.quick ? 3 : Number(options.rounds)
const totalLength = (options.quick ? 64 : Number(options.mb)) * 1024 * 1024

await prepareOdradek()
// What was just built.
const { batchOf, makeFolder, withStore } = await import('./store.mjs')
const { checkBatch } = await import('../dist/protocol/records/check.js')

/** A batch of 16 KiB in records of 100 bytes, nearly. */
const batch = batchOf(148, 100)

for (const blockKib of [64, 1024]) {
  const perBlock = (blockKib * 1024) / (16 * 1024)
  const results = { bare: [], odradek: [] }
  // In turn, so that a busy machine is unfair to both alike.
  for (let round = 0; round < rounds; round++) {
    results.bare.push(await bare(perBlock))
    results.odradek.push(await produced(perBlock))
  }
  const rate = name => median(results[name].map(result => result.rate))
  const cpu = name => median(results[name].map(result => result.cpu))
  const share = median(results.odradek.map((result, index) => result.rate / results.bare[index].rate))
  console.log(
    `blocks of ${blockKib} KiB: bare ${rate('bare').toFixed(0)} MB/s at ${cpu('bare').toFixed(2)} CPU s/GB, ` +
      `odradek ${rate('odradek').toFixed(0)} MB/s at ${cpu('odradek').toFixed(2)}: ${(share * 100).toFixed(0)} %`,
  )
}

async function bare(perBlock) {
  const folder = await makeFolder('bare-')
  await syncAll()
  const fd = fs.openSync(join(folder, 'log'), 'w')
  const pieces = [Buffer.alloc(batch.length * perBlock, batch)]
  const blockLength = pieces[0].length
  const count = Math.floor(totalLength / blockLength)
  try {
    return await measured(count * blockLength, async () => {
      for (let index = 0; index < count; index++) {
        await new Promise((resolve, reject) => {
          fs.writev(fd, pieces, index * blockLength, error => {
            if (error) return reject(error)
            fs.fdatasync(fd, error => (error ? reject(error) : resolve()))
          })
        })
      }
    })
  } finally {
    fs.closeSync(fd)
    await rm(folder, { recursive: true, force: true })
  }
}

function produced(perBlock) {
  const blockBytes = batch.length * perBlock
  const count = Math.floor(totalLength / blockBytes)
  return withStore({ blockBytes }, ({ store, logs, slabs }) =>
    measured(count * blockBytes, async () => {
      let turn = 0
      const waiting = []
      for (let index = 0; index < count; index++) {
        let committed
        for (let each = 0; each < perBlock; each++) {
          const region = slabs.copyOf(batch)
          checkBatch(region.bytes)
          committed = logs[turn++ % logs.length].append(region.bytes, { hold: region }).committed
          region.release()
        }
        // The next block is made while this one is written, as with many clients.
        waiting.push(committed)
        if (waiting.length > 2) await waiting.shift()
      }
      await store.flushed()
    }),
  )
}

async function measured(length, work) {
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  return { rate: length / 1e6 / seconds, cpu: (user + system) / 1e6 / (length / 1e9) }
}
