// The ways in which a block could be put on disk, compared without a broker: they decide how the log does it.
//   node bench/disk-ways.mjs [--rounds N] [--mb N] [--folder DIR]
// Rounds alternate between the ways, so that a busy machine is unfair to all of them alike; medians are printed.
import fs from 'node:fs'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    mb: { type: 'string', default: '64' },
    folder: { type: 'string', default: join(import.meta.dirname, '.cache') },
  },
})
const rounds = Number(values.rounds)
const total = Number(values.mb) * 1024 * 1024
mkdirSync(values.folder, { recursive: true })
const folder = mkdtempSync(join(values.folder, 'disk-ways-'))
const { O_RDWR, O_CREAT, O_DSYNC, O_DIRECT } = fs.constants

/** Each way takes (files: descriptors, pieces, position) and ends when the pieces are on disk. */
const ways = {
  'growing, pool': { prepare: grown, write: pooled },
  'overwriting, pool': { prepare: overwritten, write: pooled },
  'growing, write on the main thread': { prepare: grown, write: halfPooled },
  'overwriting, write on the main thread': { prepare: overwritten, write: halfPooled },
  'growing, main thread': { prepare: grown, write: blocking },
  'overwriting, main thread': { prepare: overwritten, write: blocking },
  'growing, O_DSYNC, pool': { prepare: grown, write: pooledWrite, flags: O_DSYNC },
  'overwriting, O_DSYNC, pool': { prepare: overwritten, write: pooledWrite, flags: O_DSYNC },
  'growing, two files at once, pool': { prepare: grown, write: pooled, files: 2 },
  // As base/direct-file does it. Not every system has it.
  ...(O_DIRECT !== undefined && {
    'growing, around the page cache': { prepare: grown, write: direct, flags: O_DIRECT | O_DSYNC },
    'overwriting, around the page cache': { prepare: overwritten, write: direct, flags: O_DIRECT | O_DSYNC },
  }),
}
/** Memory that begins where a page does, for a block. */
const aligned = Buffer.from(new WebAssembly.Memory({ initial: 64, maximum: 64 }).buffer)

try {
  for (const blockLength of [4, 64, 1024, 4096].map(kib => kib * 1024)) await compare(blockLength)
  await compareTotals()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function compare(blockLength) {
  const count = Math.max(8, Math.min(400, Math.floor(total / blockLength)))
  console.log(`\nblocks of ${blockLength / 1024} KiB, ${count} of them, medians of ${rounds} rounds`)
  const results = new Map(Object.keys(ways).map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) results.get(name).push(await run(way, blockLength, count))
  }
  for (const [name, runs] of results) {
    const { p50, p99, rate, cpu } = mediansOf(runs)
    console.log(
      `  ${name.padEnd(34)} ${rate.toFixed(0).padStart(5)} MB/s  p50 ${p50.toFixed(0).padStart(6)} us  p99 ${p99.toFixed(0).padStart(6)} us  ${cpu.toFixed(2)} CPU s/GB`,
    )
  }
}

/** One stream for longer, where what the kernel does behind counts too: what zeroing costs is part of its figure. */
async function compareTotals() {
  const blockLength = 1024 * 1024
  const count = 256
  console.log(`\n${count} blocks of 1 MiB, what was prepared being charged to the way that needs it`)
  const totals = {
    growing: async path => void (await run(ways['growing, pool'], blockLength, count, path)),
    'zeros before each 16 MiB': path => zeroedAhead(path, blockLength, count, 16 * 1024 * 1024),
    'overwriting what is there': async path =>
      void (await run(ways['overwriting, pool'], blockLength, count, path)),
  }
  const results = new Map(Object.keys(totals).map(name => [name, []]))
  for (let round = 0; round < Math.min(rounds, 5); round++) {
    for (const [name, work] of Object.entries(totals)) {
      const path = join(folder, 'total')
      if (name.startsWith('overwriting')) await fill(path, blockLength * count)
      const cpuBefore = process.cpuUsage()
      const start = performance.now()
      await work(path)
      const seconds = (performance.now() - start) / 1000
      const { user, system } = process.cpuUsage(cpuBefore)
      results.get(name).push({
        rate: (blockLength * count) / 1e6 / seconds,
        cpu: (user + system) / 1e6 / ((blockLength * count) / 1e9),
      })
      rmSync(path, { force: true })
    }
  }
  for (const [name, runs] of results) {
    console.log(
      `  ${name.padEnd(34)} ${median(runs.map(({ rate }) => rate))
        .toFixed(0)
        .padStart(5)} MB/s  ${median(runs.map(({ cpu }) => cpu)).toFixed(2)} CPU s/GB`,
    )
  }
}

