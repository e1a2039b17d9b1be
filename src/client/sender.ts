import type { KafkaClient, KafkaProducer, KafkaRecord } from './kafka-client.ts'
import { hashPartitioner } from './partitioners.ts'

/**
 * An idempotent producer, so that retries are stored once and in order, which is replaced after a send that has failed. For the client does
 * not count what it was not answered: its next batch would bear the sequence numbers of the one that has failed, and a
 * broker that has stored that one would take it for its repetition, and answer with success.
 */
export class Sender {
  readonly #kafka: KafkaClient
  #producer: KafkaProducer | undefined

  constructor(kafka: KafkaClient) {
    this.#kafka = kafka
  }

  /** Whether all that was sent was answered with success. */
  get isSure(): boolean {
    return this.#producer !== undefined
  }

  async connect(): Promise<void> {
    await this.#connected()
  }

  /** One send at a time. Rejects with the client's error: some of the records may have been stored. */
  async send(topic: string, messages: KafkaRecord[]): Promise<void> {
    const producer = await this.#connected()
    try {
      await producer.send({ topic, messages, acks: -1 })
    } catch (error) {
      this.#producer = undefined
      await producer.disconnect().catch(() => {})
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect()
  }

  async #connected(): Promise<KafkaProducer> {
    if (this.#producer) return this.#producer
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Records name their partitions, and so nothing is hashed; but kafkajs warns of its own default.
      createPartitioner: hashPartitioner,
    })
    await producer.connect()
    return (this.#producer = producer)
  }
}
