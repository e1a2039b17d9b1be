import { expect, test } from 'vitest'
import { readBatch } from '../../../src/protocol/records/batch.ts'
import { buildMarker, readControl, readControlBatch } from '../../../src/protocol/records/control.ts'
import { RecordsError } from '../../../src/protocol/records/errors.ts'
import { buildBatch } from '../../../src/protocol/records/record.ts'

const marker = { producerId: 8n, producerEpoch: 3, coordinatorEpoch: 41, timestamp: 1_000n }

const bytesOf = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'))

test.each(['COMMIT', 'ABORT'] as const)('a %s marker is read as it was built', type => {
  const batch = readBatch(buildMarker({ type, ...marker, baseOffset: 12n, leaderEpoch: 5 }))
  expect(batch).toMatchObject({ isControl: true, isTransactional: true, isSound: true, recordCount: 1 })
  expect(batch).toMatchObject({ producerId: 8n, producerEpoch: 3, baseSequence: -1, baseOffset: 12n })
  expect(batch).toMatchObject({ partitionLeaderEpoch: 5, maxTimestamp: 1_000n })
  expect(readControlBatch(batch)).toEqual({ type, typeId: type === 'COMMIT' ? 1 : 0, coordinatorEpoch: 41 })
})

test('a control batch that compaction emptied says nothing', () => {
  expect(readControlBatch(readBatch(buildBatch({ records: [], isControl: true })))).toBeNull()
})

test('a type from a later Kafka is unknown, not an error', () => {
  expect(readControl({ key: Buffer.from('0000002a', 'hex'), value: null })).toEqual({
    type: 'UNKNOWN',
    typeId: 42,
  })
})

test.each([
  ['no key', null, '0000000c8513'],
  ['a cut key', '000000', '0000000c8513'],
  ['a negative key version', 'ffff0001', '0000000c8513'],
  ['no value', '00000001', null],
  ['a cut value', '00000001', '0000000c85'],
  ['a negative value version', '00000001', 'ffff000c8513'],
])('a marker with %s is INVALID_RECORD', (_, key, value) => {
  expect(() => readControl({ key: bytesOf(key), value: bytesOf(value) })).toThrow(RecordsError)
})
