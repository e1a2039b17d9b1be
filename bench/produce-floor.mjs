// How much of the machine's own limit odradek's produce path reaches: a bare server that frames, checks the CRC,
// writes and syncs, and knows nothing else, measured with the same load generator.
//   node bench/produce-floor.mjs [--alone]
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { prepareOdradek, startOdradek } from '../compat/odradek.mjs'
import { serve } from '../compat/process.mjs'
import { syncAll, touchPageCache } from './disk.mjs'
import { prepareLoadgen, runLoadgen } from './loadgen.mjs'
import { median } from './report.mjs'

const server = join(import.meta.dirname, 'floor-server.mjs')
const rounds = 3

await compareWithFloor()

async function compareWithFloor() {
  const loadgen = await prepareLoadgen()
  if (loadgen.skip) return console.log(`skipped: ${loadgen.skip}`)
  const isAlone = process.argv.includes('--alone')
  if (!isAlone) await prepareOdradek()
  const starts = isAlone ? { floor: startFloor } : { floor: startFloor, odradek: startOdradek }
  for (const [size, mb] of [
    [1000, 2000],
    [100, 500],
  ]) {
    const rates = { floor: [], odradek: [] }
    for (let round = 1; round <= rounds; round++) {
      for (const [name, start] of Object.entries(starts)) rates[name].push(await produceRate(start, size, mb))
    }
    const floor = median(rates.floor)
    console.log(`produce, records of ${size} B: floor ${Math.round(floor)} MB/s`)
    if (isAlone) continue
    const odradek = median(rates.odradek)
    console.log(
      `  odradek ${Math.round(odradek)} MB/s, ${Math.round((100 * odradek) / floor)} % (target: 80 %)`,
    )
  }
}

async function produceRate(start, size, mb) {
  const folder = await mkdtemp(join(import.meta.dirname, '.cache', 'floor-'))
  const broker = await start({ dataDir: join(folder, 'data') })
  try {
    await runLoadgen('produce', { b: broker.address, topic: 'warm-up', size, mb: mb / 5 })
    await syncAll()
    await touchPageCache(folder, mb * 1.1)
    const result = await runLoadgen('produce', { b: broker.address, topic: 'load', size, mb })
    return result.mb_per_s
  } finally {
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function startFloor({ dataDir }) {
  const logFile = `${dataDir}.log`
  const child = serve(process.execPath, [server, dataDir], { logFile })
  for (;;) {
    const line = /^listening on (\S+)/m.exec(await readFile(logFile, 'utf8'))
    if (line) return { address: line[1], stop: child.stop }
    if (child.hasExited()) throw new Error(await readFile(logFile, 'utf8'))
    await sleep(5)
  }
}
