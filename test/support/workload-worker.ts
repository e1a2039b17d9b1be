import type { WireClient } from './wire-client.ts'
import { ConnectionLostError, connectWhenUp } from './workload-calls.ts'

/** Somebody who works over the wire until told to stop, and connects again whenever the connection is lost. */
export abstract class WireWorker {
  readonly name: string
  /** What went wrong that was not the broker being away; the worker ends at the first. */
  readonly failures: Error[] = []
  readonly #address: string
  #isStopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(name: string, address: string) {
    this.name = name
    this.#address = address
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when what is under way has ended. */
  stop(): Promise<void> {
    this.#isStopping = true
    return this.#running
  }

  /** Works until told to stop. Rejects with ConnectionLostError when the broker went away; it is called again then. */
  abstract work(client: WireClient): Promise<void>

  async #run(): Promise<void> {
    while (!this.#isStopping && this.failures.length === 0) {
      const client = await connectWhenUp(this.#address, () => this.#isStopping)
      try {
        if (client) await this.work(client)
      } catch (error) {
        if (!(error instanceof ConnectionLostError)) this.failures.push(error as Error)
      } finally {
        await client?.close()
      }
    }
  }
}
