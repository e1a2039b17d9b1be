import { expect, test } from 'vitest'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { buildBatch, readRecords } from '../../src/protocol/records/record.ts'
import { audit } from '../../src/storage/audit.ts'
import type { Durability } from '../../src/storage/durability.ts'
import { defaultLogSettings, type LogSettings } from '../../src/storage/log-settings.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import type { Store } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { openTestStore, readAll } from './support.ts'

const { STORAGE_SEED = '7100', STORAGE_SEED_COUNT = '40' } = process.env
const seeds = Array.from({ length: Number(STORAGE_SEED_COUNT) }, (_, index) => Number(STORAGE_SEED) + index)

/** What the test knows of a partition. */
interface Believed {
  readonly id: number
  readonly createdAt: number
  readonly shard: number
  readonly settings: LogSettings
  logStart: bigint
  /** Every appended batch that may be there, in order, and whether it was acknowledged for good. */
  batches: { baseOffset: bigint; nextOffset: bigint; bytes: Buffer; isAcknowledged: boolean }[]
  sequence: number
}

class Simulation {
  readonly random: Random
  disk = new FaultyDisk()
  readonly clock = new ManualClock()
  store!: Store
  readonly partitions = new Map<number, Believed>()
  nextId = 1
  readonly failures: unknown[] = []
  readonly options

  constructor(seed: number) {
    this.random = seededRandom(seed)
    const { random } = this
    this.options = {
      shards: 1 + random.below(2),
      segmentBytes: 2000 + random.below(8000),
      segmentEntries: 5 + random.below(100),
      blockBytes: 300 + random.below(3000),
      strideRecords: 1 + random.below(20),
      tailBytesMax: random.below(4000),
    }
  }

  async open(): Promise<void> {
    this.store = await openTestStore({ disk: this.disk, clock: this.clock, ...this.options })
    for (const { id, createdAt, shard, logStart, settings } of this.partitions.values()) {
      const log = this.store.create(id, { createdAt, shard })
      log.configure(settings)
      log.deleteBefore(logStart)
    }
    this.store.dropUnknown()
  }

  log(believed: Believed): PartitionLog {
    return this.store.partition(believed.id)!
  }

  any(): Believed | undefined {
    return [...this.partitions.values()][this.random.below(Math.max(1, this.partitions.size))]
  }

  async step(): Promise<void> {
    const what = this.random.below(100)
    const partition = this.any()
    if (!partition || what < 3) return this.create()
    if (what < 65) return this.append(partition)
    if (what < 72) return this.clock.advance(this.random.below(30))
    if (what < 80) return void (await this.store.flushed())
    if (what < 85) return this.readSome(partition)
    if (what < 87) return this.deleteSome(partition)
    if (what < 89) return this.retain(partition)
    if (what < 91) return this.keepUp(() => this.store.reclaim({ liveRatio: this.random.below(10) / 10 }))
    if (what < 93) return this.compact()
    if (what < 94) return this.drop(partition)
    if (what < 97) return this.restart('close')
    if (what < 98) return this.restart('kill')
    return this.restart('crash')
  }

  create(): void {
    const id = this.nextId++
    const shard = this.store.shardFor(id)
    const createdAt = this.store.startCount
    const settings: LogSettings = {
      ...defaultLogSettings,
      isCompacted: this.random.below(3) === 0,
      segmentBytes: 200 + this.random.below(1000),
      retentionMs: -1,
      retentionBytes: this.random.below(4000),
      fileDeleteDelayMs: this.random.below(2) * 20,
      deleteRetentionMs: this.random.below(2) * 1e9,
      minCleanableDirtyRatio: this.random.below(10) / 10,
    }
    const partition = { id, shard, createdAt, settings, logStart: 0n, sequence: 0 }
    this.partitions.set(id, { ...partition, batches: [] })
    this.store.create(id, { createdAt, shard }).configure(settings)
  }

