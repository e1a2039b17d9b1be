import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js')

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

// A test that fails must leave no broker behind.
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A broker as users run it: the built command line in a process of its own, which can be killed. */
export class BrokerProcess {
  /** Resolves with `host:port` when it listens; rejects when it ended before. */
  readonly ready: Promise<string>
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess
  #output = ''
  #log = ''

  /** Starts `odradek` with these arguments and nothing of Kafka or odradek in its environment. */
  constructor(...args: readonly string[]) {
    if (!existsSync(cli)) throw new Error('there is no dist/cli.js; npm run build makes it')
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(KAFKA|ODRADEK|NODE_OPTIONS|VITEST)/.test(name)),
    )
    const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', text => void (this.#log += text))
    this.ended = new Promise(resolve => {
      child.once('close', (code, signal) => {
        running.delete(child)
        resolve({ code, signal })
      })
    })
    this.ready = new Promise((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', text => {
        this.#output += text
        const address = /^listening on (\S+)\n/m.exec(this.#output)?.[1]
        if (address !== undefined) resolve(address)
      })
      void this.ended.then(() => reject(new Error(`the broker ended before it was ready: ${this.#log}`)))
    })
    // Whoever kills it before it is ready need not wait for it to be.
    this.ready.catch(() => {})
  }

  /** What it wrote to standard output. */
  get output(): string {
    return this.#output
  }

  /** What it wrote to standard error: its log, one JSON object a line, and why it did not start. */
  get log(): string {
    return this.#log
  }

  /** The lines of the log that speak of errors. */
  get complaints(): string[] {
    return this.#log.split('\n').filter(line => line !== '' && !/^\{"level":[1-4]0,/.test(line))
  }

  /** kill -9: nothing of it runs any further. */
  kill(): Promise<Ending> {
    this.#child.kill('SIGKILL')
    return this.ended
  }

  /** Asks it to end in good order. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.#child.kill(signal)
    return this.ended
  }
}
