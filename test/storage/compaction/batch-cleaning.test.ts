import { describe, expect, test } from 'vitest'
import { codecs, readBatch, type Batch } from '../../../src/protocol/records/batch.ts'
import { buildBatch, readRecords } from '../../../src/protocol/records/record.ts'
import type { CleaningRules } from '../../../src/storage/compaction/batch-cleaning.ts'
import { batchAt, clean, markerAt, outcomesOf, textOf, transactional } from './support.ts'

const hour = 3_600_000
const kinds = (outcomes: readonly { kind: string }[]): string[] => outcomes.map(({ kind }) => kind)

/** Knows one producer, whose last batch ends at `lastOffset`, or whose last word is a marker. */
function producerAt(producerId: bigint, lastOffset?: number): CleaningRules['producers'] {
  const last = { firstSequence: 0, lastSequence: 0, offsetDelta: 0, timestamp: 0 }
  const batches = lastOffset === undefined ? [] : [{ ...last, lastOffset }]
  return new Map([[producerId, { epoch: 0, batches }]])
}

describe('records', () => {
  test('that are the latest of their keys stay, at their offsets', () => {
    const log = [batchAt(0, ['a=1', 'b=1', 'c=1']), batchAt(3, ['b=2', 'd=1'])]
    expect(clean(log).map(textOf)).toEqual([
      ['0:a=1', '2:c=1'],
      ['3:b=2', '4:d=1'],
    ])
    expect(kinds(outcomesOf(log))).toEqual(['replaced', 'kept'])
  })

  test('without a key go', () => {
    expect(clean([batchAt(0, ['a=1', '=2', '=3', 'b=1'])]).map(textOf)).toEqual([['0:a=1', '3:b=1']])
  })

  test('with an empty key and with an empty value stay: that is neither no key nor a tombstone', () => {
    const records = [{ key: Buffer.alloc(0), value: Buffer.alloc(0), timestamp: 1n }]
    expect(kinds(outcomesOf([batchAt(0, [], { records })], { nowMs: hour }))).toEqual(['kept'])
  })

  test('at or behind the end of a section that was cut short stay, without a key too', () => {
    const log = [batchAt(0, ['a=1', 'b=1', 'a=2', '=1', 'c=1', '=2', 'a=3']), batchAt(7, ['=3', 'a=4'])]
    const cleaned = clean(log, { bytesMax: 24 * 3 })
    expect(cleaned.map(textOf)).toEqual([
      ['1:b=1', '2:a=2', '4:c=1', '5:=2', '6:a=3'],
      ['7:=3', '8:a=4'],
    ])
  })

  test('of a section that was cleaned before are replaced by later ones', () => {
    const log = [batchAt(0, ['a=1', 'b=1']), batchAt(2, ['a=2'])]
    expect(clean(log, { firstDirtyOffset: 2 }).map(textOf)).toEqual([['1:b=1'], ['2:a=2']])
  })

  test('of an aborted transaction go, and what they would have replaced stays', () => {
    const aborted = [{ producerId: 7n, firstOffset: 1, lastOffset: 2 }]
    const log = [batchAt(0, ['a=1']), batchAt(1, ['a=2'], transactional), markerAt(2, 'ABORT')]
    expect(kinds(outcomesOf(log, { aborted }))).toEqual(['kept', 'dropped', 'kept'])
  })
})

describe('a batch that is written anew', () => {
  const untouched = [
    ...(['baseOffset', 'lastOffset', 'partitionLeaderEpoch', 'magic', 'codec', 'timestampType'] as const),
    ...([
      'producerId',
      'producerEpoch',
      'baseSequence',
      'lastSequence',
      'isTransactional',
      'isControl',
    ] as const),
  ]
  const header = {
    leaderEpoch: 9,
    producerId: 41n,
    producerEpoch: 3,
    baseSequence: 2 ** 31 - 2,
    isTransactional: true,
  }
  test.each(codecs)('keeps offsets, producer, sequences, epoch and the codec %s', codec => {
    const batch = batchAt(50, ['a=1', 'b=1', 'a=2', 'b=2', 'b=3', '=1'], { codec, ...header })
    const [cleaned] = clean([batch])
    expect(textOf(cleaned!)).toEqual(['52:a=2', '54:b=3'])
    for (const name of untouched) expect([name, cleaned![name]]).toEqual([name, batch[name]])
    expect(cleaned!.isSound).toBe(true)
    expect(cleaned!.recordCount).toBe(2)
  })

  test('keeps timestamps and headers of its records; its own are those of what is left', () => {
    const headers = [
      { key: 'h', value: null },
      { key: 'ä', value: Buffer.from('x') },
    ]
    const records = ['a', 'b', 'a'].map((key, index) => ({
      key: Buffer.from(key),
      value: Buffer.from('v'),
      timestamp: [9000n, 700n, 800n][index]!,
      headers,
    }))
    const [cleaned] = clean([batchAt(0, [], { records })])
    expect([...readRecords(cleaned!)]).toMatchObject([
      { offset: 1n, timestamp: 700n, headers },
      { offset: 2n, timestamp: 800n, headers },
    ])
    expect(cleaned).toMatchObject({ baseTimestamp: 700n, maxTimestamp: 800n, deleteHorizonMs: null })
  })

  test('keeps the time that the broker gave it, with and without a delete horizon', () => {
    const stamped = { timestampType: 'LogAppendTime', maxTimestamp: 4444n } as const
    for (const last of ['a=2', 'a']) {
      const [cleaned] = clean([batchAt(0, ['a=1', last, 'b=1'], stamped)])
      expect(cleaned).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: 4444n })
      expect([...readRecords(cleaned!)].map(({ timestamp }) => timestamp)).toEqual([4444n, 4444n])
      expect([...readRecords(cleaned!, { asCreated: true })].map(({ timestamp }) => timestamp)).toEqual([
        4444n,
        4444n,
      ])
    }
  })

  test('leaves the bytes that were read as they are', () => {
    const batch = batchAt(0, ['a=1', 'a=2', 'b'])
    const before = Buffer.from(batch.bytes)
    clean([batch])
    expect(batch.bytes.equals(before)).toBe(true)
  })
})

