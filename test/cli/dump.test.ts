import { describe, expect, test } from 'vitest'
import { dumpDirectory, type DumpOptions } from '../../src/cli/dump.ts'
import { jsonWriter, tableWriter } from '../../src/cli/dump-lines.ts'
import type { Output } from '../../src/cli/output.ts'
import { preview } from '../../src/cli/preview.ts'
import { offsetCommit } from '../../src/groups/records.ts'
import { atRest } from '../../src/storage/inspection/at-rest.ts'
import { rowLength } from '../../src/storage/row.ts'
import { TopicPartitions } from '../../src/transactions/partitions.ts'
import { transactionRecord } from '../../src/transactions/records.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { batchOf } from '../storage/support.ts'
import { History, openCatalog, SteppedClock } from './history.ts'

class Lines implements Output {
  readonly all: string[] = []
  line(text: string): void {
    this.all.push(text)
  }
}

/** The lines as JSON says them. */
async function dump(disk: FaultyDisk, options: DumpOptions = {}): Promise<Record<string, unknown>[]> {
  const lines = new Lines()
  await atRest(disk, 'data', readOnly => dumpDirectory(readOnly, options, jsonWriter(lines)))
  return lines.all.map(line => JSON.parse(line) as Record<string, unknown>)
}

const ofType = (lines: Record<string, unknown>[], type: string): Record<string, unknown>[] =>
  lines.filter(line => line['type'] === type)

/** Two partitions of `orders` with a batch each, an offset committed, and `old`, which is deleted. */
async function knownStore(): Promise<FaultyDisk> {
  const disk = new FaultyDisk()
  const clock = new SteppedClock()
  const { store, catalog } = await openCatalog({ disk, clock, segmentBytes: 1 << 20, strideRecords: 1 })
  const configs = new Map<string, string>()
  const { partitions } = await catalog.create({ name: 'orders', partitionCount: 2, configs })
  const records = [
    {
      key: Buffer.from('k1'),
      value: Buffer.from('hello'),
      timestamp: 1000n,
      headers: [{ key: 'h', value: Buffer.from('x') }],
    },
    { key: null, value: Buffer.from([0, 255, 3]), timestamp: 2000n },
  ]
  await partitions[1]!.append(
    batchOf([], { records, codec: 'gzip', producerId: 7n, producerEpoch: 2, baseSequence: 5 }),
  ).committed
  const name = '__consumer_offsets'
  const offsets = await catalog.create({ name, partitionCount: 1, configs })
  const commit = offsetCommit(
    { group: 'g', topic: 'orders', partition: 1 },
    { offset: 2n, metadata: '', commitTimestamp: 1n },
  )
  await offsets.partitions[0]!.append(batchOf([], { records: [commit] })).committed
  const old = await catalog.create({ name: 'old', partitionCount: 1, configs })
  await old.partitions[0]!.append(batchOf(['gone'])).committed
  await catalog.deleteAll([old.id])
  await store.close()
  return disk
}

