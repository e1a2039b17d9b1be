import { systemClock, type Clock } from '../../src/base/clock.ts'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { Settings } from '../../src/broker/configs/settings.ts'
import { Catalog, catalogPartitionId } from '../../src/broker/catalog.ts'
import { buildMarker } from '../../src/protocol/records/control.ts'
import { offsetCommit } from '../../src/groups/records.ts'
import { CoordinatorLog } from '../../src/storage/coordinator-log.ts'
import { defaultLogSettings, type LogSettings } from '../../src/storage/log-settings.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { batchOf, openTestStore, readAll, type TestStoreOptions } from '../storage/support.ts'

/** What a client can see of a partition: where it starts, and every byte from there on. */
export interface SeenPartition {
  readonly logStart: bigint
  readonly bytes: Buffer
}

/** Every topic's partitions by the topic's name. */
export type Seen = ReadonlyMap<string, readonly SeenPartition[]>

const reportBug = (error: unknown): never => {
  throw error
}

/** A store with its metadata, as a broker opens them. */
export async function openCatalog(options: TestStoreOptions): Promise<{ store: Store; catalog: Catalog }> {
  const { random = seededRandom(5), clock = systemClock } = options
  const settings = new Settings(new Map())
  const store = await openTestStore(options)
  const log = new CoordinatorLog(store.create(catalogPartitionId, { createdAt: 0, shard: 0 }))
  const catalog = new Catalog({ log, store, clock, random, settings, reportBug })
  await catalog.load()
  return { store, catalog }
}

export async function seen(catalog: Catalog): Promise<Seen> {
  const topics = new Map<string, SeenPartition[]>()
  for (const { name, partitions } of catalog.topics()) {
    const logs: SeenPartition[] = []
    for (const log of partitions) logs.push({ logStart: log.logStartOffset, bytes: await readAll(log) })
    topics.set(name, logs)
  }
  return topics
}

/** Time that passes as a test says. */
export class SteppedClock implements Clock {
  time = 1_800_000_000_000
  readonly now = (): number => this.time
  readonly monotonic = (): number => this.time
  readonly after = systemClock.after
  readonly soon = systemClock.soon
}

const compacted: LogSettings = {
  ...defaultLogSettings,
  isDeleted: false,
  isCompacted: true,
  segmentBytes: 400,
  minCleanableDirtyRatio: 0,
  fileDeleteDelayMs: 0,
}
const retained: LogSettings = {
  ...defaultLogSettings,
  segmentBytes: 400,
  retentionBytes: 800,
  fileDeleteDelayMs: 0,
}
const none: ReadonlyMap<string, string> = new Map()
/** The ids of transactional producers are above it. */
const transactionalFrom = 1_000_000n
const empty: SeenPartition = { logStart: 0n, bytes: Buffer.alloc(0) }

/** A random history, and what was to be seen at each LSN of it. */
export class History {
  readonly random: Random
  readonly clock = new SteppedClock()
  disk = new FaultyDisk()
  store!: Store
  catalog!: Catalog
  /** By LSN. */
  readonly moments = new Map<number, Seen>()
  /** The times at which LSNs were the newest that was committed. */
  readonly times: { readonly time: number; readonly lsn: number }[] = []
  readonly options
  lsn = 0
  /** The LSN of the newest change that took something away. */
  lastDeletion = 0
  #seen = new Map<string, readonly SeenPartition[]>()
  #sequences = new Map<bigint, number>()
  #topicCount = 0

  readonly #isKeptUp: boolean

  /** With upkeep, logs are compacted or lose their oldest records, and segments are rewritten. */
  constructor(
    seed: number,
    { segmentBytes, isKeptUp = false }: { segmentBytes?: number; isKeptUp?: boolean } = {},
  ) {
    this.random = seededRandom(seed)
    this.#isKeptUp = isKeptUp
    this.options = {
      shards: 1 + this.random.below(3),
      segmentBytes: segmentBytes ?? 700 + this.random.below(6000),
      blockBytes: 300 + this.random.below(3000),
      strideRecords: 1 + this.random.below(8),
      tailBytesMax: this.random.below(4000),
      clock: this.clock,
    }
  }

