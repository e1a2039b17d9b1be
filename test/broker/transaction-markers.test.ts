import { expect, test } from 'vitest'
import type { Catalog } from '../../src/broker/catalog.ts'
import { offsetsTopicName } from '../../src/broker/internal-topics.ts'
import { TransactionMarkers } from '../../src/broker/transaction-markers.ts'
import type { TransactionEnd } from '../../src/storage/partition-log.ts'
import { onTestFinished, openTestStore } from '../storage/support.ts'

const end: TransactionEnd = {
  producerId: 1n,
  producerEpoch: 0,
  coordinatorEpoch: 0,
  type: 'COMMIT',
  timestamp: 1000n,
  transactionVersion: 1,
}

test('gives markers their place at once, and has the group coordinator write those in the offsets topic', async () => {
  const store = await openTestStore()
  onTestFinished(() => store.close())
  const [offsets, other] = [store.create(1, { createdAt: 1 }), store.create(2, { createdAt: 1 })]
  const topics = new Map([
    [offsetsTopicName, { partitions: [offsets] }],
    ['other', { partitions: [other] }],
  ])
  const told: unknown[] = []
  const markers = new TransactionMarkers(
    { topic: (name: string) => topics.get(name) } as unknown as Catalog,
    {
      async endTransaction(partition, marker) {
        told.push([partition, marker])
        await offsets.endTransaction(marker).committed
      },
    },
  )
  const written = [markers.write(offsetsTopicName, 0, end), markers.write('other', 0, end)]
  expect([told, offsets.logEndOffset, other.logEndOffset]).toEqual([[[0, end]], 1n, 1n])
  await Promise.all(written)
  expect([offsets.highWatermark, other.highWatermark]).toEqual([1n, 1n])
  await expect(markers.write(offsetsTopicName, 7, end)).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION')
  await expect(markers.write('other', 0, { ...end, producerEpoch: -1 })).rejects.toThrow('smaller')
  expect(told.length).toBe(1)
})
