import { readBatch } from '../../src/protocol/records/batch.ts'
import { buildBatch, readRecords } from '../../src/protocol/records/record.ts'
import { WireClient } from './wire-client.ts'
import { createTopic, fetchBatches, produceBatch, type Place } from './workload-calls.ts'

/**
 * A producer and a consumer of one topic who talk to the broker without pause, so that a test can say that whatever it
 * does to the broker harms nobody else. Every record is read back and compared before the next one is written.
 */
export class Canary {
  readonly #producer: WireClient
  readonly #consumer: WireClient
  readonly #place: Place
  readonly #running: Promise<void>
  #isStopping = false
  #count = 0
  #failure: Error | undefined

  private constructor(producer: WireClient, consumer: WireClient, topic: string) {
    this.#producer = producer
    this.#consumer = consumer
    this.#place = { topic, partition: 0 }
    this.#running = this.#run().catch(error => void (this.#failure = error as Error))
  }

  /** Makes the topic and begins. */
  static async start(address: string, topic = 'canary'): Promise<Canary> {
    const producer = await WireClient.connect(address)
    await createTopic(producer, topic, 1)
    return new Canary(producer, await WireClient.connect(address), topic)
  }

  /** Records that went to the broker and came back. */
  get count(): number {
    return this.#count
  }

  /** Resolves when two more records have made their way, so that one began after this call; rejects when one did not. */
  async sing(): Promise<void> {
    const enough = this.#count + 2
    while (this.#count < enough && !this.#failure) await new Promise(resolve => void setTimeout(resolve, 2))
    if (this.#failure) throw this.#failure
  }

  /** Ends; rejects when a record was lost, changed or refused. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
    await Promise.all([this.#producer.close(), this.#consumer.close()])
    if (this.#failure) throw this.#failure
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const value = `song ${this.#count}`
      const offset = await this.#write(value)
      const heard = await this.#read(offset)
      if (heard !== value) throw new Error(`the canary sang '${value}' and '${heard}' was heard`)
      this.#count++
      await new Promise(resolve => void setTimeout(resolve, 1))
    }
  }

  async #write(value: string): Promise<bigint> {
    const records = buildBatch({ records: [{ value: Buffer.from(value) }] })
    return produceBatch(this.#producer, this.#place, -1, records)
  }

  async #read(fetchOffset: bigint): Promise<string> {
    const { records } = await fetchBatches(this.#consumer, this.#place, fetchOffset, 10_000)
    const [record] = readRecords(readBatch(records))
    return record!.value!.toString()
  }
}
