import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { Producers, type Sequenced } from '../../src/storage/producer-state.ts'

const greatest = 2 ** 31 - 1

function batch(baseSequence: number, count = 1, producerEpoch = 0, producerId = 7n): Sequenced {
  return { producerId, producerEpoch, baseSequence, lastOffsetDelta: count - 1 }
}

/** Appends the batches one after another from offset 100 on. */
function written(...batches: Sequenced[]): Producers {
  const producers = new Producers()
  let offset = 100
  for (const each of batches) {
    expect(producers.check(each)).toBeUndefined()
    offset += each.lastOffsetDelta + 1
    producers.note(each, offset - 1, 1000)
  }
  return producers
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

// Expectations are those of Kafka's ProducerStateManagerTest.
describe('an idempotent producer', () => {
  test('may begin with any sequence when nothing is known of it', () => {
    expect(new Producers().check(batch(500))).toBeUndefined()
  })

  test('goes on where its last batch ended', () => {
    const producers = written(batch(0, 3), batch(3, 2))
    expect(refusal(() => producers.check(batch(5)))).toBeUndefined()
    expect(refusal(() => producers.check(batch(6)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(refusal(() => producers.check(batch(4)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('is told the first offsets when it repeats one of its last five batches', () => {
    const producers = written(batch(0, 2), batch(2), batch(3), batch(4), batch(5), batch(6, 3))
    expect(producers.check(batch(2))).toMatchObject({ lastOffset: 102, offsetDelta: 0 })
    expect(producers.check(batch(6, 3))).toMatchObject({ lastOffset: 108, offsetDelta: 2 })
    expect(refusal(() => producers.check(batch(0, 2)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    // Only the very same range is a repetition.
    expect(refusal(() => producers.check(batch(6, 2)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('wraps its sequence to 0 after 2^31 - 1', () => {
    const producers = written(batch(greatest - 1, 2))
    expect(refusal(() => producers.check(batch(1)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(producers.check(batch(0))).toBeUndefined()
    const within = written(batch(greatest - 1, 4))
    expect(within.check(batch(2))).toBeUndefined()
    expect(within.check(batch(greatest - 1, 4))).toMatchObject({ lastOffset: 103 })
  })

  test('begins a new epoch at 0, and nobody goes back to an older one', () => {
    const producers = written(batch(0), batch(1))
    expect(refusal(() => producers.check(batch(2, 1, 1)))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    const bumped = batch(0, 1, 1)
    expect(producers.check(bumped)).toBeUndefined()
    producers.note(bumped, 102, 1000)
    expect(refusal(() => producers.check(batch(2)))).toBe('INVALID_PRODUCER_EPOCH')
    expect(producers.check(batch(0, 1, 1))).toMatchObject({ lastOffset: 102 })
    expect(producers.check(batch(1, 1, 1))).toBeUndefined()
  })

  test('is kept apart from the others', () => {
    const producers = written(batch(0), batch(50, 1, 0, 8n))
    expect(producers.check(batch(1))).toBeUndefined()
    expect(producers.check(batch(51, 1, 0, 8n))).toBeUndefined()
    expect([...producers].map(({ producerId, batches }) => [producerId, batches.length])).toEqual([
      [7n, 1],
      [8n, 1],
    ])
  })
})
