import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { readControlBatch } from '../../src/protocol/records/control.ts'
import { audit } from '../../src/storage/audit.ts'
import type { AppendOptions, PartitionLog, TransactionEnd } from '../../src/storage/partition-log.ts'
import type { Store } from '../../src/storage/store.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import {
  batchOf,
  heldDisk,
  onTestFinished,
  openTestStore,
  readAll,
  turns,
  type TestStoreOptions,
} from './support.ts'

/** A producer as its client and coordinator see it. */
class Producer {
  readonly log: PartitionLog
  readonly id: bigint
  epoch = 0
  sequence = 0

  constructor(log: PartitionLog, id: bigint) {
    this.log = log
    this.id = id
  }

  write(
    count = 1,
    { isTransactional = true, ...options }: AppendOptions & { isTransactional?: boolean } = {},
  ) {
    const draft = {
      producerId: this.id,
      producerEpoch: this.epoch,
      baseSequence: this.sequence,
      isTransactional,
    }
    const values = Array.from({ length: count }, (_, index) => `${this.id}/${this.sequence + index}`)
    const appended = this.log.append(batchOf(values, draft), options)
    this.sequence += count
    return appended
  }

  /** Ends as transaction version 1 does, or with the marker's epoch where that is given. */
  end(type: 'COMMIT' | 'ABORT', end: Partial<TransactionEnd> = {}) {
    const marker = { producerId: this.id, producerEpoch: this.epoch, coordinatorEpoch: 0, timestamp: 9000n }
    return this.log.endTransaction({ ...marker, type, transactionVersion: 1, ...end })
  }

  /** Ends as transaction version 2 does: the epoch rises. */
  endAndBump(type: 'COMMIT' | 'ABORT') {
    this.epoch++
    this.sequence = 0
    return this.end(type, { producerEpoch: this.epoch, transactionVersion: 2 })
  }
}

async function storeWithLog(options: TestStoreOptions = {}): Promise<{ store: Store; log: PartitionLog }> {
  const store = await openTestStore(options)
  onTestFinished(async () => {
    if (store.faults.length === 0) expect(await audit(store)).toEqual([])
    await store.close()
  })
  return { store, log: store.create(7, { createdAt: 1 }) }
}

function refusal(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof KafkaError) return error.error
    throw error
  }
  return undefined
}

describe('the last stable offset', () => {
  test('is the first offset of the earliest open transaction', async () => {
    const { log } = await storeWithLog()
    const [first, second] = [new Producer(log, 1n), new Producer(log, 2n)]
    await log.append(batchOf(['plain'])).committed
    expect(log.lastStableOffset).toBe(1n)
    first.write(2)
    second.write(2)
    await log.append(batchOf(['plain'])).committed
    expect([log.lastStableOffset, log.highWatermark]).toEqual([1n, 6n])
    await first.end('COMMIT').committed
    expect([log.lastStableOffset, log.highWatermark]).toEqual([3n, 7n])
    await second.end('ABORT').committed
    expect([log.lastStableOffset, log.highWatermark]).toEqual([8n, 8n])
  })

  test('waits for the marker to be on disk', async () => {
    const { disk, letGo } = heldDisk()
    const { log } = await storeWithLog({ disk })
    const producer = new Producer(log, 1n)
    const data = producer.write()
    await turns()
    const marker = producer.end('COMMIT')
    expect(log.ongoingTransaction(1n)).toBeUndefined()
    letGo()
    await data.committed
    expect([log.highWatermark, log.lastStableOffset]).toEqual([1n, 0n])
    await turns()
    letGo()
    await marker.committed
    expect([log.highWatermark, log.lastStableOffset]).toEqual([2n, 2n])
  })

  test('tells those who wait for the log when it moves', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    await producer.write().committed
    const seen: bigint[] = []
    log.onAdvance(() => void seen.push(log.lastStableOffset))
    await producer.end('COMMIT').committed
    expect(seen).toEqual([2n])
  })

  test('moves with the log start, and past a transaction of which nothing is left', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    await producer.write(3).committed
    await producer.write(3).committed
    await log.append(batchOf(['plain'])).committed
    log.deleteBefore(2n)
    expect(log.lastStableOffset).toBe(2n)
    log.deleteBefore(6n)
    expect(log.lastStableOffset).toBe(7n)
    expect(log.ongoingTransaction(1n)).toBeUndefined()
    await producer.end('ABORT').committed
    expect(log.abortedTransactions(0n, 8n)).toEqual([])
  })

  test('moves past as many transactions as may be open when the log start does', async () => {
    const { log } = await storeWithLog()
    const count = 60_000
    const written = Array.from({ length: count }, (_, id) => new Producer(log, BigInt(id)).write())
    await written.at(-1)!.committed
    log.deleteBefore(BigInt(count))
    expect(log.lastStableOffset).toBe(BigInt(count))
  })
})

