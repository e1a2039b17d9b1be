import { describe, expect, test } from 'vitest'
import { seededRandom, type Random } from '../../../src/base/random.ts'
import { acknowledgeTypes } from '../../../src/groups/share/acknowledgement.ts'
import { SharePartition, type AcquireOptions } from '../../../src/groups/share/share-partition.ts'
import { deliveryStates, overlay, type StateBatch } from '../../../src/groups/share/state/delivery.ts'
import { errorName, KafkaError } from '../../../src/protocol/errors.ts'

const { available, acknowledged, archived } = deliveryStates
const { gap, accept, release, reject, renew } = acknowledgeTypes
const limits = { deliveryCountMax: 5, lockedUntilMs: 500 }

/** Batches of the log of ten records each. */
function tens(from: number, to: number) {
  const batches = []
  for (let first = from; first < to; first += 10) batches.push({ firstOffset: first, lastOffset: first + 9 })
  return batches
}

function acquire(partition: SharePartition, memberId: string, options: Partial<AcquireOptions> = {}) {
  return partition
    .acquire({
      memberId,
      from: partition.nextFetchOffset(1_000) ?? 0,
      batches: tens(0, 100),
      recordsMax: 1_000,
      isStrict: false,
      inFlightMax: 1_000,
      pieceRecords: 1_000,
      lockedUntilMs: 100,
      ...options,
    })
    .map(({ firstOffset, lastOffset, deliveryCount }) => [firstOffset, lastOffset, deliveryCount])
}

function state(
  firstOffset: number,
  lastOffset: number,
  deliveryState: number,
  deliveryCount: number,
): StateBatch {
  return { firstOffset, lastOffset, deliveryState, deliveryCount }
}

function refusal(attempt: () => unknown): string {
  try {
    attempt()
  } catch (error) {
    if (error instanceof KafkaError) return errorName(error.code)
    throw error
  }
  return 'NONE'
}

function fresh(startOffset = 0, batches: StateBatch[] = []): SharePartition {
  return new SharePartition({ startOffset, batches })
}

describe('acquiring', () => {
  test('hands out whole batches, up to the one that reaches the limit', () => {
    const partition = fresh()
    expect(acquire(partition, 'a', { recordsMax: 15 })).toEqual([[0, 19, 1]])
    expect(acquire(partition, 'b', { recordsMax: 1 })).toEqual([[20, 29, 1]])
    expect(partition.inFlightCount).toBe(30)
    expect(partition.endOffset).toBe(30)
  })

  test('hands out no record more than was asked for, where that is asked for', () => {
    const partition = fresh()
    expect(acquire(partition, 'a', { recordsMax: 15, isStrict: true })).toEqual([[0, 14, 1]])
    expect(acquire(partition, 'b', { recordsMax: 1, isStrict: true })).toEqual([[15, 15, 1]])
  })

  test('begins inside a batch, where the group does', () => {
    expect(acquire(fresh(5), 'a', { recordsMax: 1 })).toEqual([[5, 9, 1]])
  })

  test('cuts what is handed out into pieces between batches', () => {
    expect(acquire(fresh(), 'a', { recordsMax: 50, pieceRecords: 20 })).toEqual([
      [0, 19, 1],
      [20, 39, 1],
      [40, 49, 1],
    ])
  })

  test('stops where as many are in flight as may be, and goes on as they are done with', () => {
    const partition = fresh()
    expect(acquire(partition, 'a', { inFlightMax: 25 })).toEqual([[0, 29, 1]])
    expect(partition.nextFetchOffset(25)).toBeUndefined()
    expect(acquire(partition, 'b', { from: 30, inFlightMax: 25 })).toEqual([])
    partition.acknowledge('a', [{ firstOffset: 5, lastOffset: 10, types: [accept] }], limits)
    expect(partition.nextFetchOffset(25)).toBe(30)
    expect(acquire(partition, 'b', { inFlightMax: 25, isStrict: true })).toEqual([[30, 30, 1]])
  })

  test('gives records that came back before new ones, and counts', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 20 })
    partition.acknowledge('a', [{ firstOffset: 3, lastOffset: 4, types: [release] }], limits)
    expect(partition.nextFetchOffset(1_000)).toBe(3)
    expect(acquire(partition, 'b', { recordsMax: 12 })).toEqual([
      [3, 4, 2],
      [20, 29, 1],
    ])
  })

  test('gives up what came back and is no longer in the log', () => {
    const partition = fresh(0, [
      state(0, 4, available, 1),
      state(5, 9, acknowledged, 1),
      state(10, 19, available, 2),
    ])
    expect(acquire(partition, 'a', { from: 0, batches: [{ firstOffset: 12, lastOffset: 14 }] })).toEqual([
      [12, 14, 3],
    ])
    expect(partition.startOffset).toBe(12)
  })
})

