import { expect, test } from 'vitest'
import type { Catalog } from '../../src/broker/catalog.ts'
import { CoordinatorTopic } from '../../src/broker/coordinator-topic.ts'
import { offsetsTopicName } from '../../src/broker/internal-topics.ts'
import { TransactionMarkers } from '../../src/broker/transaction-markers.ts'
import type { TransactionEnd } from '../../src/storage/partition-log.ts'
import { onTestFinished, openTestStore } from '../storage/support.ts'
import { commitFor } from '../groups/commits/support.ts'
import { GroupScene } from '../support/group-scene.ts'
import { ManualClock } from '../support/manual-clock.ts'
import type { MemoryStateTopic } from '../support/memory-state-topic.ts'

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
      settled: async () => {},
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

/** A group coordinator whose topic is made at the first need, once `make` is called. */
async function sceneToBeMade() {
  const store = await openTestStore()
  onTestFinished(() => store.close())
  const log = store.create(1, { createdAt: 1 })
  const topics = new Map<string, { partitions: (typeof log)[] }>()
  let make!: () => void
  const making = new Promise<void>(resolve => (make = resolve))
  const catalog = {
    topic: (name: string) => topics.get(name),
    readable: () => undefined,
    listen: () => {},
    async ensure({ name }: { name: string }) {
      await making
      topics.set(name, { partitions: [log] })
      return topics.get(name)
    },
  } as unknown as Catalog
  const clock = new ManualClock()
  const topic = new CoordinatorTopic(catalog, clock, {
    name: offsetsTopicName,
    partitionCount: 1,
    configs: new Map(),
  })
  const scene = await GroupScene.open({}, { clock, topic: topic as unknown as MemoryStateTopic })
  const markers = new TransactionMarkers(catalog, scene.coordinator)
  return { scene, markers, log, make }
}

test('ends behind them the offsets that wait for their topic to be made', async () => {
  const { scene, markers, log, make } = await sceneToBeMade()
  await expect(markers.write(offsetsTopicName, 0, end)).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION')
  const committed = commitFor(scene, end.producerId, { 'orders-0': 4 })
  const ended = markers.write(offsetsTopicName, 0, end)
  make()
  await Promise.all([committed, ended])
  expect([log.lastStableOffset, log.highWatermark]).toEqual([2n, 2n])
  expect(await scene.committed()).toEqual({ 'orders-0': 4 })
  expect(await scene.coordinator.audit()).toEqual([])
  await scene.coordinator.close()
})

test('ends that contradict each other while their topic is made cost the coordinator nothing', async () => {
  const { scene, markers, make } = await sceneToBeMade()
  const committed = commitFor(scene, end.producerId, { 'orders-0': 4 })
  const ended = markers.write(offsetsTopicName, 0, { ...end, producerEpoch: 1 })
  const late = markers.write(offsetsTopicName, 0, end)
  make()
  await expect(late).rejects.toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  await Promise.all([committed, ended])
  expect(await scene.committed()).toEqual({ 'orders-0': 4 })
  expect(await scene.coordinator.audit()).toEqual([])
  await scene.coordinator.close()
})
