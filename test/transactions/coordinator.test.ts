import { describe, expect, test } from 'vitest'
import { KafkaError, type ErrorName } from '../../src/protocol/errors.ts'
import { TopicPartitions } from '../../src/transactions/partitions.ts'
import { transactionRecord } from '../../src/transactions/records.ts'
import { noTransaction } from '../../src/transactions/transitions.ts'
import { settled } from '../support/manual-clock.ts'
import { MemoryStateTopic } from '../support/memory-state-topic.ts'
import { TransactionScene } from '../support/transaction-scene.ts'

/** A scene with a transaction of producer 1000 under way. */
async function ongoing(partitions = ['a-0', 'b-1'], version = 2): Promise<TransactionScene> {
  const scene = await TransactionScene.open()
  expect(await scene.init()).toBe('1000/0')
  expect(await scene.add('1000/0', partitions, { version })).toBe('NONE')
  return scene
}

describe('the end of a transaction', () => {
  test('is told to every partition once it is synced, and no sooner', async () => {
    const scene = await ongoing()
    scene.topic.hold()
    const ended = scene.end('1000/0', 'COMMIT')
    await settled()
    expect(scene.markers.written).toEqual([])
    scene.topic.release()
    expect(await ended).toBe('1000/1')
    expect(scene.markers.written.toSorted()).toEqual(['a-0 COMMIT 1000/1', 'b-1 COMMIT 1000/1'])
    expect(await scene.state()).toBe('CompleteCommit 1000/1')
  })

  test('keeps its epoch for clients of old', async () => {
    const scene = await ongoing(['a-0'], 0)
    expect(await scene.end('1000/0', 'ABORT', { version: 0 })).toBe('1000/0')
    expect(scene.markers.written).toEqual(['a-0 ABORT 1000/0'])
    expect(await scene.add('1000/0', ['a-0'], { version: 0 })).toBe('NONE')
    expect(await scene.state()).toBe('Ongoing 1000/0')
  })

  test('has what comes for the transaction wait, until the partitions know', async () => {
    const scene = await ongoing()
    scene.markers.hold()
    const ended = scene.end('1000/0', 'COMMIT')
    await settled()
    expect(scene.markers.heldCount).toBe(2)
    expect(await scene.state()).toBe('PrepareCommit 1000/1')
    expect(await scene.add('1000/1', ['a-0'])).toBe('CONCURRENT_TRANSACTIONS')
    expect(await scene.end('1000/0', 'COMMIT')).toBe('CONCURRENT_TRANSACTIONS')
    expect(await scene.end('1000/0', 'ABORT')).toBe('INVALID_TXN_STATE')
    expect(await scene.init()).toBe('CONCURRENT_TRANSACTIONS')
    scene.markers.release()
    expect(await ended).toBe('1000/1')
    expect(await scene.add('1000/1', ['a-0'])).toBe('NONE')
  })

  test('is told again to a partition that could not be told, until it can', async () => {
    const scene = await ongoing(['a-0'])
    scene.markers.failures.push('NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS')
    expect(await scene.end('1000/0', 'COMMIT')).toBe('1000/1')
    expect(await scene.state()).toBe('PrepareCommit 1000/1')
    await scene.clock.advance(100)
    expect(await scene.state()).toBe('PrepareCommit 1000/1')
    await scene.clock.advance(100)
    expect(await scene.state()).toBe('CompleteCommit 1000/1')
    expect(scene.markers.written).toEqual(['a-0 COMMIT 1000/1'])
  })

  test('is told again once, however many partitions could not be told', async () => {
    const partitions = ['a-0', 'b-1', 'c-2']
    const scene = await ongoing(partitions)
    const rounds = 5
    const failures = Array<ErrorName>(rounds * partitions.length).fill('NOT_COORDINATOR')
    scene.markers.failures.push(...failures)
    expect(await scene.end('1000/0', 'COMMIT')).toBe('1000/1')
    for (let round = 1; round < rounds; round++) {
      expect(scene.markers.failures).toHaveLength((rounds - round) * partitions.length)
      await scene.clock.advance(100)
    }
    await scene.clock.advance(100)
    expect(await scene.state()).toBe('CompleteCommit 1000/1')
  })

  test('does without partitions that are gone, and with those that know better', async () => {
    const scene = await ongoing(['a-0', 'b-1', 'c-2'])
    scene.markers.failures.push('UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_PRODUCER_EPOCH')
    expect(await scene.end('1000/0', 'ABORT')).toBe('1000/1')
    expect(await scene.state()).toBe('CompleteAbort 1000/1')
    expect(scene.markers.written).toEqual(['c-2 ABORT 1000/1'])
  })

  test('is left to the next start where a log takes nothing any more', async () => {
    const scene = await ongoing(['a-0'])
    scene.markers.failures.push('KAFKA_STORAGE_ERROR')
    expect(await scene.end('1000/0', 'COMMIT')).toBe('1000/1')
    await scene.clock.advance(60_000)
    expect(await scene.state()).toBe('PrepareCommit 1000/1')
    const restarted = await scene.crash()
    expect(restarted.markers.written).toEqual(['a-0 COMMIT 1000/1'])
  })
})