describe('a known store', () => {
  test('shows its blocks, anchors and checkpoint without being asked for more', async () => {
    const lines = await dump(await knownStore())
    expect(lines[0]).toEqual({ type: 'directory', startCount: 1, nextProducerId: 0, shards: 1 })
    expect([...new Set(lines.map(line => line['type']))]).toEqual([
      'directory',
      'anchor',
      'checkpoint',
      'bookmark',
      'segment',
      'block',
    ])
    const blocks = ofType(lines, 'block')
    expect(
      blocks.map(({ number, firstLsn, lastLsn, entryCount, epoch }) => [
        number,
        firstLsn,
        lastLsn,
        entryCount,
        epoch,
      ]),
    ).toEqual(Array.from({ length: 8 }, (_, index) => [index + 1, index + 1, index + 1, 1, 1]))
    expect(blocks[1]!['previousCrc']).toBe(blocks[0]!['crc'])
    expect(ofType(lines, 'checkpoint')).toMatchObject([
      { shard: 0, blockNumber: 8, lsn: 8, headerCrc: blocks[7]!['crc'] },
    ])
    expect(ofType(lines, 'anchor').map(({ blockNumber }) => blockNumber)).toContain(8)
    expect(ofType(lines, 'bookmark')).toMatchObject([
      { topic: '__cluster_metadata', partition: 0, nextOffset: 8 },
      {
        topic: 'orders',
        partition: 1,
        partitionId: 2,
        logStart: 0,
        nextOffset: 2,
        producers: [{ producerId: 7, epoch: 2, batches: [{ firstSequence: 5, lastOffset: 1 }] }],
      },
      { topic: '__consumer_offsets', partition: 0, nextOffset: 1 },
    ])
  })

  test('shows batches and records by topic names, those of a deleted topic too', async () => {
    const lines = await dump(await knownStore(), { records: true })
    const batches = ofType(lines, 'batch').filter(({ topic }) => topic !== '__cluster_metadata')
    expect(batches).toMatchObject([
      {
        topic: 'orders',
        partition: 1,
        partitionId: 2,
        lsn: 3,
        baseOffset: 0,
        lastOffset: 1,
        recordCount: 2,
        leaderEpoch: 0,
        maxTimestamp: 2000,
        producerId: 7,
        producerEpoch: 2,
        baseSequence: 5,
        codec: 'gzip',
        isSound: true,
      },
      { topic: '__consumer_offsets', partition: 0, lsn: 5 },
      { topic: 'old', partition: 0, lsn: 7 },
    ])
    const records = ofType(lines, 'record')
    expect(records.filter(({ topic }) => topic === 'orders')).toEqual([
      {
        type: 'record',
        topic: 'orders',
        partition: 1,
        partitionId: 2,
        offset: 0,
        timestamp: 1000,
        keyLength: 2,
        key: 'k1',
        valueLength: 5,
        value: 'hello',
        headers: [['h', 'x']],
      },
      {
        type: 'record',
        topic: 'orders',
        partition: 1,
        partitionId: 2,
        offset: 1,
        timestamp: 2000,
        keyLength: null,
        key: null,
        valueLength: 3,
        value: '0x00ff03',
        headers: [],
      },
    ])
    const says = records.map(record => record['says'])
    expect(says).toContainEqual(expect.objectContaining({ type: 'cluster' }))
    expect(says).toContainEqual(
      expect.objectContaining({ type: 'offsetCommit', key: { group: 'g', topic: 'orders', partition: 1 } }),
    )
    expect(says).toContainEqual(expect.objectContaining({ type: 'topic', value: null }))
  })

  test('shows one partition alone where one is named', async () => {
    const disk = await knownStore()
    const lines = await dump(disk, { partition: 'orders-1' })
    expect(ofType(lines, 'batch').map(({ lsn }) => lsn)).toEqual([3])
    expect(ofType(lines, 'block').map(({ firstLsn }) => firstLsn)).toEqual([3])
    expect(ofType(lines, 'bookmark').map(({ topic }) => topic)).toEqual(['orders'])
    await expect(dump(disk, { partition: 'orders-2' })).rejects.toThrow('there is no partition orders-2 here')
  })

  test('shows tables to people, with a title above each', async () => {
    const lines = new Lines()
    await dumpDirectory(
      await knownStore(),
      { batches: true, records: true, partition: 'orders-1' },
      tableWriter(lines),
    )
    expect(lines.all.map(line => line.trim().split(/\s+/)[0])).toEqual([
      'startCount',
      '1',
      'file',
      'shard-0/00000000000000000001.log',
      'topic',
      'orders',
      'offset',
      '0',
      '1',
    ])
    expect(lines.all[5]).toContain('1970-01-01T00:00:02.000Z')
  })
})

test('records of transactions are said, and what ends them is none', async () => {
  const disk = new FaultyDisk()
  const { store, catalog } = await openCatalog({ disk })
  const [states, offsets] = await Promise.all(
    ['__transaction_state', '__consumer_offsets'].map(async name => {
      const { partitions } = await catalog.create({ name, partitionCount: 1, configs: new Map() })
      return partitions[0]!
    }),
  )
  const record = transactionRecord('t', {
    producerId: 5n,
    previousProducerId: -1n,
    nextProducerId: -1n,
    producerEpoch: 1,
    timeoutMs: 1000,
    state: 'Ongoing',
    partitions: TopicPartitions.of([['orders', [1]]]),
    startMs: 1,
    lastUpdateMs: 2,
    clientVersion: 2,
  })
  await states!.append(batchOf([], { records: [record, transactionRecord('gone', null)] })).committed
  const end = { producerId: 5n, producerEpoch: 1, coordinatorEpoch: 0, timestamp: 1n, transactionVersion: 2 }
  await offsets!.endTransaction({ type: 'COMMIT', ...end }).committed
  await store.close()

  const lines = await dump(disk, { records: true })
  expect(ofType(lines, 'broken')).toEqual([])
  const said = (name: string): unknown[] =>
    ofType(lines, 'record').flatMap(({ topic, says }) => (topic === name ? [says] : []))
  const facts = { producerId: 5, producerEpoch: 1, state: 'Ongoing', partitions: { orders: [1] } }
  expect(said('__transaction_state')).toMatchObject([
    { transactionalId: 't', facts },
    { transactionalId: 'gone', facts: null },
  ])
  expect(said('__consumer_offsets')).toEqual([undefined])
})

