import { expect, onTestFinished, test } from 'vitest'
import type { Catalog, Topic } from '../../src/broker/catalog.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { checkBatch } from '../../src/protocol/records/check.ts'
import { readRecords } from '../../src/protocol/records/record.ts'
import type { Store } from '../../src/storage/store.ts'
import { openCatalog } from '../cli/history.ts'
import { turns } from '../storage/support.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { batchOf, type Numbered } from './support.ts'

interface Scene {
  readonly topic: Topic
  stop(): Promise<void>
}

async function begin(disk: FaultyDisk): Promise<Scene> {
  const { store, catalog }: { store: Store; catalog: Catalog } = await openCatalog({ disk })
  const configs = new Map([['odradek.partitioning', 'vlsn']])
  const topic = await catalog.ensure({ name: 't', partitionCount: 2, configs })
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      expect(await catalog.audit()).toEqual([])
      await catalog.close()
      await store.close()
    })())
  onTestFinished(stop)
  return { topic, stop }
}

const producerId = 7n
const sequences = new Map<number, number>()

/** Appends records of the producer's transaction to a partition. */
async function append(
  { topic }: Scene,
  partition: number,
  records: readonly (Numbered | number)[],
  isTransactional = true,
): Promise<void> {
  const baseSequence = sequences.get(partition) ?? 0
  const draft = isTransactional ? { producerId, producerEpoch: 0, baseSequence, isTransactional } : {}
  const { batch, body } = checkBatch(batchOf(records, draft), { inside: true })
  const { committed } = topic.vlsn!.append(partition, { batch, body: body! }, {})
  if (isTransactional) sequences.set(partition, baseSequence + records.length)
  await committed
}

async function end({ topic }: Scene, partition: number, type: 'COMMIT' | 'ABORT'): Promise<void> {
  const log = topic.partitions[partition]!
  const timestamp = BigInt(Date.now())
  const epochs = { producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 1 }
  await log.endTransaction({ type, producerId, ...epochs, timestamp }).committed
}

/** The VLSNs that the view shows, and where it ends. */
async function read({ topic }: Scene): Promise<{ vlsns: number[]; end: number }> {
  await turns(2)
  const { view } = topic.vlsn!
  const limit = view.highWatermark
  const vlsns: number[] = []
  for (let offset = view.logStartOffset; offset < limit;) {
    const slice = await view.read(offset, { lengthMax: 1_000_000, limit, atLeastOne: true })
    if (slice.length === 0) break
    for (const batch of slice.pieces.flatMap(piece => [...batchesIn(piece)])) {
      expect(batch).toMatchObject({ isTransactional: false, isControl: false, producerId: -1n })
      for (const record of readRecords(batch)) if (record.offset >= offset) vlsns.push(Number(record.offset))
    }
    offset = slice.nextOffset
  }
  return { vlsns, end: Number(limit) }
}

test('an open transaction ends the view, a committed one is shown and an aborted one is a hole', async () => {
  sequences.clear()
  const disk = new FaultyDisk()
  const first = await begin(disk)
  await append(first, 0, [0, 2, 4])
  await append(first, 1, [1, 3], false)
  expect(await read(first)).toEqual({ vlsns: [], end: 0 })
  await end(first, 0, 'COMMIT')
  expect(await read(first)).toEqual({ vlsns: [0, 1, 2, 3, 4], end: 5 })
  await append(first, 0, [6, 8])
  await append(first, 1, [5, 7])
  await end(first, 1, 'COMMIT')
  expect(await read(first)).toEqual({ vlsns: [0, 1, 2, 3, 4, 5], end: 6 })
  await end(first, 0, 'ABORT')
  const expected = { vlsns: [0, 1, 2, 3, 4, 5, 7], end: 9 }
  expect(await read(first)).toEqual(expected)
  await first.stop()

  const second = await begin(disk)
  expect(await read(second)).toEqual(expected)
  // It is taken, though nobody sees it.
  await expect(append(second, 0, [8], false)).rejects.toThrow('stored already, with another value')
  await append(second, 0, [10], false)
  await append(second, 1, [9], false)
  expect(await read(second)).toEqual({ vlsns: [...expected.vlsns, 9, 10], end: 11 })
})
