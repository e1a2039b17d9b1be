import { describe, expect, test } from 'vitest'
import { batchOverhead, codecs, field, readBatch, seal } from '../../../src/protocol/records/batch.ts'
import type { Demands } from '../../../src/protocol/records/check.ts'
import { checkBatch } from '../../../src/protocol/records/check.ts'
import { RecordsError } from '../../../src/protocol/records/errors.ts'
import type { BatchDraft } from '../../../src/protocol/records/record.ts'
import { buildBatch } from '../../../src/protocol/records/record.ts'

const records = Array.from({ length: 5 }, (_, index) => ({
  timestamp: 1_000n + BigInt(index),
  key: Buffer.from(`key-${index}`),
  value: Buffer.from(`value-${index}`),
  headers: index % 2 === 0 ? [] : [{ key: 'trace', value: Buffer.from('1') }],
}))

/** A produced batch, changed by `spoil` and then given a right checksum again. */
function batchOf(draft: Partial<BatchDraft> = {}, spoil: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = buildBatch({ records, ...draft })
  spoil(bytes)
  seal(bytes, 0, bytes.length)
  return bytes
}

function refusal(bytes: Buffer | null, demands?: Demands): RecordsError | null {
  try {
    checkBatch(bytes, demands)
  } catch (error) {
    if (error instanceof RecordsError) return error
    throw error
  }
  return null
}

describe('a produced batch', () => {
  test.each(codecs)('passes with codec %s, opened or not', codec => {
    const bytes = batchOf({ codec })
    expect(checkBatch(bytes).batch.recordCount).toBe(5)
    expect(checkBatch(bytes, { inside: true, keys: true }).maxTimestamp).toBe(1_004n)
  })

  test('passes with whatever leader epoch the client wrote', () => {
    expect(refusal(batchOf({ leaderEpoch: 99 }))).toBeNull()
  })

  test('passes with the cut start of another batch behind it', () => {
    expect(refusal(Buffer.concat([batchOf(), batchOf().subarray(0, 40)]))).toBeNull()
  })

  test('is CORRUPT_MESSAGE with any byte under the checksum changed', () => {
    const bytes = batchOf()
    for (let at = field.attributes; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 0x04
      expect(refusal(damaged)?.code).toBe('CORRUPT_MESSAGE')
    }
    bytes.writeUInt32BE(1, field.crc)
    expect(refusal(bytes)?.code).toBe('CORRUPT_MESSAGE')
  })

  test('is CORRUPT_MESSAGE with an impossible length or magic', () => {
    expect(refusal(batchOf({}, bytes => bytes.writeInt32BE(5, field.batchLength)))?.code).toBe(
      'CORRUPT_MESSAGE',
    )
    expect(refusal(batchOf({}, bytes => bytes.writeInt8(3, field.magic)))?.code).toBe('CORRUPT_MESSAGE')
  })

  test('is INVALID_RECORD when there is none, when it is cut, and when there are two', () => {
    expect(refusal(null)?.code).toBe('INVALID_RECORD')
    expect(refusal(Buffer.alloc(0))?.code).toBe('INVALID_RECORD')
    expect(refusal(batchOf().subarray(0, -1))?.code).toBe('INVALID_RECORD')
    expect(refusal(Buffer.concat([batchOf(), batchOf()]))?.code).toBe('INVALID_RECORD')
  })

  test('is INVALID_RECORD in the formats before 2', () => {
    expect(refusal(batchOf({}, bytes => bytes.writeInt8(0, field.magic)))?.code).toBe('INVALID_RECORD')
    expect(refusal(batchOf({}, bytes => bytes.writeInt8(1, field.magic)))?.code).toBe('INVALID_RECORD')
  })

  test.each([
    ['one record more than its offsets', field.recordCount, 6],
    ['one record less than its offsets', field.recordCount, 4],
    ['no records', field.recordCount, 0],
    ['a negative count', field.recordCount, -1],
    ['offsets that go back', field.lastOffsetDelta, -1],
    ['more offsets than records', field.lastOffsetDelta, 5],
  ])('is INVALID_RECORD when its header claims %s', (_, at, value) => {
    for (const codec of codecs) {
      expect(refusal(batchOf({ codec }, bytes => bytes.writeInt32BE(value, at)))?.code).toBe('INVALID_RECORD')
    }
  })

  test.each([4, 6])(
    'is INVALID_RECORD when header and offsets agree on %i records but five are there',
    count => {
      const spoil = (bytes: Buffer): void => {
        bytes.writeInt32BE(count, field.recordCount)
        bytes.writeInt32BE(count - 1, field.lastOffsetDelta)
      }
      expect(refusal(batchOf({}, spoil))?.code).toBe('INVALID_RECORD')
      for (const codec of codecs) {
        expect(refusal(batchOf({ codec }, spoil), { inside: true })?.code).toBe('INVALID_RECORD')
      }
    },
  )

  test('is INVALID_RECORD when offset deltas are not 0, 1, 2, ...', () => {
    const draft = { records: [{ offset: 0n }, { offset: 2n }, { offset: 2n }] }
    expect(refusal(batchOf(draft))?.code).toBe('INVALID_RECORD')
  })

  test('is INVALID_RECORD with a base offset, as a control batch, or without a sequence for its producer', () => {
    expect(refusal(batchOf({ baseOffset: 7n }))?.code).toBe('INVALID_RECORD')
    expect(refusal(batchOf({ isControl: true }))?.code).toBe('INVALID_RECORD')
    expect(refusal(batchOf({ producerId: 1n, producerEpoch: 0 }))?.code).toBe('INVALID_RECORD')
    expect(refusal(batchOf({ producerId: 1n, producerEpoch: 0, baseSequence: 0 }))).toBeNull()
  })

  test.each([5, 6, 7])('is UNSUPPORTED_COMPRESSION_TYPE with codec number %i', id => {
    const spoil = (bytes: Buffer): void => void bytes.writeInt16BE(id, field.attributes)
    expect(refusal(batchOf({}, spoil))?.code).toBe('UNSUPPORTED_COMPRESSION_TYPE')
  })

  test.each(codecs)('is refused when its body is nonsense, with codec %s', codec => {
    const bytes = batchOf({ codec }, spoiled => void spoiled.fill(0xff, batchOverhead))
    const code = codec === 'none' ? 'INVALID_RECORD' : 'CORRUPT_MESSAGE'
    expect(refusal(bytes, { inside: true })?.code).toBe(code)
  })

  test('is INVALID_RECORD when any length inside is too great', () => {
    // Where the first record's length, its key's, its value's, its header count and its header's key's length stand.
    for (const at of [0, 4, 10, 18]) {
      for (const length of [0x7e, 0x30]) {
        const bytes = batchOf({}, spoiled => void spoiled.writeUInt8(length, batchOverhead + at))
        expect(refusal(bytes)?.code, `${length} at ${at}`).toBe('INVALID_RECORD')
      }
    }
  })

  test('may not become longer than is allowed', () => {
    for (const codec of codecs.slice(1)) {
      const bytes = batchOf({ codec, records: [{ value: Buffer.alloc(100_000) }] })
      expect(refusal(bytes, { inside: true, bodyLengthMax: 200_000 })).toBeNull()
      expect(refusal(bytes, { inside: true, bodyLengthMax: 50_000 })?.code).toBe('CORRUPT_MESSAGE')
    }
  })
})

