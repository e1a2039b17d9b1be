// What the log's own choices are worth: shards, the limit of a block, files that are used again. In this process, batches of
// 16 KiB copied as from a socket, checked and appended by as many callers as the backlog lets.
//   node bench/choices.mjs [--rounds N] [--mb N]
// Rounds alternate between the choices, so that a busy machine is unfair to all of them alike; medians are printed.
import { parseArgs } from 'node:util'
import { prepareOdradek } from '../compat/odradek.mjs'
import { median } from './report.mjs'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, mb: { type: 'string', default: '512' } },
})
const mebibyte = 1024 * 1024
const totalLength = Number(options.mb) * mebibyte

await prepareOdradek()
// What was just built.
const { batchOf, withStore } = await import('./store.mjs')
const { checkBatch } = await import('../dist/protocol/records/check.js')

/** Small segments, so that every run has some that die. */
const base = { segmentBytes: 64 * mebibyte, spareSegmentsMax: 0, backlogBytesMax: 32 * mebibyte }
const choices = {
  'blocks of 256 KiB': { ...base, blockBytes: mebibyte / 4 },
  'blocks of 1 MiB': { ...base, blockBytes: mebibyte },
  'blocks of 4 MiB': { ...base, blockBytes: 4 * mebibyte },
  'blocks of 8 MiB, as it is': base,
  'blocks of 16 MiB': { ...base, blockBytes: 16 * mebibyte },
  'two shards': { ...base, shards: 2 },
  'deleting, files grow': { ...base, deletes: true },
  'deleting, files are used again': { ...base, deletes: true, spareSegmentsMax: 2 },
}

const batch = batchOf(148, 100)
const results = new Map(Object.keys(choices).map(name => [name, []]))
for (let round = 0; round < Number(options.rounds); round++) {
  // Who comes after whom matters on a disk that is still busy, so that each goes first in turn.
  const names = Object.keys(choices)
  const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)]
  for (const name of order) results.get(name).push(await run(choices[name]))
}
for (const [name, runs] of results) {
  const rate = median(runs.map(each => each.rate)).toFixed(0)
  const cpu = median(runs.map(each => each.cpu)).toFixed(2)
  const system = median(runs.map(each => each.system)).toFixed(2)
  console.log(`${name.padEnd(32)} ${rate.padStart(5)} MB/s  ${cpu} CPU s/GB, ${system} of them in the kernel`)
}

function run({ deletes = false, ...choice }) {
  return withStore(choice, async ({ store, logs, slabs }) => {
    const produce = async length => {
      for (let written = 0, turn = 0; written < length;) {
        for (let each = 0; each < 64; each++, written += batch.length) {
          const region = slabs.take(batch.length)
          batch.copy(region.bytes)
          checkBatch(region.bytes)
          logs[turn++ % logs.length].append(region.bytes, { hold: region })
          region.release()
        }
        await new Promise(resolve => void setImmediate(() => store.onceRelieved(resolve)))
        if (deletes) for (const log of logs) log.deleteBefore(log.highWatermark)
      }
      await store.flushed()
    }
    await produce(3 * base.segmentBytes)
    const cpuBefore = process.cpuUsage()
    const start = performance.now()
    await produce(totalLength)
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    const gigabytes = totalLength / 1e9
    return {
      rate: totalLength / 1e6 / seconds,
      cpu: (user + system) / 1e6 / gigabytes,
      system: system / 1e6 / gigabytes,
    }
  })
}
