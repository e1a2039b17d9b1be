import { seededRandom, type Random } from '../../src/base/random.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { audit } from '../../src/storage/audit.ts'
import { Scheduler, type Life } from './scheduler.ts'
import { SimulatedDisk, type Fault, type SimulatedDiskOptions, type SystemCall } from './simulated-disk.ts'
import { hold } from './hold.ts'
import { StoreModel, transactionalCount, type KnownPartition } from './store-model.ts'
import { StoreScene, type StoreSizes } from './store-scene.ts'
import { drawFault, isFault } from './faults.ts'

/** What runs came across. */
export interface Tortures {
  operations: number
  crashes: number
  kills: number
  restarts: number
  faults: number
  batches: number
}

export function noTortures(): Tortures {
  return { operations: 0, crashes: 0, kills: 0, restarts: 0, faults: 0, batches: 0 }
}

type Restart = 'close' | 'kill' | 'crash'

/**
 * Random operations on a store whose disk lies, fails and crashes, held against the model after every restart. The same
 * seed does the same again. Rejects with InvariantError on a broken promise.
 */
export async function torture(seed: number, operations: number, tally = noTortures()): Promise<void> {
  const run = new Torture(seed, tally)
  await run.open()
  for (let index = 0; index < operations; index++) await run.step()
  await run.restart('crash')
  await run.restart('close')
}

class Torture {
  readonly #random: Random
  readonly #diskRandom: Random
  readonly #scheduler = new Scheduler()
  readonly #model = new StoreModel()
  readonly #sizes: StoreSizes
  readonly #tally: Tortures
  /** One call in so many fails; none where it is 0. */
  readonly #faultRarity: number
  #mayFail = false
  #life: Life
  #disk: SimulatedDisk
  #scene!: StoreScene

  constructor(seed: number, tally: Tortures) {
    const random = (this.#random = seededRandom(seed))
    this.#diskRandom = seededRandom(seed ^ 0x5eed)
    this.#tally = tally
    this.#faultRarity = random.below(2) === 0 ? 0 : 100 + random.below(2000)
    this.#sizes = {
      shards: 1 + random.below(2),
      segmentBytes: 500 + random.below(8000),
      segmentEntries: 3 + random.below(100),
      blockBytes: 300 + random.below(3000),
      strideRecords: 1 + random.below(20),
      tailBytesMax: random.below(4000),
    }
    this.#life = this.#scheduler.live()
    this.#disk = new SimulatedDisk(this.#ownership())
  }