  async open(): Promise<void> {
    const isNew = this.lsn === 0
    const opened = await openCatalog({ disk: this.disk, random: this.random, ...this.options })
    this.store = opened.store
    this.catalog = opened.catalog
    this.#configure()
    if (isNew) this.#note()
  }

  #configure(): void {
    if (!this.#isKeptUp) return
    this.store.partition(catalogPartitionId)!.configure(compacted)
    for (const { name, partitions } of this.catalog.topics()) {
      const settings = name < 'c' ? compacted : retained
      for (const log of partitions) log.configure(settings)
    }
  }

  /** Lets so much happen. */
  async run(steps: number): Promise<void> {
    await this.open()
    for (let step = 0; step < steps; step++) await this.#step()
    await this.store.flushed()
  }

  /** One thing more happens, of which not all may be committed yet. */
  async more(): Promise<void> {
    await this.#step()
    for (let turns = this.random.below(6); turns > 0; turns--) {
      await new Promise<void>(resolve => this.clock.soon(resolve))
    }
  }

  async #step(): Promise<void> {
    const what = this.random.below(100)
    const topics = this.catalog.topics()
    if (topics.length === 0 || what < 12) return this.#create()
    if (this.#isKeptUp && this.random.below(5) === 0) return this.#keepUp()
    if (what < 75) return this.#append()
    if (what < 82) return this.#commitOffset()
    if (what < 89) return this.#deleteRecords()
    if (what < 94) return this.#delete()
    if (what < 97) return this.#grow()
    await this.#restart(what < 99)
  }

  async #keepUp(): Promise<void> {
    await this.#settle()
    const logs = this.catalog.topics().flatMap(({ partitions }) => partitions)
    const cuts = logs.flatMap(log => {
      const offset = log.retainedFrom()
      return offset === undefined ? [] : [{ log, offset }]
    })
    if (cuts.length > 0) {
      await this.catalog.deleteRecords(cuts)
      await this.#look()
      this.#note()
    }
    if (this.random.below(2) === 0) await this.store.compact({ isForced: true })
    else await this.store.reclaim({ liveRatio: 0.9 })
    // Compaction writes no entry; how things were at this LSN is how they are now.
    await this.#look()
    this.moments.set(this.lsn, new Map(this.#seen))
    this.lastDeletion = this.lsn
    this.#mark()
  }

  /** Takes what is to be seen now for what is right. */
  async #look(): Promise<void> {
    this.#seen = new Map(await seen(this.catalog))
  }

