import { seededRandom, type Random } from '../../../src/base/random.ts'
import { buildBatch, type BatchDraft } from '../../../src/protocol/records/record.ts'

export interface NamedValue {
  /** Unlike any other. */
  readonly name: string
  readonly value: Buffer
}

const filling = seededRandom(3).bytes(48 * 1024)

/** Some values, mostly short. */
export function valuesOf(random: Random, nextName: () => string): NamedValue[] {
  return Array.from({ length: 1 + random.below(5) }, () => {
    const name = nextName()
    const length = random.below(10) === 0 ? random.below(filling.length) : random.below(200)
    return { name, value: Buffer.concat([Buffer.from(`${name} `), filling.subarray(0, length)]) }
  })
}

export function batchOfValues(
  values: readonly NamedValue[],
  nowMs: number,
  draft: Partial<BatchDraft> = {},
): Buffer {
  const records = values.map(({ value }, index) => ({ value, timestamp: BigInt(nowMs + index) }))
  return buildBatch({ records, ...draft })
}