describe('acknowledging', () => {
  test('accepts, gives back and gives up record by record', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 10 })
    const types = [accept, accept, release, reject, accept, gap, release, release, accept, accept]
    expect(partition.acknowledge('a', [{ firstOffset: 0, lastOffset: 9, types }], limits)).toEqual([
      state(2, 2, available, 1),
      state(3, 3, archived, 1),
      state(4, 4, acknowledged, 1),
      state(5, 5, archived, 1),
      state(6, 7, available, 1),
      state(8, 9, acknowledged, 1),
    ])
    expect(partition.startOffset).toBe(2)
    expect(partition.doneCount).toBe(5)
    expect(partition.audit()).toEqual([])
  })

  test('is one object for a batch that is settled whole', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 10 })
    acquire(partition, 'b', { recordsMax: 90 })
    expect(
      partition.acknowledge('b', [{ firstOffset: 10, lastOffset: 99, types: [accept] }], limits),
    ).toEqual([state(10, 99, acknowledged, 1)])
    expect(partition.startOffset).toBe(0)
  })

  test('moves the start over all that is done with, of which nothing needs to be written', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 10 })
    expect(partition.acknowledge('a', [{ firstOffset: 0, lastOffset: 9, types: [accept] }], limits)).toEqual(
      [],
    )
    expect([partition.startOffset, partition.endOffset, partition.inFlightCount]).toEqual([10, 10, 0])
  })

  test('is refused to those who do not hold the records, and changes nothing then', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 10 })
    acquire(partition, 'b', { recordsMax: 10 })
    const say = (memberId: string, firstOffset: number, lastOffset: number): string =>
      refusal(() => partition.acknowledge(memberId, [{ firstOffset, lastOffset, types: [accept] }], limits))
    expect(say('b', 0, 9)).toBe('INVALID_RECORD_STATE')
    expect(say('a', 5, 14)).toBe('INVALID_RECORD_STATE')
    expect(say('a', 0, 30)).toBe('INVALID_REQUEST')
    expect(say('a', 0, 4)).toBe('NONE')
    expect(say('a', 0, 4)).toBe('NONE')
    expect(say('a', 5, 9)).toBe('NONE')
    expect(partition.startOffset).toBe(10)
  })

  test('gives up a record that is given back too often', () => {
    const partition = fresh(0, [state(0, 9, available, 4)])
    expect(acquire(partition, 'a', { recordsMax: 10 })).toEqual([[0, 9, 5]])
    partition.acknowledge('a', [{ firstOffset: 5, lastOffset: 9, types: [release] }], limits)
    expect(partition.nextFetchOffset(1_000)).toBe(10)
  })

  test('renews a lock, which is not written', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 10 })
    expect(
      partition.acknowledge('a', [{ firstOffset: 0, lastOffset: 4, types: [renew] }], limits),
    ).toBeUndefined()
    expect(partition.expire(100, 5)).toEqual([state(5, 9, available, 1)])
    expect(partition.nextExpiryMs).toBe(500)
    expect(partition.expire(500, 5)).toEqual([state(0, 4, available, 1)])
    expect(partition.nextExpiryMs).toBe(Infinity)
  })
})

describe('a lock', () => {
  test('ends with its time; what was handed out often enough is given up', () => {
    const partition = fresh(0, [state(0, 4, available, 4), state(5, 9, available, 0)])
    acquire(partition, 'a', { recordsMax: 10, lockedUntilMs: 100 })
    expect(partition.expire(99, 5)).toBeUndefined()
    expect(partition.expire(100, 5)).toEqual([state(5, 9, available, 1)])
    expect(partition.startOffset).toBe(5)
  })

  test('ends with its member', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 10 })
    acquire(partition, 'b', { recordsMax: 10 })
    expect(partition.release('a', 5)).toEqual([state(0, 9, available, 1)])
    expect(partition.release('a', 5)).toBeUndefined()
    expect(acquire(partition, 'c', { recordsMax: 10 })).toEqual([[0, 9, 2]])
    expect(partition.release('c', 2)).toEqual([])
    expect(partition.startOffset).toBe(10)
  })
})

describe('the log', () => {
  test('takes with it what it loses at its start', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 30 })
    partition.acknowledge('a', [{ firstOffset: 20, lastOffset: 24, types: [accept] }], limits)
    partition.trim(15)
    expect([partition.startOffset, partition.inFlightCount, partition.doneCount]).toEqual([15, 10, 5])
    expect(partition.acknowledge('a', [{ firstOffset: 0, lastOffset: 19, types: [accept] }], limits)).toEqual(
      [],
    )
    partition.trim(50)
    expect([partition.startOffset, partition.endOffset, partition.inFlightCount]).toEqual([50, 50, 0])
    expect(partition.audit()).toEqual([])
  })

  test('says what was given up of an aborted transaction', () => {
    const partition = fresh()
    acquire(partition, 'a', { recordsMax: 30 })
    expect(partition.archive('a', 5, 14)).toEqual([state(5, 14, archived, 1)])
  })
})