  append(partition: Believed): void {
    const records = Array.from({ length: 1 + this.random.below(4) }, (_, index) => ({
      key: Buffer.from(`key ${this.random.below(8)}`),
      value:
        this.random.below(6) === 0
          ? null
          : Buffer.from(String.fromCodePoint(97 + this.random.below(26)).repeat(this.random.below(200))),
      timestamp: BigInt(1000 + index),
    }))
    const draft = { producerId: BigInt(partition.id), producerEpoch: 0, baseSequence: partition.sequence }
    const batch = buildBatch({ records, ...draft })
    const log = this.log(partition)
    const durability = this.durability()
    const { baseOffset, lastOffset, committed, isDuplicate, epoch } = log.append(batch, { durability })
    expect(isDuplicate).toBe(false)
    partition.sequence += records.length
    const bytes = Buffer.from(batch)
    bytes.writeBigInt64BE(baseOffset, 0)
    bytes.writeInt32BE(log.leaderEpoch, 12)
    const entry = { baseOffset, nextOffset: lastOffset + 1n, bytes, isAcknowledged: false }
    partition.batches.push(entry)
    // An answer in async mode promises nothing; a commit epoch that was waited for does.
    const isPromised =
      durability.mode === 'async' ? this.random.below(4) === 0 && log.flushed(epoch) : committed
    if (!isPromised) return
    isPromised.then(
      () => (entry.isAcknowledged = true),
      () => {},
    )
  }

  durability(): Durability {
    const { random } = this
    return {
      mode: (['sync', 'group', 'async'] as const)[random.below(3)]!,
      recordsMax: random.below(2) === 0 ? Infinity : 1 + random.below(10),
      delayMsMax: random.below(30),
      unsyncedRecordsMax: random.below(2) === 0 ? Infinity : 1 + random.below(10),
    }
  }

  async readSome(partition: Believed): Promise<void> {
    const log = this.log(partition)
    const limit = log.highWatermark
    const span = Number(limit - log.logStartOffset)
    if (span === 0) return
    const offset = log.logStartOffset + BigInt(this.random.below(span))
    const lengthMax = this.random.below(3000)
    const slice = await log.read(offset, { lengthMax, limit, atLeastOne: true })
    if (partition.settings.isCompacted) {
      const found = recordsOf(Buffer.concat(slice.pieces))
      expect(recordsOf(bytesOf(partition))).toEqual(expect.arrayContaining(found))
      expect(slice.length > 0 && slice.nextOffset > offset).toBe(true)
      slice.release()
      return
    }
    const first = partition.batches.findIndex(batch => batch.nextOffset > offset)
    const last = partition.batches.findIndex(batch => batch.nextOffset === slice.nextOffset)
    const expected = Buffer.concat(partition.batches.slice(first, last + 1).map(batch => batch.bytes))
    expect(Buffer.concat(slice.pieces).equals(expected)).toBe(true)
    expect(slice.length).toBe(expected.length)
    expect(slice.length <= lengthMax || last === first).toBe(true)
    slice.release()
  }

  deleteSome(partition: Believed): void {
    const log = this.log(partition)
    // What is only written may be lost, and a log does not start behind its end.
    const span = log.syncedOffset - Number(log.logStartOffset)
    partition.logStart = log.logStartOffset + BigInt(this.random.below(span + 1))
    log.deleteBefore(partition.logStart)
    expect(log.logStartOffset).toBe(partition.logStart)
  }

  /** As the broker does, after the new start is durable. */
  retain(partition: Believed): void {
    const log = this.log(partition)
    const offset = log.retainedFrom()
    if (offset === undefined) return
    expect(offset > log.logStartOffset && offset <= log.highWatermark).toBe(true)
    partition.logStart = offset
    log.deleteBefore(offset)
    const { retentionBytes } = partition.settings
    if (!partition.settings.isCompacted) expect(log.sizeInBytes).toBeGreaterThanOrEqual(retentionBytes)
  }

  compact(): Promise<void> {
    const isForced = this.random.below(2) === 0
    if (isForced) for (const log of this.store.partitions()) if (this.random.below(2) === 0) log.roll()
    // Sometimes too little memory for all keys.
    const mapBytesMax = this.random.below(2) === 0 ? 24 * (3 + this.random.below(20)) : 1 << 20
    return this.keepUp(() => this.store.compact({ isForced, mapBytesMax }))
  }

  /** Waits for it, or lets it go on behind whatever comes next. */
  async keepUp(work: () => Promise<void>): Promise<void> {
    const done = work()
    if (this.random.below(2) === 0) await done
    else done.catch(error => this.failures.push(error))
  }

