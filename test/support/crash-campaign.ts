import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { createBroker } from '../../src/index.ts'
import { BrokerProcess } from './crash-child.ts'
import { noDamage, type Damage } from './workload-ledger.ts'
import { Workload } from './workload.ts'

export interface Campaign {
  readonly cycles: number
  readonly seed: number
  /** Hears a line after each cycle. */
  readonly report: (line: string) => void
}

export interface Summary extends Damage {
  /** Cycles that were run; a campaign ends with the first that finds something. */
  readonly cycles: number
  /** Records that were acknowledged. */
  readonly acknowledged: number
}

/** The closing line. */
export function summaryLine({
  cycles,
  acknowledged,
  lost,
  duplicated,
  reordered,
  corrupted,
}: Summary): string {
  return `${cycles} cycles, ${acknowledged} records acknowledged, ${lost} lost, ${duplicated} duplicated, ${reordered} reordered, ${corrupted} corrupted`
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** What a broker is started with: each start draws anew. Files are small, so that crashes also fall on the change from one to the next. */
const choices: Readonly<Record<string, readonly (string | number)[]>> = {
  'odradek.shards': [1, 2, 3],
  'odradek.shard.segment.bytes': [mebibyte, 2 * mebibyte, 8 * mebibyte],
  'odradek.block.bytes.max': [16 * kibibyte, 256 * kibibyte, 4 * mebibyte],
  'odradek.durability': ['group', 'group', 'sync'],
  'odradek.tail.bytes.max': [0, 256 * kibibyte, 64 * mebibyte],
  'odradek.stride.records': [16, 4096],
  'odradek.spare.segments.max': [0, 2],
}

function drawSettings(random: Random): string[] {
  const settings = Object.entries(choices).flatMap(([name, values]) => [
    '--set',
    `${name}=${values[random.below(values.length)]}`,
  ])
  return [...settings, '--log-level', 'warn']
}

/**
 * Kills a broker again and again while many clients are at work, and after each restart compares all that it holds with
 * all that it promised. A directory in which something was found wrong is kept, and named in `problems`.
 */
export async function runCampaign({ cycles, seed, report }: Campaign): Promise<Summary> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-crash-'))
  const data = join(folder, 'data')
  const random = seededRandom(seed)
  const start = (port: number): BrokerProcess =>
    new BrokerProcess('--data', data, '--port', String(port), ...drawSettings(random))
  let broker = start(0)
  const address = await broker.ready
  const port = Number(address.split(':')[1])
  const workload = new Workload(address, seed)
  await workload.start()

  const problems: string[] = []
  let damage = noDamage()
  let cycle = 0
  while (cycle < cycles && problems.length === 0) {
    cycle++
    await sleep(50 + random.below(500))
    problems.push(...broker.complaints)
    await broker.kill()
    problems.push(...(await auditCopy(data, join(folder, 'copy'))))
    if (random.below(3) === 0) {
      const unlucky = start(port)
      await sleep(random.below(300))
      await unlucky.kill()
    }
    broker = start(port)
    await broker.ready
    damage = await workload.verify()
    problems.push(...damage.problems, ...workload.failures)
    report(`cycle ${cycle} of ${cycles}: ${workload.acknowledgedCount} records acknowledged`)
  }
  const summary = (): Summary => ({
    ...damage,
    cycles: cycle,
    acknowledged: workload.acknowledgedCount,
    problems,
  })
  if (problems.length === 0) {
    await workload.stop()
    damage = await workload.verify()
    problems.push(...damage.problems, ...workload.failures)
  }
  const { code, signal } = await broker.stop()
  if (code !== 0) problems.push(`ended with ${code ?? signal}: ${broker.log.slice(-2000)}`)
  problems.push(...(await auditCopy(data, join(folder, 'copy'))))
  if (problems.length > 0) problems.push(`the data is in ${data}`)
  else await rm(folder, { recursive: true })
  return summary()
}

/** What is unsound in a data directory as a crash left it, found out on a copy. */
async function auditCopy(data: string, copy: string): Promise<string[]> {
  await cp(data, copy, { recursive: true })
  const broker = await createBroker({ data: copy })
  const problems = await broker.audit()
  await broker.close()
  await rm(copy, { recursive: true })
  return problems.map(problem => `audit: ${problem}`)
}