/** The same, record by record. */
interface ModelRecord {
  state: 'new' | 'available' | 'acquired' | 'done'
  count: number
  memberId: string
  lockedUntilMs: number
}

test('does with runs what a list of single records would do, at random, across restarts', () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed + 1)
  for (const seed of seeds)
    expect(`seed ${seed}: ${compare(seededRandom(seed)) ?? 'alike'}`).toBe(`seed ${seed}: alike`)
})

function compare(random: Random): string | undefined {
  const size = 120
  const records = Array.from({ length: size }, (): ModelRecord => ({
    state: 'new',
    count: 0,
    memberId: '',
    lockedUntilMs: 0,
  }))
  const members = ['a', 'b', 'c']
  const deliveryCountMax = 3
  let nowMs = 0
  let partition = fresh()
  let durable: StateBatch[] = []
  let startOffset = 0
  const write = (changes: StateBatch[] | undefined): void => {
    if (!changes) return
    startOffset = partition.startOffset
    durable = overlay(durable, changes, startOffset)
  }
  const giveBack = (record: ModelRecord): void => {
    record.state = record.count >= deliveryCountMax ? 'done' : 'available'
  }
  for (let step = 0; step < 250; step++) {
    nowMs += random.below(10)
    const memberId = members[random.below(members.length)]!
    const what = random.below(10)
    if (what < 4) {
      const acquired = partition.acquire({
        memberId,
        from: partition.nextFetchOffset(1_000)!,
        batches: tens(0, size),
        recordsMax: 1 + random.below(25),
        isStrict: random.below(2) === 0,
        inFlightMax: 1_000,
        pieceRecords: 10,
        lockedUntilMs: nowMs + 40,
      })
      for (const { firstOffset, lastOffset, deliveryCount } of acquired) {
        for (let offset = firstOffset; offset <= lastOffset; offset++) {
          const record = records[offset]!
          if (record.state === 'acquired' || record.state === 'done')
            return `${offset} was handed out, and is ${record.state}`
          if (++record.count !== deliveryCount)
            return `${offset} is counted ${deliveryCount}, not ${record.count}`
          if (record.count > deliveryCountMax) return `${offset} was handed out too often`
          Object.assign(record, { state: 'acquired', memberId, lockedUntilMs: nowMs + 40 })
        }
      }
    } else if (what < 8) {
      const first = random.below(size)
      const last = Math.min(size - 1, first + random.below(12))
      const types = Array.from({ length: last - first + 1 }, () => random.below(5))
      const isHeld = records
        .slice(first, last + 1)
        .every(
          (record, index) =>
            first + index < partition.startOffset ||
            (record.state === 'acquired' && record.memberId === memberId),
        )
      const said = { firstOffset: first, lastOffset: last, types }
      const outcome = refusal(() =>
        write(partition.acknowledge(memberId, [said], { deliveryCountMax, lockedUntilMs: nowMs + 40 })),
      )
      if ((outcome === 'NONE') !== isHeld) return `${first}-${last} of ${memberId} was answered ${outcome}`
      if (!isHeld) continue
      types.forEach((type, index) => {
        const record = records[first + index]!
        if (record.state !== 'acquired') return
        if (type === renew) record.lockedUntilMs = nowMs + 40
        else if (type === release) giveBack(record)
        else record.state = 'done'
      })
    } else if (what === 8) {
      write(partition.expire(nowMs, deliveryCountMax))
      for (const record of records)
        if (record.state === 'acquired' && record.lockedUntilMs <= nowMs) giveBack(record)
    } else if (random.below(2) === 0) {
      write(partition.release(memberId, deliveryCountMax))
      for (const record of records) {
        if (record.state === 'acquired' && record.memberId === memberId) giveBack(record)
      }
    } else {
      // A crash: what is held is forgotten, and counts as what was written of it.
      partition = fresh(startOffset, durable)
      for (const [offset, record] of records.entries()) {
        if (record.state !== 'acquired') continue
        const written = durable.find(
          ({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset,
        )
        record.state = 'available'
        record.count = written?.deliveryCount ?? 0
      }
    }
    const problems = partition.audit()
    if (problems.length > 0) return problems.join()
    const done = records.findIndex(record => record.state !== 'done')
    if (partition.startOffset !== (done === -1 ? size : done))
      return `it starts at ${partition.startOffset}, not ${done}`
    const inFlight = records.filter(
      (record, offset) => offset < partition.endOffset && record.state !== 'done',
    ).length
    if (partition.inFlightCount !== inFlight)
      return `${partition.inFlightCount} are in flight, not ${inFlight}`
  }
  return undefined
}