describe('after a crash', () => {
  test('a transaction that was under way goes on', async () => {
    const scene = await (await ongoing()).crash()
    expect(await scene.state()).toBe('Ongoing 1000/0')
    expect(scene.markers.written).toEqual([])
    expect(await scene.end('1000/0', 'COMMIT')).toBe('1000/1')
    expect(scene.markers.written.toSorted()).toEqual(['a-0 COMMIT 1000/1', 'b-1 COMMIT 1000/1'])
  })

  test.each(['COMMIT', 'ABORT'] as const)(
    'the %s that was decided is carried out, by a coordinator of a later epoch',
    async type => {
      const scene = await ongoing()
      scene.markers.hold()
      void scene.end('1000/0', type)
      await settled()
      const restarted = await scene.crash()
      expect(restarted.markers.written.toSorted()).toEqual([`a-0 ${type} 1000/1`, `b-1 ${type} 1000/1`])
      expect(restarted.markers.ends.map(({ coordinatorEpoch }) => coordinatorEpoch)).toEqual([1, 1])
      expect(await restarted.state()).toBe(`Complete${type === 'COMMIT' ? 'Commit' : 'Abort'} 1000/1`)
      expect(await restarted.end('1000/0', type)).toBe('1000/1')
    },
  )

  test('an end that was not synced was never asked for', async () => {
    const scene = await ongoing()
    scene.topic.hold()
    void scene.end('1000/0', 'COMMIT')
    await settled()
    const restarted = await scene.crash()
    expect(await restarted.state()).toBe('Ongoing 1000/0')
    expect(await restarted.end('1000/0', 'ABORT')).toBe('1000/1')
  })

  test('markers that were written are written again where it was not noted', async () => {
    const scene = await ongoing(['a-0'])
    scene.markers.hold()
    const ended = scene.end('1000/0', 'COMMIT')
    await settled()
    scene.topic.hold()
    scene.markers.release()
    expect(await ended).toBe('1000/1')
    const restarted = await scene.crash()
    expect(restarted.markers.written).toEqual(['a-0 COMMIT 1000/1'])
    expect(await restarted.add('1000/1', ['a-0'])).toBe('NONE')
  })
})

describe('a log that fails', () => {
  test('has nobody told what it does not have', async () => {
    const scene = await ongoing()
    scene.topic.hold()
    const ended = scene.end('1000/0', 'COMMIT')
    await settled()
    scene.topic.fail(new Error('disk'))
    expect(await ended).toBe('NOT_COORDINATOR')
    scene.topic.heal()
    await settled()
    expect(await scene.state()).toBe('Ongoing 1000/0')
    expect(scene.markers.written).toEqual([])
    expect(await scene.end('1000/0', 'ABORT')).toBe('1000/1')
  })

  test('leaves nothing unheard of while a transaction that took too long is aborted', async () => {
    const unheard: unknown[] = []
    const hear = (error: unknown): void => void unheard.push(error)
    process.on('unhandledRejection', hear)
    const scene = await TransactionScene.open({ topic: new MemoryStateTopic(2) })
    expect(await scene.init('t', { timeoutMs: 1_000 })).toBe('1000/0')
    expect(await scene.add('1000/0', ['a-0'])).toBe('NONE')
    await scene.clock.advance(9_000)
    scene.topic.hold()
    // In the other partition, which waits for this one's record when it is asked.
    const another = scene.init('u')
    await scene.clock.advance(1_000)
    scene.topic.fail(new Error('disk'))
    expect(await another).toBe('NOT_COORDINATOR')
    await settled()
    process.off('unhandledRejection', hear)
    expect(unheard).toEqual([])
    scene.topic.heal()
    await scene.clock.advance(10_000)
    expect(await scene.state()).toBe('CompleteAbort 1000/1')
  })
})