async function zeroedAhead(path, blockLength, count, aheadLength) {
  const fd = fs.openSync(path, O_RDWR | O_CREAT)
  const empty = Buffer.alloc(aheadLength)
  let ready = 0
  for (let index = 0; index < count; index++) {
    if ((index + 1) * blockLength > ready) {
      await pooled(fd, [empty], ready)
      ready += aheadLength
    }
    await pooled(fd, piecesOf(blockLength), index * blockLength)
  }
  fs.closeSync(fd)
}

async function run({ prepare, write, flags = 0, files = 1 }, blockLength, count, path) {
  const paths = Array.from({ length: files }, (_, index) => path ?? join(folder, `file-${index}`))
  for (const each of paths) await prepare(each, blockLength * count, path !== undefined)
  const descriptors = paths.map(each => fs.openSync(each, O_RDWR | O_CREAT | flags))
  const times = []
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await Promise.all(
    descriptors.map(async (fd, which) => {
      const pieces = piecesOf(blockLength)
      for (let index = which; index < count; index += files) {
        const from = performance.now()
        await write(fd, pieces, Math.floor(index / files) * blockLength)
        times.push(performance.now() - from)
      }
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  for (const fd of descriptors) fs.closeSync(fd)
  if (path === undefined) for (const each of paths) rmSync(each, { force: true })
  times.sort((a, b) => a - b)
  return {
    p50: times[Math.floor(times.length / 2)] * 1000,
    p99: times[Math.floor(times.length * 0.99)] * 1000,
    rate: (blockLength * count) / 1e6 / seconds,
    cpu: (user + system) / 1e6 / ((blockLength * count) / 1e9),
  }
}

/** A block as the log has it: a head, and what was received in pieces. */
function piecesOf(length) {
  const piece = 16 * 1024
  if (length <= piece) return [Buffer.alloc(256, 1), Buffer.alloc(length - 256, 2)]
  return Array.from({ length: length / piece }, () => Buffer.alloc(piece, 3))
}

async function grown() {}

async function overwritten(path, length, isThere) {
  if (!isThere) await fill(path, length)
}

/** A file that was written and synced before, as one that is used again. */
async function fill(path, length) {
  const fd = fs.openSync(path, O_RDWR | O_CREAT)
  const chunk = Buffer.alloc(1024 * 1024, 7)
  for (let at = 0; at < length; at += chunk.length)
    fs.writeSync(fd, chunk, 0, Math.min(chunk.length, length - at), at)
  fs.fdatasyncSync(fd)
  fs.closeSync(fd)
}

function pooled(fd, pieces, position) {
  return new Promise((resolve, reject) => {
    fs.writev(fd, pieces, position, error => {
      if (error) return reject(error)
      fs.fdatasync(fd, error => (error ? reject(error) : resolve()))
    })
  })
}

function pooledWrite(fd, pieces, position) {
  return new Promise((resolve, reject) => {
    fs.writev(fd, pieces, position, error => (error ? reject(error) : resolve()))
  })
}

function direct(fd, pieces, position) {
  let length = 0
  for (const piece of pieces) length += piece.copy(aligned, length)
  return new Promise((resolve, reject) => {
    fs.write(fd, aligned, 0, length, position, error => (error ? reject(error) : resolve()))
  })
}

async function halfPooled(fd, pieces, position) {
  fs.writevSync(fd, pieces, position)
  await new Promise((resolve, reject) => {
    fs.fdatasync(fd, error => (error ? reject(error) : resolve()))
  })
}

// As asynchronous as the others, so that all of them give the event loop the same chance.
async function blocking(fd, pieces, position) {
  fs.writevSync(fd, pieces, position)
  fs.fdatasyncSync(fd)
  await new Promise(resolve => void setImmediate(resolve))
}

function mediansOf(runs) {
  return Object.fromEntries(Object.keys(runs[0]).map(key => [key, median(runs.map(each => each[key]))]))
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
