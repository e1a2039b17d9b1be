// How much of the machine's own limit odradek's produce path reaches: a bare server that frames, checks the CRC,
// writes and syncs, and knows nothing else, measured with the same load generator; and the same server answering at once,
// which is what the load generator can do.
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

const tight = { buffered: 32_000 }

/**
 * What is produced: flags of the load generator. With 10,000 partitions and a producer that holds no more than 32 MB most batches are of
 * one record.
 */
const loads = {
  'records of 1000 B': { size: 1000, mb: 2000 },
  'records of 100 B': { size: 100, mb: 500 },
  'batches of 16 KB': { size: 1000, mb: 1000, batch: 16_384 },
  '10 partitions': { size: 1000, mb: 2000, partitions: 10 },
  '10,000 partitions': { size: 1000, mb: 1000, topics: 20, partitions: 500 },
  '10 partitions, 32 MB held': { size: 1000, mb: 2000, partitions: 10, ...tight },
  '10,000 partitions, 32 MB held': { size: 1000, mb: 200, topics: 20, partitions: 500, ...tight },
}

await compareWithFloor()

async function compareWithFloor() {
  const loadgen = await prepareLoadgen()
  if (loadgen.skip) return console.log(`skipped: ${loadgen.skip}`)
  const isAlone = process.argv.includes('--alone')
  if (!isAlone) await prepareOdradek()
  const starts = {
    'answers at once': answersAtOnce,
    floor: startFloor,
    ...(!isAlone && { odradek: startOdradek }),
  }
  for (const [name, load] of Object.entries(loads)) {
    const rates = new Map(Object.keys(starts).map(who => [who, []]))
    for (let round = 1; round <= rounds; round++) {
      for (const [who, start] of Object.entries(starts)) rates.get(who).push(await produceRate(start, load))
    }
    console.log(`produce, ${name}:`)
    const floor = median(rates.get('floor'))
    for (const [who, of] of rates) {
      const share =
        who === 'odradek' ? `, ${Math.round((100 * median(of)) / floor)} % of the floor (target: 80 %)` : ''
      console.log(`  ${who} ${Math.round(median(of))} MB/s${share}`)
    }
  }
}

async function produceRate(start, { mb, topics = 1, partitions = 6, ...shape }) {
  const folder = await mkdtemp(join(import.meta.dirname, '.cache', 'floor-'))
  const broker = await start({ dataDir: join(folder, 'data'), partitions })
  const load = (topic, volume) =>
    runLoadgen('produce', { b: broker.address, topic, topics, partitions, mb: volume, ...shape })
  try {
    if (topics > 1) await runLoadgen('create', { b: broker.address, topic: 'load', topics, partitions })
    await load(topics > 1 ? 'load' : 'warm-up', mb / 5)
    await syncAll()
    await touchPageCache(folder, mb * 1.1)
    return (await load('load', mb)).mb_per_s
  } finally {
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function answersAtOnce(options) {
  return startFloor(options, ['--only-answers'])
}

async function startFloor({ dataDir, partitions }, flags = []) {
  const logFile = `${dataDir}.log`
  const child = serve(process.execPath, [server, dataDir, String(partitions), ...flags], { logFile })
  for (;;) {
    const line = /^listening on (\S+)/m.exec(await readFile(logFile, 'utf8'))
    if (line) return { address: line[1], stop: child.stop }
    if (child.hasExited()) throw new Error(await readFile(logFile, 'utf8'))
    await sleep(5)
  }
}
