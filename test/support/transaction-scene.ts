import type { TransactionEnd } from '../../src/coordination/state-topic.ts'
import { errorCodes, KafkaError, type ErrorName } from '../../src/protocol/errors.ts'
import { TransactionCoordinator } from '../../src/transactions/coordinator.ts'
import type { TransactionMarkers } from '../../src/transactions/environment.ts'
import { TopicPartitions } from '../../src/transactions/partitions.ts'
import { transactionDefaults, type TransactionSettings } from '../../src/transactions/settings.ts'
import { ManualClock, settled } from './manual-clock.ts'
import { MemoryStateTopic } from './memory-state-topic.ts'
import { silentLogger } from './group-scene.ts'

/** Markers that are written at once, or when the test says so. */
export class TestMarkers implements TransactionMarkers {
  /** What is on disk, in order: `topic-partition TYPE producer/epoch`. */
  readonly written: string[] = []
  readonly ends: TransactionEnd[] = []
  /** What the next ones are refused with. */
  readonly failures: ErrorName[] = []
  #held: (() => void)[] | undefined

  async write(topic: string, partition: number, end: TransactionEnd): Promise<void> {
    const failure = this.failures.shift()
    if (failure) throw new KafkaError(failure)
    if (this.#held) await new Promise<void>(resolve => this.#held!.push(resolve))
    this.ends.push(end)
    this.written.push(`${topic}-${partition} ${end.type} ${end.producerId}/${end.producerEpoch}`)
  }

  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const resolve of held) resolve()
  }

  get heldCount(): number {
    return this.#held?.length ?? 0
  }
}

interface SceneOptions {
  readonly clock?: ManualClock
  readonly topic?: MemoryStateTopic
  readonly settings?: Partial<TransactionSettings>
  /** The next producer id. */
  readonly nextId?: bigint
  /** Called before the log is read. */
  readonly before?: (scene: TransactionScene) => void
}

/** A transaction coordinator on a clock, a log and markers that the test holds in its hands, asked in few words. */
export class TransactionScene {
  readonly clock: ManualClock
  readonly topic: MemoryStateTopic
  readonly markers = new TestMarkers()
  readonly coordinator: TransactionCoordinator
  readonly bugs: unknown[] = []
  readonly #settings: Partial<TransactionSettings>
  #nextId: bigint

  private constructor({
    clock = new ManualClock(),
    topic = new MemoryStateTopic(),
    settings = {},
    nextId = 1000n,
  }: SceneOptions) {
    this.clock = clock
    this.topic = topic
    this.#settings = settings
    this.#nextId = nextId
    this.coordinator = new TransactionCoordinator({
      clock,
      logger: silentLogger,
      topic,
      markers: this.markers,
      producerIds: { next: async () => this.#nextId++ },
      settings: { ...transactionDefaults, ...settings },
      reportBug: error => void this.bugs.push(error),
    })
  }

  static async open(options: SceneOptions = {}): Promise<TransactionScene> {
    const scene = new TransactionScene(options)
    options.before?.(scene)
    await scene.coordinator.load()
    await settled()
    return scene
  }

  /** What a new process makes of the log; this one is left as it is, and its timers with it. */
  crash(before?: (scene: TransactionScene) => void): Promise<TransactionScene> {
    const clock = new ManualClock(this.clock.now())
    return TransactionScene.open({
      clock,
      topic: this.topic.afterCrash(),
      settings: this.#settings,
      nextId: this.#nextId + 1000n,
      ...(before && { before }),
    })
  }

  /** The identity that a producer is given, as `id/epoch`, or the name of the error. */
  init(
    transactionalId = 't',
    {
      as,
      timeoutMs = 60_000,
      ...flags
    }: { as?: string; timeoutMs?: number; enable2Pc?: boolean; keepPreparedTxn?: boolean } = {},
  ): Promise<string> {
    const identity = as === undefined ? { producerId: -1n, producerEpoch: -1 } : parse(as)
    return said(
      this.coordinator.initProducerId({
        transactionalId,
        transactionTimeoutMs: timeoutMs,
        ...identity,
        enable2Pc: false,
        keepPreparedTxn: false,
        ...flags,
      }),
    )
  }

  /** Adds partitions, given as `topic-partition`; the name of the error. */
  add(as: string, partitions: readonly string[], { id = 't', version = 2 } = {}): Promise<string> {
    const parsed = new TopicPartitions()
    for (const each of partitions) {
      const [topic, partition] = each.split('-')
      parsed.add(topic!, Number(partition))
    }
    return said(this.coordinator.addPartitions({ transactionalId: id, ...parse(as) }, parsed, version))
  }

  /** Ends a transaction: the identity that the producer goes on with, or the name of the error. */
  end(as: string, type: 'COMMIT' | 'ABORT', { id = 't', version = 2 } = {}): Promise<string> {
    const request = { transactionalId: id, ...parse(as), committed: type === 'COMMIT' }
    return said(this.coordinator.end(request, version))
  }

  /** What is synced of an id: `State producer/epoch`. */
  async state(id = 't'): Promise<string> {
    const [described] = await this.coordinator.describe([id])
    const { errorCode, transactionState, producerId, producerEpoch } = described!
    if (errorCode !== 0) return Object.entries(errorCodes).find(([, code]) => code === errorCode)![0]
    return `${transactionState} ${producerId}/${producerEpoch}`
  }
}

function parse(identity: string): { producerId: bigint; producerEpoch: number } {
  const [producerId, producerEpoch] = identity.split('/')
  return { producerId: BigInt(producerId!), producerEpoch: Number(producerEpoch) }
}

async function said(reply: Promise<{ producerId: bigint; producerEpoch: number } | void>): Promise<string> {
  try {
    const identity = await reply
    return identity ? `${identity.producerId}/${identity.producerEpoch}` : 'NONE'
  } catch (error) {
    if (error instanceof KafkaError) return error.error
    throw error
  }
}
