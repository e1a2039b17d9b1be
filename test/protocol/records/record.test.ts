import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { batchesIn, batchOverhead, codecs, readBatch, seal } from '../../../src/protocol/records/batch.ts'
import { checkBatch } from '../../../src/protocol/records/check.ts'
import { RecordsError } from '../../../src/protocol/records/errors.ts'
import { buildBatch, readRecords } from '../../../src/protocol/records/record.ts'
import { firstAtOrAfter, greatestTimestamp } from '../../../src/protocol/records/timestamps.ts'

const records = [
  { timestamp: 50n, key: Buffer.from('a'), value: Buffer.from('1'), headers: [{ key: 'ключ', value: null }] },
  { timestamp: 40n, key: null, value: Buffer.from('2'), headers: [] },
  { timestamp: 60n, key: Buffer.from('b'), value: null, headers: [] },
]

describe('buildBatch', () => {
  test('numbers records one after another from the base offset', () => {
    const batch = readBatch(buildBatch({ baseOffset: 100n, records }))
    expect([...readRecords(batch)]).toEqual(
      records.map((record, index) => ({ offset: 100n + BigInt(index), ...record })),
    )
    expect(batch).toMatchObject({ baseOffset: 100n, lastOffset: 102n, baseTimestamp: 50n, maxTimestamp: 60n })
    expect(batch).toMatchObject({
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      partitionLeaderEpoch: -1,
    })
    expect(batch).toMatchObject({ isSound: true, isTransactional: false, isControl: false, codec: 'none' })
  })

  test('goes on from a record with an offset of its own', () => {
    const batch = readBatch(
      buildBatch({ baseOffset: 10n, records: [{ offset: 12n }, {}, { offset: 20n }], lastOffset: 25n }),
    )
    expect([...readRecords(batch)].map(record => record.offset)).toEqual([12n, 13n, 20n])
    expect(batch.lastOffset).toBe(25n)
  })

  test('leaves a header alone of a batch without records, whatever the codec', () => {
    const batch = readBatch(
      buildBatch({ records: [], codec: 'zstd', baseOffset: 5n, lastOffset: 9n, baseSequence: 3 }),
    )
    expect(batch).toMatchObject({
      sizeInBytes: batchOverhead,
      codec: 'none',
      lastOffset: 9n,
      lastSequence: 7,
      isSound: true,
    })
    expect([...readRecords(batch)]).toEqual([])
  })

  test('keeps a delete horizon in place of the base timestamp', () => {
    const batch = readBatch(buildBatch({ records, deleteHorizonMs: 1_000_000n }))
    expect(batch).toMatchObject({ deleteHorizonMs: 1_000_000n, maxTimestamp: 60n })
    expect([...readRecords(batch)].map(record => record.timestamp)).toEqual([50n, 40n, 60n])
  })
})

describe('readRecords', () => {
  test("gives every record the broker's timestamp where that rules, or its producer's when asked", () => {
    const batch = readBatch(buildBatch({ records, timestampType: 'LogAppendTime', maxTimestamp: 99n }))
    expect([...readRecords(batch)].map(record => record.timestamp)).toEqual([99n, 99n, 99n])
    expect([...readRecords(batch, { asCreated: true })].map(record => record.timestamp)).toEqual([
      50n,
      40n,
      60n,
    ])
  })

  test('makes no more of a body than is allowed', () => {
    for (const codec of codecs.slice(1)) {
      const batch = readBatch(buildBatch({ codec, records: [{ value: Buffer.alloc(10_000) }] }))
      expect(() => [...readRecords(batch, { bodyLengthMax: 5_000 })]).toThrow(RecordsError)
    }
  })
})

describe('timestamps', () => {
  const batch = readBatch(buildBatch({ baseOffset: 7n, records }))

  test('the first record at or after a time', () => {
    expect(firstAtOrAfter(batch, 0n)).toEqual({ timestamp: 50n, offset: 7n })
    expect(firstAtOrAfter(batch, 51n)).toEqual({ timestamp: 60n, offset: 9n })
    expect(firstAtOrAfter(batch, 60n)).toEqual({ timestamp: 60n, offset: 9n })
    expect(firstAtOrAfter(batch, 61n)).toBeNull()
  })

  test('the first record at or after a time and an offset', () => {
    expect(firstAtOrAfter(batch, 0n, 8n)).toEqual({ timestamp: 40n, offset: 8n })
    expect(firstAtOrAfter(batch, 0n, 10n)).toBeNull()
  })

  test('the greatest, and the first record that has it', () => {
    expect(greatestTimestamp(batch)).toEqual({ timestamp: 60n, offset: 9n })
    const twice = readBatch(
      buildBatch({ records: [{ timestamp: 5n }, { timestamp: 6n }, { timestamp: 6n }] }),
    )
    expect(greatestTimestamp(twice)).toEqual({ timestamp: 6n, offset: 1n })
    const stamped = readBatch(buildBatch({ records, timestampType: 'LogAppendTime', maxTimestamp: 99n }))
    expect(greatestTimestamp(stamped)).toEqual({ timestamp: 99n, offset: 0n })
  })

  test('none in a batch without records, or without the record that had the greatest', () => {
    expect(greatestTimestamp(readBatch(buildBatch({ records: [] })))).toBeNull()
    expect(greatestTimestamp(readBatch(buildBatch({ records, maxTimestamp: 70n })))).toBeNull()
  })
})

// Nothing but a RecordsError may come of them; the seed is fixed and each round's number names the failing one.
function survives(bytes: Buffer, round: string): void {
  for (const read of [
    () => [...batchesIn(bytes)].map(batch => [...readRecords(batch, { bodyLengthMax: 100_000 })]),
    () => checkBatch(bytes, { inside: true, keys: true, bodyLengthMax: 100_000 }),
    () => [...batchesIn(bytes)].map(batch => [greatestTimestamp(batch), batch.lastSequence, batch.isSound]),
  ]) {
    try {
      read()
    } catch (error) {
      expect(error, round).toBeInstanceOf(RecordsError)
    }
  }
}

describe('bad bytes', () => {
  test.each(codecs)('in a batch with codec %s are answered with RecordsError', codec => {
    const random = seededRandom(4_711)
    const sound = buildBatch({
      codec,
      records: [...records, { value: random.bytes(300) }, { value: Buffer.alloc(300) }],
    })
    for (let round = 0; round < 2_000; round++) {
      const bytes = Buffer.from(sound)
      for (let change = random.below(4); change >= 0; change--) {
        // Spare length and magic most of the time, so that what lies behind them is reached.
        const from = round % 10 === 0 ? 0 : 17
        bytes[from + random.below(bytes.length - from)] = random.below(256)
      }
      if (round % 2 === 0) seal(bytes, 0, bytes.length)
      survives(round % 7 === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes, `round ${round}`)
    }
  })

  test('without any order are answered with RecordsError', () => {
    const random = seededRandom(815)
    for (let round = 0; round < 2_000; round++) {
      const bytes = random.bytes(random.below(200))
      if (bytes.length > 16) {
        bytes.writeInt32BE(bytes.length - 12, 8)
        bytes[16] = 2
      }
      survives(bytes, `round ${round}`)
    }
  })

  test('that claim billions of records or headers end at once', () => {
    const bytes = buildBatch({ records })
    bytes.writeInt32BE(2 ** 31 - 1, 57)
    bytes.writeInt32BE(2 ** 31 - 2, 23)
    seal(bytes, 0, bytes.length)
    expect(() => [...readRecords(readBatch(bytes))]).toThrow(RecordsError)
    expect(() => checkBatch(bytes)).toThrow(RecordsError)
  })
})
