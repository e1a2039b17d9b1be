import { describe, expect, test } from 'vitest'
import { batchesIn, readBatch, setMaxTimestamp, stamp } from '../../../src/protocol/records/batch.ts'
import type { RecordsErrorCode } from '../../../src/protocol/records/errors.ts'
import { RecordsError } from '../../../src/protocol/records/errors.ts'

// One record of producer 1258 whose sequence is about to wrap, as Apache Kafka's client wrote it.
const sequenceWrap =
  '0000000000000000000000a4ffffffff02561784850000000000030000019780b3b8e40000019780b3c7d900000000000004ea0003' +
  '7ffffffe00000004300000000e6b65792d31343316a175cc5de58333069b6c9b002800a417020e6b65792d3532380c4f244c7bc347' +
  '004e00ba3a040e6b65792d3231333276616c75652dc3bfc280dfbfe0a080efbfbf2d343639313833003800ea3b060e6b65792d3738' +
  '381c76616c75652d612d33353536383400'
const bytesOf = (): Buffer => Buffer.from(sequenceWrap, 'hex')

function codeOf(run: () => unknown): RecordsErrorCode | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof RecordsError) return error.code
    throw error
  }
  return undefined
}

describe('readBatch', () => {
  test('reads each field of the header', () => {
    const batch = readBatch(Buffer.concat([Buffer.alloc(5), bytesOf()]), 5)
    expect(batch).toMatchObject({
      baseOffset: 0n,
      batchLength: 164,
      sizeInBytes: 176,
      partitionLeaderEpoch: -1,
    })
    expect(batch).toMatchObject({ magic: 2, crc: 1444381829, attributes: 0, codec: 'none', recordCount: 4 })
    expect(batch).toMatchObject({ timestampType: 'CreateTime', isTransactional: false, isControl: false })
    expect(batch).toMatchObject({ lastOffsetDelta: 3, lastOffset: 3n, deleteHorizonMs: null, isSound: true })
    expect(batch).toMatchObject({ baseTimestamp: 1750210951396n, maxTimestamp: 1750210955225n })
    expect(batch).toMatchObject({ producerId: 1258n, producerEpoch: 3, baseSequence: 2147483646 })
  })

  test('wraps the last sequence to zero after 2^31 - 1', () => {
    expect(readBatch(bytesOf()).lastSequence).toBe(1)
  })

  test('answers CORRUPT_MESSAGE for a batch that is cut anywhere', () => {
    const bytes = bytesOf()
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => readBatch(bytes.subarray(0, length)))).toBe('CORRUPT_MESSAGE')
    }
  })

  test('answers CORRUPT_MESSAGE for a length below the header and for an unknown magic', () => {
    for (const length of [-2147483648, -1, 0, 13, 48]) {
      const bytes = bytesOf()
      bytes.writeInt32BE(length, 8)
      expect(codeOf(() => readBatch(bytes))).toBe('CORRUPT_MESSAGE')
    }
    for (const magic of [-1, 3, 127]) {
      const bytes = bytesOf()
      bytes.writeInt8(magic, 16)
      expect(codeOf(() => readBatch(bytes))).toBe('CORRUPT_MESSAGE')
    }
  })

  test('answers UNSUPPORTED_FOR_MESSAGE_FORMAT for the formats before 2', () => {
    for (const magic of [0, 1]) {
      const bytes = bytesOf()
      bytes.writeInt8(magic, 16)
      expect(codeOf(() => readBatch(bytes))).toBe('UNSUPPORTED_FOR_MESSAGE_FORMAT')
    }
  })

  test('names an unknown codec when the codec is asked for', () => {
    const bytes = bytesOf()
    bytes.writeInt16BE(5, 21)
    expect(codeOf(() => readBatch(bytes).codec)).toBe('UNSUPPORTED_COMPRESSION_TYPE')
  })
})

describe('batchesIn', () => {
  test('finds batches one after another and leaves out a cut one', () => {
    const bytes = bytesOf()
    for (const cut of [0, 1, 11, 12, 16, 17, 60, 61, bytes.length - 1]) {
      const buffer = Buffer.concat([bytes, bytes, bytes.subarray(0, cut)])
      expect([...batchesIn(buffer)].map(batch => batch.position)).toEqual([0, bytes.length])
    }
  })

  test('finds nothing in nothing', () => {
    expect([...batchesIn(Buffer.alloc(0))]).toEqual([])
  })
})

describe('stamp', () => {
  test('sets base offset and leader epoch and leaves the checksum true', () => {
    const bytes = bytesOf()
    stamp(bytes, 0, 2 ** 53 - 1, 41)
    expect(readBatch(bytes)).toMatchObject({
      baseOffset: 2n ** 53n - 1n,
      partitionLeaderEpoch: 41,
      isSound: true,
    })
    expect(readBatch(bytes).crc).toBe(readBatch(bytesOf()).crc)
  })
})

describe('setMaxTimestamp', () => {
  test('sets the append time and reseals the batch', () => {
    const batch = readBatch(bytesOf())
    setMaxTimestamp(batch, 'LogAppendTime', 1755000000750n)
    expect(batch).toMatchObject({
      timestampType: 'LogAppendTime',
      maxTimestamp: 1755000000750n,
      isSound: true,
    })
    expect(batch.crc).not.toBe(readBatch(bytesOf()).crc)
    setMaxTimestamp(batch, 'CreateTime', 1750210955225n)
    expect(batch.bytes).toEqual(bytesOf())
  })
})