describe('a tombstone', () => {
  test('gets its delete horizon from the first cleaning that meets it, in place of the base timestamp', () => {
    const log = [batchAt(0, ['a=1']), batchAt(1, ['b=1', 'a'])]
    const cleaned = clean(log, { nowMs: 5000, deleteRetentionMs: 100 })
    expect(cleaned.map(textOf)).toEqual([['1:b=1', '2:a']])
    expect(cleaned[0]).toMatchObject({ deleteHorizonMs: 5100n, baseTimestamp: 5100n, maxTimestamp: 1002n })
    expect([...readRecords(cleaned[0]!)].map(({ timestamp }) => timestamp)).toEqual([1001n, 1002n])
    expect(cleaned[0]!.isSound).toBe(true)
  })

  test('keeps its first horizon, and goes when that has come', () => {
    const first = clean([batchAt(0, ['b=1', 'a'])], { nowMs: 5000, deleteRetentionMs: 100 })
    const later = (nowMs: number): Batch[] =>
      clean(first, { firstDirtyOffset: 2, nowMs, deleteRetentionMs: hour })
    expect(later(5099).map(textOf)).toEqual([['0:b=1', '1:a']])
    expect(later(5099)[0]!.deleteHorizonMs).toBe(5100n)
    expect(later(5100).map(textOf)).toEqual([['0:b=1']])
    expect(later(5100)[0]!.deleteHorizonMs).toBe(5100n)
  })

  test('goes at once with a retention of nothing, but not in the cleaning that first meets it', () => {
    const now = { nowMs: 5000, deleteRetentionMs: 0 }
    const first = clean([batchAt(0, ['a'])], now)
    expect(first.map(textOf)).toEqual([['0:a']])
    expect(clean(first, now)).toEqual([])
  })

  test('that a later record replaced goes without waiting', () => {
    expect(clean([batchAt(0, ['a']), batchAt(1, ['a=1'])]).map(textOf)).toEqual([['1:a=1']])
  })

  test('gets no horizon where a section was cut short before its batch ends', () => {
    const log = [batchAt(0, ['a=1', 'b=1']), batchAt(2, ['a', 'c=1', 'b'])]
    const cleaned = clean(log, { bytesMax: 24 * 3 })
    expect(cleaned.map(textOf)).toEqual([['1:b=1'], ['2:a', '3:c=1', '4:b']])
    expect(cleaned[1]!.deleteHorizonMs).toBeNull()
    expect(kinds(outcomesOf(log, { bytesMax: 24 * 3 }))[1]).toBe('kept')
  })

  test('is kept for ever where its horizon would be past the last millisecond', () => {
    const deleteRetentionMs = Number(2n ** 63n - 1n)
    expect(kinds(outcomesOf([batchAt(0, ['a'])], { deleteRetentionMs }))).toEqual(['kept'])
  })
})

