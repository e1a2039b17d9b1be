import { describe, expect, test } from 'vitest'
import { seededRandom, type Random } from '../../src/base/random.ts'
import type { Catalog, Topic } from '../../src/broker/catalog.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { checkBatch } from '../../src/protocol/records/check.ts'
import { RecordsError } from '../../src/protocol/records/errors.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import type { Appended } from '../../src/storage/partition-log.ts'
import type { Store } from '../../src/storage/store.ts'
import { openCatalog } from '../cli/history.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { readAll, turns } from '../storage/support.ts'
import { batchOf, type Numbered } from './support.ts'

const gapTimeoutMs = 1000

/** A writer that numbers its records and sends some late, some never and some twice, and a reader that remembers what it read. */
class Scene {
  readonly #random: Random
  readonly #clock = new ManualClock()
  #disk = new FaultyDisk()
  #store!: Store
  #catalog!: Catalog
  #partitionCount: number
  #next = 0n
  #previous = -1n
  /** What was ever sent. */
  readonly #sent = new Map<bigint, string>()
  /** What was answered, with a success. */
  readonly #acknowledged = new Set<bigint>()
  /** What was held back, to be sent late. */
  #late: Numbered[] = []
  /** What was read of the view, whoever read it. */
  readonly #read = new Map<bigint, string>()
  #readTo = 0n
  #start = 0n

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#partitionCount = 1 + this.#random.below(6)
  }

  async begin(): Promise<void> {
    await this.#open()
    const configs = new Map([['odradek.partitioning', 'vlsn']])
    await this.#catalog.create({ name: 't', partitionCount: this.#partitionCount, configs })
    this.#topic.vlsn!.configure({ gapTimeoutMs })
  }

  get #topic(): Topic {
    return this.#catalog.topic('t')!
  }

  async #open(): Promise<void> {
    const opened = await openCatalog({ disk: this.#disk, clock: this.#clock, segmentBytes: 4096 })
    this.#store = opened.store
    this.#catalog = opened.catalog
    this.#catalog.topic('t')?.vlsn!.configure({ gapTimeoutMs })
  }

  async step(): Promise<void> {
    const chance = this.#random.below(100)
    if (chance < 38) this.#write()
    else if (chance < 48) this.#sendLate()
    else if (chance < 52) this.#sendAgain()
    else if (chance < 60) await turns(1 + this.#random.below(10))
    else if (chance < 70) await this.#clock.advance(this.#random.below(2 * gapTimeoutMs))
    else if (chance < 73) await this.#delete()
    else if (chance < 74) await this.#grow()
    else if (chance < 77) await this.#restart()
    else if (chance < 81) await this.#crash()
    else await this.check()
  }

  #write(): void {
    const count = 150
    const isNaming = this.#random.below(2) === 0
    const records: Numbered[] = []
    for (let each = 0; each < count; each++) {
      // Numbers that are never used.
      if (this.#random.below(8) === 0) this.#next += BigInt(1 + this.#random.below(5))
      const vlsn = this.#next++
      const record = {
        vlsn,
        value: `${vlsn}/${this.#random.below(1000)}`,
        ...(isNaming && { after: this.#previous }),
      }
      this.#previous = vlsn
      if (this.#random.below(5) === 0) this.#late.push(record)
      else records.push(record)
    }
    this.#send(records)
  }

  #sendLate(): void {
    const late = this.#late.splice(this.#random.below(this.#late.length + 1), 1)
    this.#send(late)
  }

  #sendAgain(): void {
    const known = [...this.#sent].slice(-20)
    if (known.length === 0) return
    const [vlsn, value] = known[this.#random.below(known.length)]!
    this.#send([{ vlsn, value }])
  }

  /** Sends records, each to the partition that a writer takes it to be in: one batch for each partition. */
  #send(records: readonly Numbered[]): void {
    const byPartition = new Map<number, Numbered[]>()
    for (const record of records) {
      const partition = this.#topic.vlsn!.eras.partitionOf(BigInt(record.vlsn))
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), record])
    }
    for (const [partition, own] of byPartition) this.#append(partition, own)
  }

  #append(partition: number, records: readonly Numbered[]): void {
    let appended: Appended
    try {
      const { batch, body } = checkBatch(batchOf(records), { inside: true })
      appended = this.#topic.vlsn!.append(partition, { batch, body: body! }, {})
    } catch (error) {
      if (error instanceof RecordsError || (error as KafkaError).error === 'NOT_LEADER_OR_FOLLOWER') return
      throw error
    }
    for (const { vlsn, value } of records) {
      const before = this.#sent.get(BigInt(vlsn))
      // A value is taken in once; another one can be only where a crash took the first.
      if (before !== undefined && this.#acknowledged.has(BigInt(vlsn))) expect(value).toBe(before)
      this.#sent.set(BigInt(vlsn), value!)
    }
    appended.committed.then(
      () => {
        for (const { vlsn } of records) this.#acknowledged.add(BigInt(vlsn))
      },
      () => undefined,
    )
  }

  async #delete(): Promise<void> {
    const log = this.#topic.partitions[this.#random.below(this.#topic.partitions.length)]!
    const span = Number(log.highWatermark - log.logStartOffset)
    const offset = log.logStartOffset + BigInt(this.#random.below(span + 1))
    await this.#catalog.deleteRecords([{ log, offset }])
  }

  async #grow(): Promise<void> {
    if (this.#partitionCount >= 7) return
    this.#partitionCount += 1 + this.#random.below(2)
    const growing = this.#catalog.grow('t', this.#partitionCount)
    // The writer does not know, and goes on.
    this.#write()
    await growing
  }

  async #restart(): Promise<void> {
    await this.#catalog.close()
    await this.#store.close()
    await turns(3)
    await this.#open()
  }

  /** The process is killed, and the disk forgets any part of what was not synced. */
  async #crash(): Promise<void> {
    const { catalog, store } = { catalog: this.#catalog, store: this.#store }
    // What is answered from here on is answered by nobody.
    const disk = this.#disk.crash(this.#random)
    const acknowledged = new Set(this.#acknowledged)
    await catalog.close()
    await store.close()
    await turns(3)
    this.#acknowledged.clear()
    for (const vlsn of acknowledged) this.#acknowledged.add(vlsn)
    this.#disk = disk
    await this.#open()
  }

  /** Reads the whole view, and holds it against what was read before and against the logs. */
  async check(): Promise<void> {
    const isAtRest = this.#random.below(2) === 0
    if (isAtRest) await this.#store.flushed()
    if (isAtRest) await turns(4)
    const { view, eras } = this.#topic.vlsn!
    const { logStartOffset: start, highWatermark: end } = view
    expect(end).toBeGreaterThanOrEqual(this.#readTo)
    expect(start).toBeGreaterThanOrEqual(this.#start)
    this.#start = start
    const records = new Map<bigint, string>()
    let last = -1n
    let from = start + BigInt(this.#random.below(Number(end - start) + 1))
    if (this.#random.below(2) === 0) from = start
    for (let offset = from; offset < end;) {
      const lengthMax = this.#random.below(2000)
      const slice = await view.read(offset, { lengthMax, limit: end, atLeastOne: true })
      if (slice.length === 0) break
      for (const batch of slice.pieces.flatMap(piece => [...batchesIn(piece)])) {
        expect(batch.isSound).toBe(true)
        for (const record of readRecords(batch)) {
          if (record.offset < offset) continue
          expect(record.offset).toBe(record.key!.readBigInt64BE())
          expect(record.offset).toBeGreaterThan(last)
          last = record.offset
          records.set(record.offset, record.value!.toString())
        }
      }
      offset = slice.nextOffset
    }
    for (const vlsn of records.keys()) expect(vlsn).toBeLessThan(end)
    // It never changes under a reader.
    for (const [vlsn, value] of this.#read)
      if (vlsn >= from) expect([vlsn, records.get(vlsn)]).toEqual([vlsn, value])
    for (const [vlsn, value] of records) {
      if (vlsn < this.#readTo) expect([vlsn, this.#read.get(vlsn)]).toEqual([vlsn, value])
      expect([vlsn, this.#sent.get(vlsn)]).toEqual([vlsn, value])
    }
    if (from === start) {
      for (const [vlsn, value] of records) this.#read.set(vlsn, value)
      this.#readTo = end
    }
    for (const vlsn of this.#read.keys()) if (vlsn < start) this.#read.delete(vlsn)
    if (!isAtRest) return
    // Everything that was answered is there, and nothing that is there is held back.
    const stored = await this.#stored()
    for (const vlsn of stored) if (vlsn >= from && vlsn < end) expect(records.has(vlsn)).toBe(true)
    for (const vlsn of this.#acknowledged)
      if (vlsn >= from && vlsn < end) expect([vlsn, records.has(vlsn)]).toEqual([vlsn, true])
    expect(stored.has(end)).toBe(false)
    const ownAbove = [...stored].filter(
      vlsn => vlsn > end && eras.partitionOf(vlsn) === eras.partitionOf(end),
    )
    // Nothing of the same partition is behind the end, unless an era lies between.
    expect(ownAbove.filter(vlsn => eras.strideBetween(end, vlsn) !== undefined)).toEqual([])
    expect(await this.#catalog.audit()).toEqual([])
  }

  /** The VLSNs that the logs hold. */
  async #stored(): Promise<Set<bigint>> {
    const found = new Set<bigint>()
    for (const log of this.#topic.partitions) {
      for (const batch of batchesIn(await readAll(log))) {
        for (const { key, offset } of readRecords(batch))
          if (offset >= log.logStartOffset) found.add(key!.readBigInt64BE())
      }
    }
    return found
  }

  /** Whoever waits long enough sees everything. */
  async end(): Promise<void> {
    for (let round = 0; round < 200; round++) {
      await this.#store.flushed()
      await turns(10)
      await this.#clock.advance(gapTimeoutMs)
      await turns(10)
      if (!this.#topic.vlsn!.gap()) break
    }
    await this.check()
    const stored = [...(await this.#stored())]
    const { end } = this.#topic.vlsn!
    expect(stored.filter(vlsn => vlsn >= end)).toEqual([])
    await this.#catalog.close()
    await this.#store.close()
  }
}

describe('any schedule of writers, gaps, deletions, restarts and crashes', () => {
  const first = 1000
  const count = 150
  for (let seed = first; seed < first + count; seed++) {
    test(`leaves a view that is in order, without a gap, and never changes (seed ${seed})`, async () => {
      const scene = new Scene(seed)
      await scene.begin()
      for (let step = 0; step < 120; step++) await scene.step()
      await scene.end()
    })
  }
})
