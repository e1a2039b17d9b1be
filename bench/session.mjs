// A session: one fresh broker in a fresh folder, and the cases that are measured on it in turn.
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../compat/probe.mjs'
import { syncAll } from './disk.mjs'
import { describe } from './figures.mjs'
import { runLoadgen } from './loadgen.mjs'

/** A broker that has not come back after so long is written down with this time. */
const restartSecondsMax = 180

const folders = new Set()
// A run that is interrupted leaves no gigabytes behind.
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/**
 * Runs `cases`, names of `session.cases`, one after the other, until one fails. `broker` is { name, start }, `volume`
 * what the session means by full or quick, `progress` gets a line for each case.
 * @returns {Promise<{ measured: object, notes: string[], failed?: { name: string, reason: string } }>} figures by
 *   key, a number or one for each repeat; and the case that failed, with the reason
 */
export async function runSession({ session, cases, broker, volume, cache, progress }) {
  const folder = await mkdtemp(join(cache, `${broker.name}-`))
  folders.add(folder)
  const bench = new Bench({ folder, volume, broker, startOptions: session.startOptions?.[broker.name] })
  const measured = {}
  let name = cases[0]
  try {
    await bench.start()
    for (name of cases) {
      const { measure, secondsMax } = session.cases[name]
      bench.signal = AbortSignal.timeout(secondsMax * 1000)
      const result = await measure(bench)
      Object.assign(measured, result)
      progress(`${name.padEnd(10)} ${describe(result)}`)
    }
    return { measured, notes: bench.notes }
  } catch (error) {
    progress(`${name.padEnd(10)} FAILED ${error.message}`)
    return { measured, notes: bench.notes, failed: { name, reason: error.message.split('\n')[0] } }
  } finally {
    await bench.running?.kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    folders.delete(folder)
  }
}

/** What a case works with: the running broker, the load generator, the volumes. */
class Bench {
  notes = []
  signal
  running
  #options
  #broker
  #isWarm = false

  constructor({ folder, volume, broker, startOptions }) {
    this.folder = folder
    this.volume = volume
    this.brokerName = broker.name
    this.#broker = broker
    this.#options = { dataDir: join(folder, 'data'), ...startOptions }
  }

  async start(options) {
    this.running = undefined
    this.running = await this.#broker.start({ ...this.#options, ...options })
  }

  /** One measurement of the load generator, which ends with the case's time; see `runLoadgen`. */
  async load(mode, options, { signal = this.signal } = {}) {
    await syncAll()
    return runLoadgen(mode, { b: this.running.address, pid: this.running.pid, ...options }, { signal })
  }

  /** Lets a broker's compiler see the usual work, once, before anything is measured. */
  async warmUp(mb) {
    if (this.#isWarm) return
    this.#isWarm = true
    await this.load('produce', { topic: 'warm-up', size: 1000, mb })
    await this.load('produce', { topic: 'warm-up-100b', size: 100, mb: mb / 4 })
    await this.load('consume', { topic: 'warm-up', mb })
    await this.load('consume', { topic: 'warm-up-100b', mb: mb / 4 })
  }

  /**
   * Kills the broker and starts it again over its own data.
   * @returns {Promise<{ metadataMs: number, ackMs: number }>} from the start of the process to the first Metadata
   *   answer, and to the first acknowledged record of `topic`
   */
  async restart(topic) {
    await this.running.kill()
    const port = await freePort()
    const probe = { b: `127.0.0.1:${port}`, topic, timeout: `${restartSecondsMax}s` }
    const starting = this.start({ port, readyMsMax: (restartSecondsMax + 5) * 1000 })
    const ended = new AbortController()
    starting.catch(() => ended.abort())
    const signal = AbortSignal.any([this.signal, ended.signal])
    const probed = await runLoadgen('ready', probe, { signal }).catch(async error => {
      // A broker that ended knows better why nothing was answered.
      if (ended.signal.aborted) await starting
      throw error
    })
    const { ms = restartSecondsMax * 1000, accepted_ms: ackMs } = probed
    if (ackMs !== undefined) {
      await starting
      return { metadataMs: ms, ackMs }
    }
    const bound = `${restartSecondsMax} s`
    this.note(`${this.brokerName} took no record within ${bound} of its restart; that time is quoted.`)
    await starting.catch(() => {})
    return { metadataMs: ms, ackMs: restartSecondsMax * 1000 }
  }

  /** The broker's resident memory in MB. */
  residentMb() {
    const status = readFileSync(`/proc/${this.running.pid}/status`, 'latin1')
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024
  }

  /** Something that a reader of the results has to know; said once. */
  note(text) {
    if (!this.notes.includes(text)) this.notes.push(text)
  }
}