describe('a log that does not take the completion', () => {
  test('is tried again in a while, and the partitions are told but once', async () => {
    const scene = await ongoing(['a-0'])
    scene.markers.hold()
    const ended = scene.end('1000/0', 'COMMIT')
    await settled()
    scene.topic.fail(new Error('disk'))
    scene.markers.release()
    expect(await ended).toBe('1000/1')
    await scene.clock.advance(3000)
    expect(await scene.state()).toBe('PrepareCommit 1000/1')
    scene.topic.heal()
    await scene.clock.advance(1000)
    expect(await scene.state()).toBe('CompleteCommit 1000/1')
    expect(scene.markers.written).toEqual(['a-0 COMMIT 1000/1'])
  })
})

describe('time', () => {
  test('aborts a transaction that takes longer than its producer asked for, and fences the producer', async () => {
    const scene = await TransactionScene.open()
    expect(await scene.init('t', { timeoutMs: 25_000 })).toBe('1000/0')
    expect(await scene.add('1000/0', ['a-0'])).toBe('NONE')
    await scene.clock.advance(20_000)
    expect(await scene.state()).toBe('Ongoing 1000/0')
    await scene.clock.advance(10_000)
    expect(await scene.state()).toBe('CompleteAbort 1000/1')
    expect(scene.markers.written).toEqual(['a-0 ABORT 1000/1'])
    expect(await scene.end('1000/0', 'COMMIT')).toBe('INVALID_TXN_STATE')
    expect(await scene.add('1000/0', ['a-0'])).toBe('PRODUCER_FENCED')
  })

  test('aborts what takes too long where another partition takes nothing any more', async () => {
    const topic = new MemoryStateTopic(2)
    const scene = await TransactionScene.open({ topic })
    for (const [id, producer] of [
      ['t', '1000/0'],
      ['u', '1001/0'],
    ] as const) {
      expect(await scene.init(id, { timeoutMs: 5_000 })).toBe(producer)
      expect(await scene.add(producer, ['a-0'], { id })).toBe('NONE')
    }
    const append = topic.append.bind(topic)
    topic.append = (partition, ...rest) =>
      partition === 0 ? Promise.reject(new KafkaError('KAFKA_STORAGE_ERROR')) : append(partition, ...rest)
    await scene.clock.advance(10_000)
    expect(await scene.state('t')).toBe('Ongoing 1000/0')
    expect(await scene.state('u')).toBe('CompleteAbort 1001/1')
  })

  test('goes on over a restart', async () => {
    const scene = await TransactionScene.open()
    await scene.init('t', { timeoutMs: 25_000 })
    await scene.add('1000/0', ['a-0'])
    await scene.clock.advance(20_000)
    const restarted = await scene.crash()
    await restarted.clock.advance(10_000)
    expect(await restarted.state()).toBe('CompleteAbort 1000/1')
  })

  test('has an id forgotten that nobody uses, and none with a transaction', async () => {
    const scene = await TransactionScene.open({
      settings: { transactionalIdExpirationMs: 7_200_000, transactionMaxTimeoutMs: 2 ** 31 - 1 },
    })
    await scene.init('idle')
    await scene.init('busy', { timeoutMs: 2 ** 31 - 1 })
    await scene.add('1001/0', ['a-0'], { id: 'busy' })
    await scene.clock.advance(3_600_000)
    expect(await scene.state('idle')).toBe('Empty 1000/0')
    await scene.clock.advance(3_600_000)
    expect(await scene.state('idle')).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    expect(await scene.state('busy')).toBe('Ongoing 1001/0')
    expect(await (await scene.crash()).state('idle')).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    expect(await scene.init('idle', { as: '1000/0' })).toBe('1002/0')
  })

  test('stops with the coordinator', async () => {
    const scene = await TransactionScene.open()
    await scene.coordinator.close()
    expect(scene.clock.timerCount).toBe(0)
  })
})