describe('a marker', () => {
  test('is a control batch with its type and the coordinator epoch, and takes an offset', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.write()
    const { baseOffset, lastOffset, committed } = producer.end('ABORT', { coordinatorEpoch: 3 })
    await committed
    expect([baseOffset, lastOffset]).toEqual([1n, 1n])
    const marker = [...batchesIn(await readAll(log))][1]!
    expect(marker).toMatchObject({ isControl: true, isTransactional: true, baseOffset: 1n, producerEpoch: 0 })
    expect(readControlBatch(marker)).toMatchObject({ type: 'ABORT', coordinatorEpoch: 3 })
    expect([...log.producers()]).toMatchObject([
      { producerId: 1n, producerEpoch: 0, lastSequence: 0, coordinatorEpoch: 3, currentTxnStartOffset: -1n },
    ])
  })

  test('of a producer that has nothing open is appended and ends nothing', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    await producer.end('ABORT').committed
    producer.write()
    producer.end('ABORT')
    await producer.end('ABORT').committed
    expect(log.lastStableOffset).toBe(4n)
    expect(log.abortedTransactions(0n, 4n)).toEqual([{ producerId: 1n, firstOffset: 1, lastOffset: 2 }])
  })

  test('with an older producer or coordinator epoch is refused', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.epoch = 5
    producer.write()
    expect(refusal(() => producer.end('COMMIT', { producerEpoch: 4 }))).toBe('INVALID_PRODUCER_EPOCH')
    producer.end('COMMIT', { coordinatorEpoch: 2 })
    expect(refusal(() => producer.end('COMMIT', { coordinatorEpoch: 1 }))).toBe(
      'TRANSACTION_COORDINATOR_FENCED',
    )
    expect(log.logEndOffset).toBe(2n)
  })

  test('of transaction version 2 has an epoch above the data, so that a late one ends nothing that came since', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.write()
    expect(refusal(() => producer.end('COMMIT', { transactionVersion: 2 }))).toBe('INVALID_PRODUCER_EPOCH')
    producer.endAndBump('COMMIT')
    // The same once more, as a coordinator writes after a restart.
    producer.end('COMMIT', { transactionVersion: 2 })
    producer.write()
    expect(refusal(() => producer.end('COMMIT', { transactionVersion: 2 }))).toBe('INVALID_PRODUCER_EPOCH')
    expect(log.ongoingTransaction(1n)).toEqual({ firstOffset: 3n, producerEpoch: 1 })
  })

  test('of transaction version 2 may have the epoch of the data where none is above it', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.epoch = 32767
    producer.write()
    producer.end('COMMIT', { transactionVersion: 2 })
    expect(log.ongoingTransaction(1n)).toBeUndefined()
  })
})

