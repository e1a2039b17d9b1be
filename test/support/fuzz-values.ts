import { randomUuid, type Random } from '../../src/base/random.ts'
import { codecs } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/record.ts'
import { includes, type AnyField, type Fields, type Message } from '../../src/protocol/schema.ts'
import { mutate, pick } from './fuzz.ts'

/** Names that requests are made to meet each other by. */
export const fuzzTopics = ['fuzz-a', 'fuzz-b', 'fuzz-c'] as const

const texts = [
  ...fuzzTopics,
  ...fuzzTopics,
  'group-a',
  'group-b',
  '',
  '.',
  'not a name!',
  '__consumer_offsets',
  '__transaction_state',
  'consumer',
  'range',
  'retention.ms',
  'cleanup.policy',
  '1',
  '-1',
  'x'.repeat(249),
  'ü'.repeat(16_000),
  '\u0000\uffff😀',
  'constructor',
  '__proto__',
]
const numbers = [-(2 ** 31), -2, -1, 0, 0, 0, 1, 1, 2, 3, 10, 100, 30_000, 10_001, 2 ** 31 - 1]
const bigNumbers = [-(2n ** 63n), -3n, -2n, -1n, 0n, 0n, 1n, 5n, 1000n, 2n ** 31n, 2n ** 63n - 1n]

/** Values that make a well-formed request of whatever meaning, or none: every field is drawn on its own. */
export function drawMessage(message: Message, version: number, random: Random): Record<string, unknown> {
  return drawStruct(message.fields, version, random, 0)
}

function drawStruct(fields: Fields, version: number, random: Random, depth: number): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (!includes(field.traits.versions, version)) continue
    // Left at its default, a tagged field is not sent.
    if (includes(field.traits.tagged, version) && random.below(2) === 0) continue
    value[name] = drawField(field, version, random, depth)
  }
  return value
}

function drawField(field: AnyField, version: number, random: Random, depth: number): unknown {
  const { shape, nullable } = field.traits
  if (includes(nullable, version) && random.below(6) === 0) return null
  switch (shape.kind) {
    case 'struct':
      return drawStruct(shape.fields, version, random, depth + 1)
    case 'array': {
      const count = pick([0, 1, 1, 1, 2, 2, 3, depth === 0 ? 40 : 4], random)
      return Array.from({ length: count }, () => drawField(shape.element, version, random, depth + 1))
    }
    case 'bool':
      return random.below(2) === 0
    case 'int8':
      return pick([-128, -1, 0, 0, 1, 2, 4, 32, 127], random)
    case 'int16':
      return pick([-(2 ** 15), -1, -1, 0, 1, 1, 2 ** 15 - 1], random)
    case 'uint16':
      return pick([0, 1, 9092, 2 ** 16 - 1], random)
    case 'int32':
      return pick(numbers, random)
    case 'uint32':
      return pick([0, 1, 2 ** 32 - 1], random)
    case 'int64':
      return pick(bigNumbers, random)
    case 'float64':
      return pick([0, -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY], random)
    case 'string':
      return pick(texts, random)
    case 'uuid':
      return pick(['A'.repeat(22), randomUuid(random)], random)
    case 'bytes':
      return random.bytes(pick([0, 1, 10, 500], random))
    case 'records':
      return drawRecords(random)
  }
}

function drawRecords(random: Random): Buffer | null {
  if (random.below(10) === 0) return pick([null, Buffer.alloc(0), random.bytes(100)], random)
  const batch = buildBatch({
    records: Array.from({ length: random.below(4) }, (_, index) => ({
      timestamp: pick([-1n, 0n, BigInt(Date.now()), 2n ** 62n], random),
      key: pick([null, Buffer.from(String(index))], random),
      value: pick([null, random.bytes(random.below(200))], random),
    })),
    codec: pick(codecs, random),
    producerId: pick([-1n, -1n, 0n, 1n, 2n ** 62n], random),
    producerEpoch: pick([-1, 0, 1], random),
    baseSequence: pick([-1, 0, 1, 5, 2 ** 31 - 1], random),
    isTransactional: random.below(10) === 0,
    isControl: random.below(20) === 0,
  })
  return random.below(4) === 0 ? mutate(batch, random) : batch
}
