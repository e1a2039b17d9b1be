/** One thing to be sent, and who waits for it. */
interface Waiting<Draft, Result> {
  readonly draft: Draft
  readonly length: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

// What of kafkajs becomes one batch for each partition must stay below a broker's message.max.bytes, 1 MB by default.
const bytesMax = 512 * 1024
const recordsMax = 5_000

/**
 * Sends one after another, so that numbers reach their partitions in order. What comes while a send is under way goes into the next one
 * together: waiting makes batches, and nobody has to ask for them. A send that fails fails those in it, and no others.
 */
export class SendQueue<Draft, Result> {
  readonly #send: (drafts: readonly Draft[]) => Promise<readonly Result[]>
  #waiting: Waiting<Draft, Result>[] = []
  #sending: Promise<void> | undefined

  constructor(send: (drafts: readonly Draft[]) => Promise<readonly Result[]>) {
    this.#send = send
  }

  /** Resolves once `draft`, of `length` bytes, has been sent. */
  add(draft: Draft, length: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ draft, length, resolve, reject })
      this.#sending ??= this.#sendAll()
    })
  }

  /** Resolves when nothing is waiting or under way any more. */
  async idle(): Promise<void> {
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    // What is added in this turn comes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      try {
        const results = await this.#send(batch.map(({ draft }) => draft))
        for (const [index, { resolve }] of batch.entries()) resolve(results[index]!)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#sending = undefined
  }

  #take(): Waiting<Draft, Result>[] {
    let bytes = 0
    let count = 0
    for (const { length } of this.#waiting) {
      bytes += length
      if (count > 0 && (bytes > bytesMax || count === recordsMax)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