  async step(): Promise<void> {
    this.#tally.operations++
    const { below } = this.#random
    const what = below(1000)
    const partition = this.#any()
    if (!partition || what < 20) this.#scene.create()
    else if (what < 700) this.#append(partition)
    else if (what < 800) await this.#readSome(partition)
    else if (what < 850) await this.#reach(this.#scene.store.flushed())
    else if (what < 900) this.#deleteSome(partition)
    else if (what < 910) this.#scene.drop(partition)
    else if (what < 920) await this.restart('close')
    else if (what < 925) await this.restart('kill')
    else if (what < 930) await this.restart('crash')
    else if (what < 940) this.#disk.crashAfter(1 + below(12))
    else if (what < 950) this.#life.jump(below(20_000) - 10_000)
    else if (what < 960) await this.#pass(below(500))
    else if (what < 985) await this.#reclaim()
    if (below(3) === 0) await this.#pass(below(20) / 10)
    if (this.#life.isOver) await this.restart('crash')
    this.#scene.look()
    // Nothing but a restart helps a shard that has failed.
    if (this.#scene.isFenced && below(10) === 0) await this.restart(below(2) === 0 ? 'close' : 'kill')
  }

  /** Gives back space, waited for or behind whatever comes next. */
  async #reclaim(): Promise<void> {
    const { below } = this.#random
    const done = this.#scene.store.reclaim({ liveRatio: below(10) / 10 }).catch((error: unknown) => {
      if (!isFault(error)) throw error
    })
    if (below(2) === 0) await this.#reach(done)
  }

  #any(): KnownPartition | undefined {
    const partitions = [...this.#model.partitions.values()]
    return partitions[this.#random.below(Math.max(1, partitions.length))]
  }

  #append(partition: KnownPartition): void {
    const { below } = this.#random
    const lengths = Array.from({ length: 1 + below(4) }, () => below(below(10) === 0 ? 3000 : 150))
    const what = below(10)
    const which = below(transactionalCount)
    let isTaken
    if (what < 3) isTaken = this.#scene.endTransaction(partition, which, below(2) === 0 ? 'COMMIT' : 'ABORT')
    else if (what < 6) isTaken = this.#scene.appendInTransaction(partition, which, lengths)
    else isTaken = this.#scene.append(partition, lengths, below(2) === 0)
    if (isTaken) this.#tally.batches++
  }

  async #readSome(partition: KnownPartition): Promise<void> {
    const { highWatermark, logStartOffset } = this.#scene.log(partition)
    const span = Number(highWatermark - logStartOffset)
    if (span === 0) return
    const offset = logStartOffset + BigInt(this.#random.below(span))
    const outcome = await this.#reach(this.#scene.read(partition, offset, this.#random.below(3000)))
    if (outcome?.status !== 'rejected') return
    // A disk that cannot be read just now breaks no promise, as long as it is said so.
    const { reason } = outcome
    if (!(reason instanceof KafkaError) || !isFault(reason)) throw reason
  }

  #deleteSome(partition: KnownPartition): void {
    const { highWatermark, logStartOffset } = this.#scene.log(partition)
    const offset = logStartOffset + BigInt(this.#random.below(Number(highWatermark - logStartOffset) + 1))
    // To count what it gives up, it reads at once, and nobody is there who could be told that this failed.
    this.#mayFail = false
    this.#scene.deleteBefore(partition, offset)
    this.#mayFail = true
  }

  async restart(how: Restart): Promise<void> {
    const left = how === 'close' ? await this.#close() : how
    this.#replace(left)
    await this.open()
  }

  /** Closes the store; returns what is left to be started from. */
  async #close(): Promise<Restart> {
    this.#tally.restarts++
    const { store } = this.#scene
    this.#mayFail = false
    const audited = await this.#reach(audit(store))
    if (!audited) return 'crash'
    if (audited.status === 'rejected') throw audited.reason
    hold(audited.value.length === 0, () => `the audit says: ${audited.value.join('; ')}`)
    this.#mayFail = true
    await this.#reach(store.flushed())
    const closed = this.#life.isOver ? undefined : await this.#reach(store.close())
    if (closed?.status === 'rejected' && !isFault(closed.reason)) throw closed.reason
    return closed ? 'close' : 'crash'
  }

  /** Gives the disk to somebody new. */
  #replace(how: Restart): void {
    this.#life.end()
    this.#life = this.#scheduler.live(this.#life.wallStartMs)
    if (how === 'crash') {
      this.#tally.crashes++
      this.#disk = this.#disk.crashed(this.#ownership())
      return
    }
    if (how === 'kill') this.#tally.kills++
    this.#disk = this.#disk.killed(this.#ownership())
    if (this.#random.below(2) === 0) this.#disk.evict()
  }

  #ownership(): SimulatedDiskOptions {
    return { life: this.#life, random: this.#diskRandom, faultOf: call => this.#faultOf(call) }
  }

  #faultOf({ kind }: SystemCall): Fault | undefined {
    if (!this.#mayFail || this.#faultRarity === 0) return undefined
    const fault = drawFault(kind, this.#faultRarity, this.#diskRandom)
    if (fault !== undefined) this.#tally.faults++
    return fault
  }

  /** Opens what is there and holds it against the model. What fails or crashes meanwhile is opened again. */
  async open(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      this.#mayFail = attempt < 2
      if (attempt < 2 && this.#random.below(4) === 0) this.#disk.crashAfter(1 + this.#random.below(20))
      const { faults } = this.#tally
      const parts = {
        scheduler: this.#scheduler,
        life: this.#life,
        disk: this.#disk,
        model: this.#model,
        sizes: this.#sizes,
      }
      const opened = await this.#reach(StoreScene.open(parts))
      this.#mayFail = false
      if (opened?.status === 'rejected' && !isFault(opened.reason)) throw opened.reason
      if (opened?.status === 'fulfilled') {
        this.#scene = opened.value
        // As much work as all of the rest, and what it would find is there for the next one too.
        const isAudited = this.#random.below(3) === 0
        const isHit = this.#scene.isFenced && this.#tally.faults > faults
        const verified = isHit ? undefined : await this.#reach(this.#scene.verify({ isAudited }))
        if (verified?.status === 'rejected') throw verified.reason
        if (verified) break
      }
      this.#replace(this.#life.isOver ? 'crash' : 'kill')
    }
    this.#disk.crashAfter(Infinity)
    this.#mayFail = true
  }

  async #pass(durationMs: number): Promise<void> {
    await this.#scheduler.pass(durationMs, () => this.#life.isOver)
  }

  /** Lets things happen until `goal` settles; undefined where the owner of the disk died before. */
  async #reach<T>(goal: Promise<T>): Promise<PromiseSettledResult<T> | undefined> {
    let outcome: PromiseSettledResult<T> | undefined
    goal.then(
      value => void (outcome = { status: 'fulfilled', value }),
      (reason: unknown) => void (outcome = { status: 'rejected', reason }),
    )
    await this.#scheduler.happen(() => outcome !== undefined || this.#life.isOver)
    return outcome
  }
}