test('indexes and footers are those of the closed segments', async () => {
  const history = new History(11, { segmentBytes: 1500 })
  await history.run(30)
  await history.store.close()
  const lines = await dump(history.disk, { indexes: true })
  const segments = ofType(lines, 'segment')
  const closed = segments.filter(({ isClosed }) => isClosed)
  expect(closed.length).toBeGreaterThan(0)
  expect(ofType(lines, 'footer').map(({ firstBlock }) => firstBlock)).toEqual(
    closed.map(({ firstBlock }) => firstBlock),
  )
  const rowCount = ofType(lines, 'footerPartition').reduce((sum, line) => sum + Number(line['rowCount']), 0)
  expect(rowCount).toBe(ofType(lines, 'footer').reduce((sum, line) => sum + Number(line['rowCount']), 0))
  const indexBytes = segments.reduce((sum, line) => sum + Number(line['indexBytes']), 0)
  expect(ofType(lines, 'indexEntry')).toHaveLength(indexBytes / 32 - segments.length)
})

test('damage is shown where it is met, and what comes after all the same', async () => {
  const disk = await knownStore()
  const [name] = disk.names('.log')
  const sound = ofType(await dump(disk, { batches: true }), 'batch')
  const orders = sound.find(({ topic }) => topic === 'orders')!
  disk.get(name!)[Number(orders['position']) + 70]! ^= 1
  const batches = ofType(await dump(disk, { records: true }), 'batch')
  expect(batches.map(({ isSound }) => isSound)).toEqual(sound.map(({ lsn }) => lsn !== orders['lsn']))
  disk.get(name!)[disk.get(name!).lastIndexOf('ODRB') + 20]! ^= 1
  expect(await dump(disk)).toContainEqual({
    type: 'broken',
    file: name,
    position: expect.any(Number),
    reason: 'a header or directory with a wrong checksum',
  })
})

test('a footer that cannot be read is shown as broken, and what comes after all the same', async () => {
  const history = new History(11, { segmentBytes: 1500 })
  await history.run(30)
  await history.store.close()
  const { disk } = history
  const sound = await dump(disk, { indexes: true })
  const footers = ofType(sound, 'footer')
  const { file } = ofType(sound, 'segment').find(({ isClosed }) => isClosed)!
  const { rowsPosition, rowCount } = footers[0]!
  const position = Number(rowsPosition) + rowLength * Number(rowCount)
  disk.beforeReadSync = (name, at) => {
    if (name === file && at === position) throw systemError('EIO')
  }
  const lines = await dump(disk, { indexes: true })
  expect(ofType(lines, 'broken')).toEqual([{ type: 'broken', file, position, reason: 'not sound' }])
  expect(ofType(lines, 'footer')).toEqual(footers)
})

test('previews are text where bytes are text, hexadecimal elsewhere, and never long', () => {
  expect(preview(null)).toBeNull()
  expect(preview(Buffer.alloc(0))).toBe('')
  expect(preview(Buffer.from('Grüße, 世界 🎉'))).toBe('Grüße, 世界 🎉')
  expect(preview(Buffer.from('two\nlines'))).toBe('0x74776f0a6c696e6573')
  expect(preview(Buffer.from('a'.repeat(81)))).toBe(`${'a'.repeat(80)}…`)
  expect(preview(Buffer.from(`${'a'.repeat(79)}ü`))).toBe(`${'a'.repeat(79)}…`)
  expect(preview(Buffer.alloc(200, 1))).toBe(`0x${'01'.repeat(80)}…`)
})
