import { createBroker, type Broker } from '../../src/index.ts'
import type { Logger } from '../../src/base/logger.ts'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { casts, type CastName } from './clients/index.ts'
import { drawFault, isFault } from './faults.ts'
import { Scheduler, type Life } from './scheduler.ts'
import { SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts'
import { SimulatedNetwork } from './simulated-network.ts'
import { hold, InvariantError } from './hold.ts'
import { TopicLedger } from './topic-ledger.ts'
import { checkTopics } from './topics-check.ts'
import { Trace } from './trace.ts'
import { World, type SimulatedClient } from './world.ts'

/** What a simulation came across. */
export interface Simulated {
  /** The same for the same seed. */
  readonly digest: string
  readonly events: number
  readonly starts: number
  readonly crashes: number
  readonly faults: number
  /** Answers by API and error. */
  readonly answers: ReadonlyMap<string, number>
}

/** How long the clients work, in their time. */
const workMs = 10_000
const partsMsMax = 5_000
const aheadMsMax = 20 * 60_000

/**
 * Runs the whole broker with its clients, its disk, its clock and its network in one thread under one seed: crashes, kills,
 * restarts, faults of the disk, broken connections and jumps of the wall clock. After each restart and at the end all
 * that was promised is checked. Rejects with InvariantError on a broken promise.
 */
export async function simulate(seed: number, cast: CastName = 'all'): Promise<Simulated> {
  return new Simulation(seed, cast).run()
}

class Simulation {
  readonly #scheduler = new Scheduler()
  readonly #trace = new Trace()
  readonly #random: Random
  readonly #diskRandom: Random
  readonly #network: SimulatedNetwork
  readonly #world: World
  readonly #clients: readonly SimulatedClient[]
  readonly #settings: Record<string, string | number>
  #life: Life
  #disk: SimulatedDisk
  #broker: Broker | undefined
  #failure: unknown
  #faultRarity = 0
  #starts = 0
  #crashes = 0
  #faults = 0
  /** Faults of the disk that the broker of now has met. */
  #met = 0

  constructor(seed: number, cast: CastName) {
    const random = (this.#random = seededRandom(seed))
    this.#diskRandom = seededRandom(seed ^ 0xd15c)
    this.#network = new SimulatedNetwork(this.#scheduler, seededRandom(seed ^ 0x4e7), this.#trace)
    this.#world = new World({
      random: seededRandom(seed ^ 0xc11e),
      topics: new TopicLedger(),
      life: this.#scheduler.live(),
      network: this.#network,
    })
    this.#clients = casts[cast].flatMap(({ module, count }) =>
      Array.from({ length: count }, (_, index) => module.make(this.#world, index)),
    )
    this.#settings = {
      'offsets.topic.num.partitions': 3,
      'transaction.state.log.num.partitions': 3,
      // So short that silent members are fenced while others work.
      'group.consumer.min.session.timeout.ms': 1500,
      'group.consumer.session.timeout.ms': 1500,
      'group.consumer.min.heartbeat.interval.ms': 500,
      'group.consumer.heartbeat.interval.ms': 500,
      'odradek.shards': 1 + random.below(2),
      'odradek.shard.segment.bytes': 1024 * 1024,
      'odradek.tail.bytes.max': random.below(512 * 1024),
      'odradek.stride.records': 1 + random.below(50),
    }
    this.#life = this.#scheduler.live()
    this.#disk = new SimulatedDisk(this.#ownership())
  }

  async run(): Promise<Simulated> {
    await this.#start()
    const work = this.#clients.map(client =>
      client.run().catch((error: unknown) => void (this.#failure ??= error)),
    )
    const endMs = this.#scheduler.nowMs + workMs
    while (this.#scheduler.nowMs < endMs) {
      await this.#disturb()
      await this.#pass(this.#random.below(partsMsMax))
      if (this.#life.isOver || this.#met > 0 || this.#random.below(3) === 0) await this.#restart()
    }
    this.#faultRarity = 0
    await this.#restart()
    this.#world.isOver = true
    await this.#scheduler.until(Promise.all(work))
    this.#throwFailure()
    await this.#close()
    return {
      digest: this.#trace.digest(),
      events: this.#trace.events,
      starts: this.#starts,
      crashes: this.#crashes,
      faults: this.#faults,
      answers: this.#world.answers,
    }
  }

  /** Something happens to the broker. */
  async #disturb(): Promise<void> {
    const { below } = this.#random
    const what = below(100)
    if (what < 25) this.#disk.crashAfter(1 + below(60))
    else if (what < 40) this.#faultRarity = 20 + below(400)
    else if (what < 55) this.#network.breakOne()
    else if (what < 65) this.#setClock(below(2 * aheadMsMax) - aheadMsMax)
  }

  /** Sets the broker's clock so far ahead of its clients'; not an hour, beyond which their timestamps are refused. */
  #setClock(aheadMs: number): void {
    this.#life.jump(this.#world.life.wallStartMs + aheadMs - this.#life.wallStartMs)
  }

  /** Lets the clients work. */
  async #pass(durationMs: number): Promise<void> {
    await this.#scheduler.pass(durationMs, () => this.#life.isOver || this.#failure !== undefined)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure as Error
    for (const bug of this.#broker?.bugs ?? []) {
      throw new InvariantError(`a bug was reported: ${(bug as Error).message}`, { cause: bug })
    }
  }

  async #restart(): Promise<void> {
    const how = this.#life.isOver ? 'crash' : (['close', 'kill', 'crash'] as const)[this.#random.below(3)]!
    const left = how === 'close' && !(await this.#close()) ? 'crash' : how
    this.#trace.note(this.#scheduler.nowMs, left)
    this.#replace(left === 'crash' ? 'crash' : 'kill')
    await this.#start()
  }

  /** Closes the broker; false where the power went before that was done. */
  async #close(): Promise<boolean> {
    const closed = await this.#reach(this.#broker!.close())
    this.#throwFailure()
    if (closed?.status === 'rejected' && !isFault(closed.reason)) throw closed.reason
    return closed !== undefined
  }

  #replace(how: 'crash' | 'kill'): void {
    const old = this.#life
    old.end()
    this.#life = this.#scheduler.live(old.wallStartMs)
    this.#network.cut(old)
    if (how === 'crash') {
      this.#crashes++
      this.#disk = this.#disk.crashed(this.#ownership())
    } else {
      this.#disk = this.#disk.killed(this.#ownership())
      if (this.#random.below(2) === 0) this.#disk.evict()
    }
  }

  #ownership(): SimulatedDiskOptions {
    return {
      life: this.#life,
      random: this.#diskRandom,
      faultOf: call => {
        // DeleteRecords reads at once to count what it gives up, after it is durable: it could not be refused any more.
        if (this.#faultRarity === 0 || call.kind === 'read-now') return undefined
        const fault = drawFault(call.kind, this.#faultRarity, this.#diskRandom)
        if (fault === undefined) return undefined
        this.#faults++
        if (fault !== 'short') this.#met++
        this.#trace.note(this.#scheduler.nowMs, `${call.kind} ${call.name} fails: ${fault}`)
        return fault
      },
      changed: call => this.#trace.note(this.#scheduler.nowMs, `${call.kind} ${call.name}`),
    }
  }

  /** Starts a broker, again and again if the disk fails, and checks what it has found. */
  async #start(): Promise<void> {
    this.#world.isClosed = true
    for (let attempt = 0; ; attempt++) {
      if (attempt === 2) this.#faultRarity = 0
      if (attempt < 2 && this.#random.below(5) === 0) this.#disk.crashAfter(1 + this.#random.below(40))
      this.#met = 0
      this.#starts++
      const started = await this.#reach(this.#startBroker())
      if (started?.status === 'rejected' && !isFault(started.reason)) throw started.reason
      if (started?.status === 'fulfilled' && this.#met === 0) {
        this.#broker = started.value
        this.#faultRarity = 0
        const checked = await this.#reach(this.#check(started.value))
        if (checked?.status === 'rejected') throw checked.reason
        if (checked) break
      }
      this.#replace(this.#life.isOver ? 'crash' : 'kill')
    }
    this.#disk.crashAfter(Infinity)
    this.#world.isClosed = false
  }

  #startBroker(): Promise<Broker> {
    return createBroker({
      port: 0,
      settings: { ...this.#settings },
      logger: silent,
      clock: this.#life,
      random: seededRandom(this.#random.below(2 ** 31)),
      disk: this.#disk,
      network: this.#network.of(this.#life),
    })
  }

  async #check(broker: Broker): Promise<void> {
    this.#world.port = broker.listeners[0]!.port
    const caller = await this.#world.dial()
    await checkTopics(caller, this.#world.topics)
    for (const client of this.#clients) await client.verify?.(caller)
    caller.close()
    const problems = await broker.audit()
    hold(problems.length === 0, () => `the audit says: ${problems.join('; ')}`)
  }

  /** Lets things happen until `goal` settles; undefined where the broker died before. */
  async #reach<T>(goal: Promise<T>): Promise<PromiseSettledResult<T> | undefined> {
    let outcome: PromiseSettledResult<T> | undefined
    goal.then(
      value => void (outcome = { status: 'fulfilled', value }),
      (reason: unknown) => void (outcome = { status: 'rejected', reason }),
    )
    await this.#scheduler.happen(
      () => outcome !== undefined || this.#life.isOver || this.#failure !== undefined,
    )
    return outcome
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
