import { expect, test } from 'vitest'
import { readRecord, transactionRecord } from '../../src/transactions/records.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'
import { MemoryStateTopic } from '../support/memory-state-topic.ts'
import { TransactionScene } from '../support/transaction-scene.ts'

/** What Apache Kafka 4.3.1 wrote of a transaction that was begun, committed and followed by InitProducerId, from its log. */
const key = '000000066361702d7632'
const values = [
  '0001000000000000006800000000ea600000000001a222b1e07dffffffffffffffff0100080000000000000068',
  '0001000000000000006800000000ea600102096361707475726564020000000000000001a222b1e085000001a222b1e0850100080000000000000068',
  '0001000000000000006800010000ea600202096361707475726564020000000000000001a222b1e08a000001a222b1e085020008000000000000006802020002',
  '0001000000000000006800010000ea600401000001a222b1e08b000001a222b1e085020008000000000000006802020002',
  '0001000000000000006800020000ea600000000001a222b1e090ffffffffffffffff020008000000000000006802020002',
]

test('writes byte for byte what Apache Kafka writes of the same transaction', async () => {
  const clock = new ManualClock(0x1a222b1e07d)
  const scene = await TransactionScene.open({ clock, topic: new MemoryStateTopic(1), nextId: 0x68n })
  const id = 'cap-v2'
  expect(await scene.init(id)).toBe('104/0')
  await clock.advance(8)
  expect(await scene.add('104/0', ['captured-0'], { id, version: 0 })).toBe('NONE')
  await clock.advance(5)
  scene.markers.hold()
  const ended = scene.end('104/0', 'COMMIT', { id })
  await settled()
  await clock.advance(1)
  scene.markers.release()
  expect(await ended).toBe('104/1')
  await clock.advance(5)
  expect(await scene.init(id)).toBe('104/2')
  const written = scene.topic.synced[0]!.map(entry => ('end' in entry ? entry : entry.value!.toString('hex')))
  expect(written).toEqual(values)
  for (const entry of scene.topic.synced[0]!) expect('key' in entry && entry.key.toString('hex')).toBe(key)
})

test('reads what is written, and what was taken away', () => {
  for (const value of values) {
    const read = readRecord(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'))!
    expect(transactionRecord(read.transactionalId, read.facts).value!.toString('hex')).toBe(value)
  }
  const tombstone = transactionRecord('t', null)
  expect(readRecord(tombstone.key, tombstone.value)).toEqual({ transactionalId: 't', facts: null })
})

test('passes over keys and values of versions that do not exist yet', () => {
  const { key, value } = transactionRecord('t', null)
  expect(readRecord(Buffer.from([0, 1, 0, 1, 116]), value)).toBeUndefined()
  expect(readRecord(key, Buffer.from([0, 99, 1, 2, 3]))).toBeUndefined()
})