describe('a producer that begins anew', () => {
  test('has the transaction of the one before it aborted', async () => {
    const scene = await ongoing()
    expect(await scene.init()).toBe('1000/2')
    expect(scene.markers.written.toSorted()).toEqual(['a-0 ABORT 1000/1', 'b-1 ABORT 1000/1'])
    expect(await scene.end('1000/0', 'COMMIT')).toBe('PRODUCER_FENCED')
  })

  test('has two-phase commit where that is on, and no transaction is kept for it', async () => {
    const scene = await TransactionScene.open()
    expect(await scene.init('t', { enable2Pc: true })).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    const on = await TransactionScene.open({ settings: { transactionTwoPhaseCommitEnable: true } })
    expect(await on.init('t', { enable2Pc: true, timeoutMs: -1 })).toBe('1000/0')
    expect(await on.init('t', { enable2Pc: true, keepPreparedTxn: true })).toBe('UNSUPPORTED_VERSION')
    await on.add('1000/0', ['a-0'])
    await on.clock.advance(1_000_000)
    expect(await on.state()).toBe('Ongoing 1000/0')
  })
})

describe('epochs that run out', () => {
  const last = 32_766

  /** A scene whose producer has the last epoch that a producer may have. */
  async function exhausted(): Promise<TransactionScene> {
    const topic = new MemoryStateTopic(1)
    const facts = {
      ...noTransaction,
      producerId: 1000n,
      previousProducerId: 1000n,
      producerEpoch: last,
      timeoutMs: 60_000,
      partitions: new TopicPartitions(),
      lastUpdateMs: 0,
      clientVersion: 0,
    }
    topic.synced[0]!.push(transactionRecord('t', facts))
    const scene = await TransactionScene.open({ topic, nextId: 1001n })
    expect(await scene.state()).toBe(`Empty 1000/${last}`)
    return scene
  }

  test('have the producer go on under another id, by its own transaction or by beginning anew', async () => {
    const scene = await exhausted()
    expect(await scene.add(`1000/${last}`, ['a-0'])).toBe('NONE')
    expect(await scene.end(`1000/${last}`, 'COMMIT')).toBe('1001/0')
    expect(scene.markers.written).toEqual(['a-0 COMMIT 1000/32767'])
    expect(await scene.end(`1000/${last}`, 'COMMIT')).toBe('1001/0')
    expect(await scene.end(`1000/${last}`, 'ABORT')).toBe('INVALID_TXN_STATE')
    expect(await scene.add('1001/0', ['a-0'])).toBe('NONE')
    expect(await scene.end(`1000/${last}`, 'COMMIT')).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await (await exhausted()).init()).toBe('1001/0')
  })

  test('do so after a crash between the decision and its carrying out', async () => {
    const scene = await exhausted()
    await scene.add(`1000/${last}`, ['a-0'])
    scene.markers.hold()
    void scene.end(`1000/${last}`, 'COMMIT')
    await settled()
    expect(await scene.state()).toBe('PrepareCommit 1000/32767')
    expect(await scene.add('1001/0', ['a-0'])).toBe('CONCURRENT_TRANSACTIONS')
    const restarted = await scene.crash()
    expect(await restarted.state()).toBe('CompleteCommit 1001/0')
    expect(await restarted.end(`1000/${last}`, 'COMMIT')).toBe('1001/0')
  })

  test('let a fenced transaction be aborted still', async () => {
    const scene = await exhausted()
    await scene.add(`1000/${last}`, ['a-0'])
    expect(await scene.init()).toBe('1001/1')
    expect(scene.markers.written).toEqual(['a-0 ABORT 1000/32767'])
  })
})