describe('a transactional batch', () => {
  test("begins its producer's transaction, once", async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    log.append(batchOf(['plain']))
    producer.write(2)
    producer.write(2)
    expect(log.ongoingTransaction(1n)).toEqual({ firstOffset: 1n, producerEpoch: 0 })
    expect(log.ongoingTransaction(2n)).toBeUndefined()
  })

  test('keeps its producer from writing outside of the transaction', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.write()
    expect(refusal(() => producer.write(1, { isTransactional: false }))).toBe('INVALID_TXN_STATE')
    producer.end('COMMIT')
    expect(producer.write(1, { isTransactional: false })).toMatchObject({ baseOffset: 2n })
  })

  test('is recognised when it comes again, after its transaction too', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.write()
    producer.end('COMMIT')
    producer.sequence = 0
    expect(producer.write()).toMatchObject({ isDuplicate: true, baseOffset: 0n })
    expect(log.ongoingTransaction(1n)).toBeUndefined()
    expect(producer.write()).toMatchObject({ isDuplicate: false, baseOffset: 2n })
  })

  test('of an epoch that was ended is refused, and the next epoch begins at sequence 0', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.write(3)
    producer.endAndBump('ABORT')
    producer.epoch = 0
    expect(refusal(() => producer.write())).toBe('INVALID_PRODUCER_EPOCH')
    producer.epoch = 1
    producer.sequence = 3
    expect(refusal(() => producer.write())).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    producer.sequence = 0
    expect(producer.write()).toMatchObject({ baseOffset: 4n })
  })

  test('of a client that bumps epochs begins at sequence 0 where nothing is known of its producer', async () => {
    const { log } = await storeWithLog()
    const producer = new Producer(log, 1n)
    producer.sequence = 4
    expect(refusal(() => producer.write(1, { supportsEpochBump: true }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(producer.write()).toMatchObject({ baseOffset: 0n })
    expect(producer.write(1, { supportsEpochBump: true })).toMatchObject({ baseOffset: 1n })
  })

  test('of a coordinator has no sequence, and is judged by its epoch alone', async () => {
    const { log } = await storeWithLog()
    const [older, newer] = [2, 3].map(producerEpoch =>
      batchOf(['a', 'b'], { producerId: 1n, producerEpoch, isTransactional: true }),
    )
    log.append(older!)
    log.append(older!)
    log.append(newer!)
    expect(refusal(() => log.append(older!))).toBe('INVALID_PRODUCER_EPOCH')
    expect([...log.producers()]).toMatchObject([{ lastSequence: -1, currentTxnStartOffset: 0n }])
  })
})

test('aborted transactions are told to whoever reads what they reach into', async () => {
  const { log } = await storeWithLog()
  const producers = [1n, 2n, 3n].map(id => new Producer(log, id))
  for (const producer of producers) producer.write(10)
  producers[1]!.end('ABORT')
  producers[2]!.end('COMMIT')
  producers[0]!.end('ABORT')
  producers[1]!.write()
  producers[1]!.end('ABORT')
  const first = { producerId: 1n, firstOffset: 0, lastOffset: 32 }
  const second = { producerId: 2n, firstOffset: 10, lastOffset: 30 }
  const third = { producerId: 2n, firstOffset: 33, lastOffset: 34 }
  expect(log.abortedTransactions(0n, 35n)).toEqual([first, second, third])
  expect(log.abortedTransactions(0n, 33n)).toEqual([first, second])
  expect(log.abortedTransactions(0n, 10n)).toEqual([first])
  expect(log.abortedTransactions(31n, 32n)).toEqual([first])
  expect(log.abortedTransactions(33n, 40n)).toEqual([third])
  expect(log.abortedTransactions(35n, 40n)).toEqual([])
})

/** One transaction is aborted, one committed, two are open. */
async function transactions(log: PartitionLog): Promise<void> {
  const [first, second, third] = [1n, 2n, 3n].map(id => new Producer(log, id))
  first!.write(2)
  first!.end('ABORT', { coordinatorEpoch: 4 })
  second!.write(2)
  third!.write(2)
  second!.endAndBump('COMMIT')
  first!.write()
  await log.append(batchOf(['plain'])).committed
}

/** Everything about transactions that a log tells. */
function known(log: PartitionLog): object {
  return {
    lastStableOffset: log.lastStableOffset,
    aborted: log.abortedTransactions(0n, log.highWatermark),
    producers: [...log.producers()],
    ongoing: [1n, 2n, 3n].map(id => log.ongoingTransaction(id)),
  }
}

describe('after a restart', () => {
  test.each(['a close', 'a kill', 'a kill and the loss of the checkpoint'])(
    'everything is known as before: %s',
    async ending => {
      const disk = new FaultyDisk()
      const store = await openTestStore({ disk, segmentBytes: 500 })
      const log = store.create(7, { createdAt: 1 })
      await transactions(log)
      const before = known(log)
      expect(before).toMatchObject({
        lastStableOffset: 5n,
        aborted: [{ producerId: 1n, firstOffset: 0, lastOffset: 2 }],
        ongoing: [{ firstOffset: 8n }, undefined, { firstOffset: 5n }],
      })
      await store.flushed()
      await turns()
      const left = ending === 'a close' ? disk : disk.copy()
      await store.close()
      if (ending.endsWith('checkpoint')) await left.remove('shard-0/checkpoint')

      const again = await openTestStore({ disk: left })
      onTestFinished(() => again.close())
      const found = again.create(7, { createdAt: 1 })
      expect(known(found)).toEqual(before)
      expect(await audit(again)).toEqual([])
      const third = new Producer(found, 3n)
      await third.end('ABORT').committed
      expect(found.lastStableOffset).toBe(8n)
      expect(found.abortedTransactions(5n, 6n)).toEqual([{ producerId: 3n, firstOffset: 5, lastOffset: 10 }])
    },
  )
})

test('a producer is forgotten when it has not written for long, and has no transaction open', async () => {
  const { log } = await storeWithLog({ clock: new ManualClock(100_000) })
  const [idle, open, recent] = [1n, 2n, 3n].map(id => new Producer(log, id))
  idle!.write()
  idle!.end('COMMIT', { timestamp: 20_000n })
  open!.write()
  recent!.write()
  recent!.end('COMMIT', { timestamp: 90_000n })
  log.expireProducers(50_000)
  expect([...log.producers()].map(({ producerId }) => producerId)).toEqual([2n, 3n])
})
