import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../src/protocol/records/batch.ts'
import { batchesIn, codecs, readBatch } from '../../../src/protocol/records/batch.ts'
import { decompress } from '../../../src/protocol/records/compression.ts'
import { buildMarker, readControl, readControlBatch } from '../../../src/protocol/records/control.ts'
import type { LegacyMessage } from '../../../src/protocol/records/legacy.ts'
import { legacyMessagesIn, readLegacyRecords } from '../../../src/protocol/records/legacy.ts'
import type { Record } from '../../../src/protocol/records/record.ts'
import { buildBatch, readRecords } from '../../../src/protocol/records/record.ts'

/** A line of the file; see test/golden/README.md. */
interface Row {
  readonly id: string
  readonly legacy: boolean
  readonly trailingBytes: number
  readonly batches: readonly { readonly valid: boolean; readonly compression: string }[]
  readonly hex: string
}

const folder = process.env['GOLDEN_DIR'] ?? join(import.meta.dirname, '../../golden')
const rows: Row[] = gunzipSync(readFileSync(join(folder, 'batches.jsonl.gz')))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line))
const current = rows.filter(row => !row.legacy)
const uncompressed = current.filter(row => row.batches.every(batch => batch.compression === 'none'))
const legacy = rows.filter(row => row.legacy)

const hexOf = (bytes: Buffer | null): string | null => bytes && bytes.toString('hex')

function describeRecord(record: Record, batch: Batch): object {
  const { baseSequence } = batch
  const delta = Number(record.offset - batch.baseOffset)
  return {
    offset: String(record.offset),
    timestamp: String(record.timestamp),
    sequence: baseSequence === -1 ? -1 : (baseSequence + delta) % 2 ** 31,
    keyHex: hexOf(record.key),
    valueHex: hexOf(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, valueHex: hexOf(value) })),
    ...(batch.isControl ? { control: readControl(record) } : {}),
  }
}

/** A batch as the file writes it. */
function describeBatch(batch: Batch): object {
  const { position, sizeInBytes, magic, batchLength, partitionLeaderEpoch, crc, attributes } = batch
  return {
    position,
    sizeInBytes,
    magic,
    compression: batch.codec,
    valid: batch.isSound,
    baseOffset: String(batch.baseOffset),
    batchLength,
    partitionLeaderEpoch,
    crc,
    attributes,
    lastOffsetDelta: batch.lastOffsetDelta,
    baseTimestamp: String(batch.baseTimestamp),
    maxTimestamp: String(batch.maxTimestamp),
    producerId: String(batch.producerId),
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    recordCount: batch.recordCount,
    lastOffset: String(batch.lastOffset),
    timestampType: batch.timestampType,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    deleteHorizonMs: batch.deleteHorizonMs === null ? null : String(batch.deleteHorizonMs),
    ...(batch.isSound
      ? { records: [...readRecords(batch)].map(record => describeRecord(record, batch)) }
      : {}),
  }
}

function describeLegacy(message: LegacyMessage): object {
  const { position, sizeInBytes, magic, messageSize, crc, attributes, timestampType } = message
  return {
    position,
    sizeInBytes,
    magic,
    compression: message.codec,
    valid: message.isSound,
    offset: String(message.offset),
    messageSize,
    crc,
    attributes,
    ...(magic === 1 ? { timestamp: String(message.timestamp) } : {}),
    timestampType,
    records: readLegacyRecords(message).map(record => ({
      offset: String(record.offset),
      timestamp: String(record.timestamp),
      keyHex: hexOf(record.key),
      valueHex: hexOf(record.value),
    })),
  }
}

/** Builds a batch anew from its header and records. */
function rebuild(batch: Batch): Buffer {
  return buildBatch({
    records: [...readRecords(batch, { asCreated: true })],
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    leaderEpoch: batch.partitionLeaderEpoch,
    codec: batch.codec,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    deleteHorizonMs: batch.deleteHorizonMs,
  })
}

describe("batches of Apache Kafka's client", () => {
  test('are there', () => {
    expect(current.length).toBeGreaterThan(0)
  })

  test.each(current)('decodes $id', row => {
    const bytes = Buffer.from(row.hex, 'hex')
    const batches = [...batchesIn(bytes)]
    expect(batches.map(describeBatch)).toEqual(row.batches)
    const length = batches.reduce((sum, batch) => sum + batch.sizeInBytes, 0)
    expect(bytes.length - length).toBe(row.trailingBytes)
  })

  test.each(current)('encodes $id', row => {
    for (const batch of batchesIn(Buffer.from(row.hex, 'hex'))) {
      if (!batch.isSound) continue
      const rebuilt = readBatch(rebuild(batch))
      expect(rebuilt.isSound).toBe(true)
      expect(rebuilt.codec).toBe(batch.codec)
      if (batch.codec === 'none') expect(hexOf(rebuilt.view)).toBe(hexOf(batch.view))
      else
        expect(hexOf(decompress(rebuilt.codec, rebuilt.body, 2 ** 24))).toBe(
          hexOf(decompress(batch.codec, batch.body, 2 ** 24)),
        )
    }
  })

  test.each(uncompressed)('carries the records of $id in every codec', row => {
    for (const batch of batchesIn(Buffer.from(row.hex, 'hex'))) {
      if (!batch.isSound || batch.recordCount === 0) continue
      const { baseOffset } = batch
      const records = [...readRecords(batch)]
      for (const codec of codecs) {
        const other = readBatch(buildBatch({ records, baseOffset, codec }))
        expect(other).toMatchObject({ codec, isSound: true, recordCount: records.length })
        expect(hexOf(decompress(codec, other.body, 2 ** 24))).toBe(
          hexOf(readBatch(buildBatch({ records, baseOffset })).body),
        )
      }
    }
  })

  test.each(current.filter(row => /control-(commit|abort)/.test(row.id)))('builds the marker $id', row => {
    const batch = readBatch(Buffer.from(row.hex, 'hex'))
    const control = readControlBatch(batch)!
    const marker = buildMarker({
      type: control.type as 'COMMIT' | 'ABORT',
      producerId: batch.producerId,
      producerEpoch: batch.producerEpoch,
      coordinatorEpoch: control.coordinatorEpoch!,
      timestamp: batch.maxTimestamp,
      baseOffset: batch.baseOffset,
      leaderEpoch: batch.partitionLeaderEpoch,
    })
    expect(marker.toString('hex')).toBe(row.hex)
  })
})

describe('message sets from before format 2', () => {
  test.each(legacy)('decodes $id', row => {
    const bytes = Buffer.from(row.hex, 'hex')
    expect([...legacyMessagesIn(bytes)].map(describeLegacy)).toEqual(row.batches)
  })
})