  async #create(): Promise<void> {
    await this.#settle()
    // Names come again, so that topics of one name follow one another.
    const name = ['a', 'b', 'c', 'd', `t${this.#topicCount++}`][this.random.below(5)]!
    if (this.catalog.topic(name)) return
    const partitionCount = 1 + this.random.below(3)
    await this.catalog.create({ name, partitionCount, configs: none })
    this.#configure()
    this.#seen.set(
      name,
      Array.from({ length: partitionCount }, () => empty),
    )
    this.#note()
    this.#mark()
  }

  async #grow(): Promise<void> {
    await this.#settle()
    const { name, partitions } = this.#anyTopic()
    await this.catalog.grow(name, partitions.length + 1)
    this.#configure()
    this.#seen.set(name, [...this.#seen.get(name)!, empty])
    this.#note()
    this.#mark()
  }

  /** Several batches at once, so that blocks hold several entries. */
  async #append(): Promise<void> {
    const topics = this.catalog.topics().filter(({ isInternal }) => !isInternal)
    if (topics.length === 0) return
    for (let count = 1 + this.random.below(5); count > 0; count--) {
      const { name, partitions } = topics[this.random.below(topics.length)]!
      const index = this.random.below(partitions.length)
      const log = partitions[index]!
      const values = Array.from({ length: 1 + this.random.below(3) }, () =>
        String.fromCodePoint(97 + this.random.below(26)).repeat(this.random.below(150)),
      )
      const what = this.random.below(8)
      const producerId = BigInt(log.id) + (what < 4 ? transactionalFrom : 0n)
      if (what === 0) {
        this.#end(name, index, log, producerId)
        continue
      }
      const baseSequence = this.#sequences.get(producerId) ?? 0
      this.#sequences.set(producerId, baseSequence + values.length)
      this.#appended(
        name,
        index,
        log,
        batchOf(values, {
          records: values.map(value => ({
            key: Buffer.from(value.slice(0, 1)),
            value: Buffer.from(value),
            timestamp: BigInt(this.clock.now()),
          })),
          producerId,
          producerEpoch: 0,
          baseSequence,
          isTransactional: what < 4,
        }),
      )
    }
    if (this.random.below(2) === 0) await this.#settle()
  }

  async #commitOffset(): Promise<void> {
    await this.#settle()
    const name = '__consumer_offsets'
    if (!this.catalog.topic(name)) {
      await this.catalog.create({ name, partitionCount: 2, configs: none })
      this.#configure()
      this.#seen.set(
        name,
        [0, 1].map(() => empty),
      )
      this.#note()
    }
    const index = this.random.below(2)
    const key = { group: `group-${index}`, topic: 'a', partition: this.random.below(3) }
    const record = offsetCommit(key, {
      offset: BigInt(this.random.below(1000)),
      metadata: '',
      commitTimestamp: BigInt(this.clock.now()),
    })
    const batch = batchOf([''], { records: [{ ...record, timestamp: BigInt(this.clock.now()) }] })
    this.#appended(name, index, this.catalog.topic(name)!.partitions[index]!, batch)
  }

  #end(name: string, index: number, log: PartitionLog, producerId: bigint): void {
    const type = this.random.below(2) === 0 ? 'COMMIT' : 'ABORT'
    const timestamp = BigInt(this.clock.now())
    const marker = { type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp } as const
    const { baseOffset } = log.endTransaction({ ...marker, transactionVersion: 1 })
    this.#saw(name, index, log, baseOffset, buildMarker(marker))
  }

  #appended(name: string, index: number, log: PartitionLog, batch: Buffer): void {
    this.#saw(name, index, log, log.append(batch).baseOffset, batch)
  }

  #saw(name: string, index: number, log: PartitionLog, baseOffset: bigint, batch: Buffer): void {
    const bytes = Buffer.from(batch)
    bytes.writeBigInt64BE(baseOffset, 0)
    bytes.writeInt32BE(log.leaderEpoch, 12)
    const partitions = [...this.#seen.get(name)!]
    const before = partitions[index]!
    partitions[index] = { ...before, bytes: Buffer.concat([before.bytes, bytes]) }
    this.#seen.set(name, partitions)
    this.#note()
  }

  async #deleteRecords(): Promise<void> {
    await this.#settle()
    const { name, partitions } = this.#anyTopic()
    const index = this.random.below(partitions.length)
    const log = partitions[index]!
    const offset =
      log.logStartOffset + BigInt(this.random.below(1 + Number(log.highWatermark - log.logStartOffset)))
    if (offset === log.logStartOffset) return
    await this.catalog.deleteRecords([{ log, offset }])
    const after = [...this.#seen.get(name)!]
    after[index] = { logStart: log.logStartOffset, bytes: await readAll(log) }
    this.#seen.set(name, after)
    this.#note()
    this.lastDeletion = this.lsn
    this.#mark()
  }

  async #delete(): Promise<void> {
    await this.#settle()
    const { name, id } = this.#anyTopic()
    await this.catalog.deleteAll([id])
    this.#seen.delete(name)
    this.#note()
    this.lastDeletion = this.lsn
    this.#mark()
  }

  async #restart(isClosed: boolean): Promise<void> {
    await this.#settle()
    if (isClosed) await this.store.close()
    this.disk = this.disk.copy()
    await this.open()
  }

  async #settle(): Promise<void> {
    await this.store.flushed()
    this.#mark()
  }

  /** Everything until now is committed, and the clock moves on. */
  #mark(): void {
    this.times.push({ time: this.clock.time, lsn: this.lsn })
    this.clock.time += 10
  }

  #note(): void {
    this.lsn++
    this.moments.set(this.lsn, new Map(this.#seen))
  }

  #anyTopic() {
    const topics = this.catalog.topics()
    return topics[this.random.below(topics.length)]!
  }
}
