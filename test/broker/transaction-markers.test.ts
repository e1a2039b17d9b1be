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

test('tells of markers in the offsets topic while they have their place and nothing is behind them', async () => {
  const store = await openTestStore()
  onTestFinished(() => store.close())
  const [offsets, other] = [store.create(1, { createdAt: 1 }), store.create(2, { createdAt: 1 })]
  const topics = new Map([
    [offsetsTopicName, { partitions: [offsets] }],
    ['other', { partitions: [other] }],
  ])
  const markers = new TransactionMarkers({ topic: (name: string) => topics.get(name) } as unknown as Catalog)
  const told: unknown[] = []
  markers.onOffsetsMarker((partition, marker, committed) => {
    told.push([partition, marker, offsets.logEndOffset, offsets.highWatermark])
    void committed.then(() => told.push(offsets.highWatermark))
  })
  const written = markers.write(offsetsTopicName, 0, end)
  expect(told).toEqual([[0, end, 1n, 0n]])
  await Promise.all([written, markers.write('other', 0, end)])
  expect(told).toEqual([[0, end, 1n, 0n], 1n])
  await expect(markers.write(offsetsTopicName, 7, end)).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION')
  await expect(markers.write(offsetsTopicName, 0, { ...end, producerEpoch: -1 })).rejects.toThrow('smaller')
  expect(told.length).toBe(2)
})