describe('what a topic demands', () => {
  test('each record without a key is named when keys are demanded', () => {
    for (const codec of codecs) {
      const bytes = batchOf({ codec, records: [{ key: Buffer.from('k') }, {}, { key: null }] })
      expect(refusal(bytes)).toBeNull()
      const error = refusal(bytes, { keys: true })
      expect(error?.code).toBe('INVALID_RECORD')
      expect(error?.faults.map(fault => fault.batchIndex)).toEqual([1, 2])
    }
  })

  test('each record with a timestamp out of range is named', () => {
    for (const codec of codecs) {
      const bytes = batchOf({ codec })
      expect(refusal(bytes, { timestampMin: 1_000n, timestampMax: 1_004n })).toBeNull()
      const late = refusal(bytes, { timestampMax: 1_002n })
      expect(late?.code).toBe('INVALID_TIMESTAMP')
      expect(late?.faults.map(fault => fault.batchIndex)).toEqual([3, 4])
      const early = refusal(bytes, { timestampMin: 1_001n })
      expect(early?.code).toBe('INVALID_TIMESTAMP')
      expect(early?.faults.map(fault => fault.batchIndex)).toEqual([0])
    }
  })

  test('a record without a timestamp is in any range', () => {
    expect(refusal(batchOf({ records: [{}, {}] }), { timestampMin: 5n, timestampMax: 9n })).toBeNull()
  })
})

describe('the greatest timestamp', () => {
  test("is the records' own where the header says otherwise", () => {
    const checked = checkBatch(batchOf({ maxTimestamp: 5n }))
    expect(checked.maxTimestamp).toBe(1_004n)
    expect(checked.batch.maxTimestamp).toBe(5n)
  })

  test('fits the header whatever the deltas add up to', () => {
    const bytes = batchOf({}, spoiled => void spoiled.writeBigInt64BE(2n ** 63n - 1n, field.baseTimestamp))
    const { maxTimestamp } = checkBatch(bytes)
    expect(BigInt.asIntN(64, maxTimestamp)).toBe(maxTimestamp)
  })

  test('is read through one pass that leaves the bytes alone', () => {
    const bytes = batchOf()
    const before = Buffer.from(bytes)
    checkBatch(bytes, { inside: true, keys: true })
    expect(bytes).toEqual(before)
    expect(readBatch(bytes).isSound).toBe(true)
  })
})