describe('a batch of which nothing is left', () => {
  const produced = { producerId: 41n, producerEpoch: 0, baseSequence: 10 }
  const log = [batchAt(0, ['a=1', 'b=1'], produced), batchAt(2, ['a=2', 'b=2'])]

  test('goes', () => {
    expect(kinds(outcomesOf(log))).toEqual(['dropped', 'kept'])
    expect(kinds(outcomesOf(log, { producers: producerAt(41n, 7) }))).toEqual(['dropped', 'kept'])
    expect(kinds(outcomesOf(log, { producers: producerAt(42n, 1) }))).toEqual(['dropped', 'kept'])
  })

  test.each(codecs)('stays as a header where it is the last of a producer (%s)', codec => {
    const batch = batchAt(0, ['a=1', 'b=1'], { ...produced, codec, isTransactional: true, leaderEpoch: 4 })
    const [header] = clean([batch, log[1]!], { producers: producerAt(41n, 1) })
    expect(header!.sizeInBytes).toBe(61)
    expect(header).toMatchObject({
      codec: 'none',
      recordCount: 0,
      baseOffset: 0n,
      lastOffset: 1n,
      isSound: true,
    })
    expect(header).toMatchObject({ producerId: 41n, producerEpoch: 0, baseSequence: 10, lastSequence: 11 })
    expect(header).toMatchObject({ baseTimestamp: -1n, maxTimestamp: 1001n, isTransactional: true })
    expect(header).toMatchObject({ partitionLeaderEpoch: 4, deleteHorizonMs: null })
  })

  test('is not written again once it is a header, and goes when the producer has gone on', () => {
    const headers = clean(log, { producers: producerAt(41n, 1) })
    expect(kinds(outcomesOf(headers, { producers: producerAt(41n, 1) }))).toEqual(['kept', 'kept'])
    expect(kinds(outcomesOf(headers, { producers: producerAt(41n, 9) }))).toEqual(['dropped', 'kept'])
  })

  test('stays as a header where it is the last that can be cleaned, so that its offset is not lost', () => {
    const [, last] = clean([batchAt(0, ['a=1']), batchAt(1, ['=1', '=2'])], { firstUncleanableOffset: 3 })
    expect(last).toMatchObject({ recordCount: 0, baseOffset: 1n, lastOffset: 2n, sizeInBytes: 61 })
  })

  test('loses its delete horizon with its tombstones', () => {
    const batch = batchAt(0, ['a'], { ...produced, deleteHorizonMs: 10n })
    const [header] = clean([batch], { producers: producerAt(41n, 0) })
    expect(header).toMatchObject({ recordCount: 0, deleteHorizonMs: null, baseTimestamp: -1n })
  })
})

describe('a marker', () => {
  test('stays as it is as long as data of its transaction does', () => {
    const log = [batchAt(0, ['a=1'], transactional), markerAt(1, 'COMMIT')]
    expect(kinds(outcomesOf(log, { nowMs: hour }))).toEqual(['kept', 'kept'])
  })

  test('gets a delete horizon when the data is gone, and goes when that has come', () => {
    const log = [batchAt(0, ['a=1'], transactional), markerAt(1, 'COMMIT'), batchAt(2, ['a=2'])]
    const first = clean(log, { nowMs: 5000 })
    expect(kinds(outcomesOf(log, { nowMs: 5000 }))).toEqual(['dropped', 'kept', 'kept'])
    const second = clean(first, { nowMs: 6000 })
    expect(second[0]).toMatchObject({
      isControl: true,
      deleteHorizonMs: 6100n,
      recordCount: 1,
      isSound: true,
    })
    expect([...readRecords(second[0]!)][0]!.timestamp).toBe(1000n)
    expect(kinds(outcomesOf(second, { nowMs: 6099 }))).toEqual(['kept', 'kept'])
    expect(kinds(outcomesOf(second, { nowMs: 6100 }))).toEqual(['dropped', 'kept'])
  })

  test('stays as a header where it is the last word of a producer without data, for its epoch', () => {
    const log = clean([markerAt(0, 'ABORT'), batchAt(1, ['a=1'])], { nowMs: 5000 })
    const outcome = outcomesOf(log, { nowMs: 9000, producers: producerAt(7n) })[0]!
    const header = readBatch((outcome as { bytes: Buffer }).bytes)
    expect(header).toMatchObject({ isControl: true, isTransactional: true, recordCount: 0, producerEpoch: 0 })
    expect(kinds(outcomesOf([header, log[1]!], { producers: producerAt(7n) }))).toEqual(['kept', 'kept'])
    expect(kinds(outcomesOf([header, log[1]!]))).toEqual(['dropped', 'kept'])
  })
})

test('a cleaned batch is byte for byte what buildBatch makes of what is left', () => {
  const [cleaned] = clean([batchAt(3, ['a=1', 'b', 'a=2'])], { nowMs: 5000, deleteRetentionMs: 1 })
  const records = [
    { offset: 4n, key: Buffer.from('b'), value: null, timestamp: 1004n },
    { offset: 5n, key: Buffer.from('a'), value: Buffer.from('2'), timestamp: 1005n },
  ]
  expect(cleaned!.bytes).toEqual(buildBatch({ baseOffset: 3n, records, deleteHorizonMs: 5001n }))
})
