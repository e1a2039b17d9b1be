import { setTimeout as sleep } from 'node:timers/promises'
import type { Producer } from 'kafkajs'
import type { Random } from '../../src/base/random.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import { codecs } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/record.ts'
import { pick } from './fuzz.ts'
import type { WireClient } from './wire-client.ts'
import {
  ConnectionLostError,
  newProducerId,
  produceBatch,
  RefusedError,
  type Place,
} from './workload-calls.ts'
import { openAccount, valueOf, type Account } from './workload-ledger.ts'
import { WireWorker } from './workload-worker.ts'

/** A batch that is not acknowledged yet. */
interface Pending {
  readonly first: number
  readonly count: number
  readonly bytes: Buffer
}

const pipelinedMax = 5

/**
 * Writes batches over one connection after another, several at a time, and sends again, in order, whatever was not
 * acknowledged when a connection was lost. With `isExact` as an idempotent producer does.
 */
export class WireWriter extends WireWorker {
  readonly account: Account
  readonly #place: Place
  readonly #random: Random
  readonly #acks: number
  readonly #pending: Pending[] = []
  #producer: { id: bigint; epoch: number } | undefined
  #next = 0

  constructor(
    name: string,
    options: { address: string; place: Place; random: Random; isExact: boolean; acks: number },
  ) {
    super(name, options.address)
    this.account = openAccount(name, options.place, options.isExact)
    this.#place = options.place
    this.#random = options.random
    this.#acks = options.acks
  }

  override async work(client: WireClient): Promise<void> {
    if (this.account.isExact) this.#producer ??= await newProducerId(client)
    const underWay = new Set<Promise<void>>()
    const failures: unknown[] = []
    const send = (batch: Pending): void => {
      const answered: Promise<void> = produceBatch(client, this.#place, this.#acks, batch.bytes)
        .then(baseOffset => this.#acknowledge(batch, baseOffset))
        .catch((error: unknown) => void failures.push(this.#judge(batch, error)))
        .finally(() => underWay.delete(answered))
      underWay.add(answered)
    }
    for (const batch of this.#pending.slice()) send(batch)
    const mayWrite = (): boolean => failures.length === 0 && !this.isStopping
    while (mayWrite()) {
      if (underWay.size >= pipelinedMax) await Promise.race(underWay)
      else if (this.#random.below(3) === 0) await sleep(this.#random.below(4))
      if (mayWrite() && underWay.size < pipelinedMax) send(this.#draw())
    }
    await Promise.all(underWay)
    if (failures.length > 0) throw failures[0]
  }

  #draw(): Pending {
    const first = this.#next
    const count = 1 + this.#random.below(this.#random.below(8) === 0 ? 60 : 6)
    this.#next += count
    const bytes = buildBatch({
      records: Array.from({ length: count }, (_, index) => ({
        timestamp: BigInt(Date.now()),
        key: Buffer.from(String(first + index)),
        value: valueOf(this.name, first + index),
      })),
      codec: pick([...codecs, 'none', 'none', 'none'], this.#random),
      ...(this.#producer && {
        producerId: this.#producer.id,
        producerEpoch: this.#producer.epoch,
        baseSequence: first,
      }),
    })
    const batch: Pending = { first, count, bytes }
    this.account.sent.set(first, count)
    this.#pending.push(batch)
    return batch
  }

  #acknowledge(batch: Pending, baseOffset: bigint): void {
    const at = this.#pending.indexOf(batch)
    if (at < 0) return
    this.#pending.splice(at, 1)
    this.account.acknowledged.push({ baseOffset, first: batch.first, count: batch.count })
  }

  /** A batch behind one that failed is out of order, and that is as it should be. */
  #judge(batch: Pending, error: unknown): unknown {
    const isBehind = this.#pending[0] !== batch
    const isOutOfOrder =
      error instanceof RefusedError && error.code === errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER
    return isBehind && isOutOfOrder ? new ConnectionLostError('behind a batch that failed') : error
  }
}

/** Sends with kafkajs and leaves retries to it. */
export class KafkajsWriter {
  readonly name: string
  readonly account: Account
  readonly failures: Error[] = []
  readonly #producer: Producer
  readonly #place: Place
  readonly #random: Random
  #isStopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(name: string, options: { producer: Producer; place: Place; random: Random; isExact: boolean }) {
    this.name = name
    this.account = openAccount(name, options.place, options.isExact)
    this.#producer = options.producer
    this.#place = options.place
    this.#random = options.random
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
    await this.#producer.disconnect()
  }

  async #run(): Promise<void> {
    await this.#producer.connect()
    for (let first = 0; !this.#isStopping;) {
      const count = 1 + this.#random.below(10)
      this.account.sent.set(first, count)
      const messages = Array.from({ length: count }, (_, index) => ({
        partition: this.#place.partition,
        value: valueOf(this.name, first + index),
      }))
      try {
        const [answer] = await this.#producer.send({ topic: this.#place.topic, acks: -1, messages })
        this.account.acknowledged.push({ baseOffset: BigInt(answer!.baseOffset!), first, count })
        first += count
      } catch (error) {
        this.failures.push(error as Error)
        return
      }
      await sleep(this.#random.below(4))
    }
  }
}
