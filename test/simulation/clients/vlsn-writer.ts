import { produce } from '../../../src/broker/apis/00-produce.ts'
import { createTopics } from '../../../src/broker/apis/19-create-topics.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { batchOf, type Numbered } from '../../vlsn/support.ts'
import { hold } from '../hold.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'
import { vlsnLedgerOf, type VlsnLedger } from './vlsn-ledger.ts'

/** Numbers its records and sends some late, some never, and again those whose fate it does not know. */
export const vlsnWriter: ClientModule = { name: 'VLSN writer', make: world => new VlsnWriter(world) }

/** What a writer may hear; whatever else it hears is our bug. */
const expected = new Set(['NONE', 'INVALID_RECORD', 'KAFKA_STORAGE_ERROR'])

class VlsnWriter implements SimulatedClient {
  readonly #world: World
  readonly #ledger: VlsnLedger
  #next = 0n
  #last = -1n
  /** What was not sent yet, or not answered. */
  readonly #late: Numbered[] = []

  constructor(world: World) {
    this.#world = world
    this.#ledger = vlsnLedgerOf(world)
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      while (!this.#world.isOver) {
        if (!this.#ledger.isMade) await this.#makeTopic(caller)
        else await this.#send(caller, this.#world.random.below(4) === 0 ? this.#takeLate() : this.#draw())
        await this.#world.sleep(this.#world.random.below(250))
      }
    })
  }

  async #makeTopic(caller: Caller): Promise<void> {
    const { topic: name, partitionCount: numPartitions, gapTimeoutMs } = this.#ledger
    const configs = [
      { name: 'odradek.partitioning', value: 'vlsn' },
      { name: 'odradek.vlsn.gap.timeout.ms', value: String(gapTimeoutMs) },
    ]
    const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs }]
    const answer = await caller.call(createTopics, 7, { topics, timeoutMs: 30_000 })
    const error = errorName(answer.topics[0]!.errorCode)
    this.#ledger.isMade = error === 'NONE' || error === 'TOPIC_ALREADY_EXISTS'
  }

  /** The next records, but for those that are to come late. */
  #draw(): Numbered[] {
    const { random } = this.#world
    const isNaming = random.below(2) === 0
    const records: Numbered[] = []
    for (let count = random.below(12); count >= 0; count--) {
      // A writer that was killed had reserved these.
      if (random.below(12) === 0) this.#next += BigInt(1 + random.below(7))
      const vlsn = this.#next++
      const value = `${vlsn}/${random.below(1_000)}`
      const record = {
        vlsn,
        value,
        timestamp: this.#world.life.now(),
        ...(isNaming && { after: this.#last }),
      }
      this.#last = vlsn
      if (random.below(10) === 0) this.#late.push(record)
      else records.push(record)
    }
    return records
  }

  #takeLate(): Numbered[] {
    return this.#late.splice(this.#world.random.below(this.#late.length + 1), 1)
  }

  /** Each partition has a batch of its own in the one request. */
  async #send(caller: Caller, records: readonly Numbered[]): Promise<void> {
    const { topic: name, partitionCount } = this.#ledger
    const parts = Array.from({ length: partitionCount }, (_, index) => ({
      index,
      own: records.filter(({ vlsn }) => this.#ledger.partitionOf(BigInt(vlsn)) === index),
    })).filter(({ own }) => own.length > 0)
    if (parts.length === 0) return
    for (const { vlsn, value } of records) this.#ledger.sent(BigInt(vlsn), value!)
    const partitionData = parts.map(({ index, own }) => ({ index, records: batchOf(own) }))
    // Until they are answered they may have to be sent again.
    this.#late.push(...records)
    const topicData = [{ name, partitionData }]
    const { responses } = await caller.call(produce, 11, { acks: -1, timeoutMs: 30_000, topicData })
    for (const { index, errorCode } of responses[0]!.partitionResponses) {
      this.#world.count('Produce of VLSNs', errorCode)
      const error = errorName(errorCode)
      hold(expected.has(error), () => `the writer of VLSNs was refused with ${error}`)
      if (error === 'KAFKA_STORAGE_ERROR') continue
      const { own } = parts.find(part => part.index === index)!
      for (const record of own) this.#late.splice(this.#late.indexOf(record), 1)
      if (error === 'NONE') for (const { vlsn } of own) this.#ledger.acknowledged(BigInt(vlsn))
      else if (own.length === 1) this.#ledger.refused(BigInt(own[0]!.vlsn))
    }
  }
}
