import { hold } from '../hold.ts'
import {
  overConnections,
  type Caller,
  type ClientModule,
  type SimulatedClient,
  type World,
} from '../world.ts'
import { vlsnLedgerOf, type VlsnLedger } from './vlsn-ledger.ts'
import { endOf, fetchNumbered, fetchNumberedTo } from './vlsn-reads.ts'

/** Reads a view on and on, and again from anywhere: whoever has passed a VLSN, all see the same there for ever. */
export const vlsnViewReader: ClientModule = {
  name: 'view reader',
  make: (world, index) => new VlsnViewReader(world, index),
}

class VlsnViewReader implements SimulatedClient {
  readonly #world: World
  readonly #ledger: VlsnLedger
  readonly #checks: boolean
  #position = 0n

  constructor(world: World, index: number) {
    this.#world = world
    this.#ledger = vlsnLedgerOf(world)
    // One checks for all.
    this.#checks = index === 0
  }

  run(): Promise<void> {
    return overConnections(this.#world, async caller => {
      while (!this.#world.isOver) {
        if (this.#ledger.isMade) await this.#read(caller)
        await this.#world.sleep(this.#world.random.below(200))
      }
    })
  }

  async #read(caller: Caller): Promise<void> {
    const { random } = this.#world
    const { view: topic, end } = this.#ledger
    if (random.below(8) === 0) this.#position = BigInt(random.below(Number(end) + 1))
    const from = { topic, partition: 0, fetchOffset: this.#position }
    const wishes = { maxWaitMs: random.below(500), lengthMax: 1 + random.below(3_000) }
    const { error, records, highWatermark } = await fetchNumbered(caller, from, wishes)
    hold(
      error === 'NONE' || error === 'KAFKA_STORAGE_ERROR',
      () => `the view cannot be read from ${this.#position} on, and ended at ${end}: ${error}`,
    )
    if (error !== 'NONE') return
    for (const { offset, vlsn } of records)
      hold(offset === vlsn, () => `the view has VLSN ${vlsn} at ${offset}`)
    this.#position = this.#ledger.read(
      this.#position,
      records.map(({ vlsn, value }) => [vlsn, value]),
    )
    this.#ledger.told(highWatermark)
  }

  async verify(caller: Caller): Promise<void> {
    if (!this.#checks || !this.#ledger.isMade) return
    const { view, topic, partitionCount } = this.#ledger
    for (let partition = 0; partition < partitionCount; partition++) {
      const end = await endOf(caller, topic, partition)
      for (const { offset, vlsn } of await fetchNumberedTo(caller, { topic, partition, end }))
        this.#ledger.readPartition(partition, offset, vlsn)
    }
    const end = await endOf(caller, view, 0)
    this.#ledger.told(end, true)
    const records = await fetchNumberedTo(caller, { topic: view, partition: 0, end })
    this.#ledger.read(
      0n,
      records.map(({ vlsn, value }) => [vlsn, value]),
    )
    this.#ledger.verify(
      records.map(({ vlsn }) => vlsn),
      end,
    )
  }
}