  drop(partition: Believed): void {
    this.store.drop(partition.id)
    this.partitions.delete(partition.id)
  }

  async restart(how: 'close' | 'kill' | 'crash'): Promise<void> {
    if (how === 'close') {
      expect(await audit(this.store)).toEqual([])
      await this.store.close()
    } else {
      const { disk, store } = this
      this.disk = how === 'kill' ? disk.copy() : disk.crash(this.random)
      // What was acknowledged before the crash is known now; what the old store still does counts no more.
      for (const partition of this.partitions.values()) {
        partition.batches = partition.batches.map(batch => ({ ...batch }))
      }
      await store.flushed()
      await store.close()
    }
    await this.open()
    for (const partition of this.partitions.values()) await this.compare(partition)
    expect(await audit(this.store)).toEqual([])
  }

  /** Everything acknowledged is there; of the rest a prefix is, whole batches only. */
  async compare(partition: Believed): Promise<void> {
    const log = this.log(partition)
    const kept = partition.batches.filter(batch => batch.nextOffset <= log.highWatermark)
    expect(partition.batches.slice(kept.length).filter(batch => batch.isAcknowledged)).toEqual([])
    expect(log.highWatermark).toBe(log.logEndOffset)
    expect(log.highWatermark >= partition.logStart).toBe(true)
    if (kept.length > 0) expect(kept.at(-1)!.nextOffset).toBe(log.highWatermark)
    partition.batches = kept
    const alive = kept.filter(batch => batch.nextOffset > partition.logStart)
    if (partition.settings.isCompacted) return this.compareCleaned(partition, log, alive)
    expect((await readAll(log)).equals(Buffer.concat(alive.map(batch => batch.bytes)))).toBe(true)
    expect(log.sizeInBytes).toBe(alive.reduce((sum, { bytes }) => sum + bytes.length, 0))
    this.compareProducer(partition, log)
  }

  /** What is there was written so; of each key the latest is there, or was a tombstone and nothing older is. */
  async compareCleaned(
    partition: Believed,
    log: PartitionLog,
    alive: readonly { bytes: Buffer }[],
  ): Promise<void> {
    const bytes = await readAll(log)
    const found = recordsOf(bytes)
    const written = recordsOf(Buffer.concat(alive.map(batch => batch.bytes)))
    expect(written).toEqual(expect.arrayContaining(found))
    const latest = new Map(written.map(record => [record.key, record]))
    for (const record of latest.values()) {
      const same = found.filter(({ key }) => key === record.key)
      if (same.at(-1)?.offset !== record.offset) expect([record.value, same]).toEqual([undefined, []])
    }
    expect(log.sizeInBytes).toBe(bytes.length)
    this.compareProducer(partition, log)
  }

  compareProducer(partition: Believed, log: PartitionLog): void {
    const producer = log.state.producers.get(BigInt(partition.id))
    if (producer) partition.sequence = producer.batches.at(-1)!.lastSequence + 1
    const last = partition.batches.at(-1)
    if (last && producer) {
      const again = log.append(unstamped(last.bytes))
      expect(again).toMatchObject({ isDuplicate: true, baseOffset: last.baseOffset })
    }
  }
}

function bytesOf({ batches }: Believed): Buffer {
  return Buffer.concat(batches.map(({ bytes }) => bytes))
}

interface Found {
  readonly offset: string
  readonly key: string
  /** Undefined for a tombstone. */
  readonly value: string | undefined
}

function recordsOf(bytes: Buffer): Found[] {
  return [...batchesIn(bytes)].flatMap(batch =>
    Array.from(readRecords(batch), ({ offset, key, value }) => ({
      offset: String(offset),
      key: String(key),
      value: value?.toString(),
    })),
  )
}

function unstamped(bytes: Buffer): Buffer {
  const batch = Buffer.from(bytes)
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(-1, 12)
  return batch
}

test.each(seeds)('stays what a simple model says through restarts and crashes, seed %i', async seed => {
  const simulation = new Simulation(seed)
  await simulation.open()
  for (let step = 0; step < 300; step++) await simulation.step()
  await simulation.restart('crash')
  await simulation.restart('close')
  await simulation.store.close()
  expect(simulation.failures).toEqual([])
  expect(simulation.store.shards.map(shard => shard.fault)).not.toContainEqual(expect.any(KafkaError))
})
