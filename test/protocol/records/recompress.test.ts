import { describe, expect, test } from 'vitest'
import { codecs, readBatch } from '../../../src/protocol/records/batch.ts'
import { checkBatch } from '../../../src/protocol/records/check.ts'
import { compress, decompress } from '../../../src/protocol/records/compression.ts'
import { recompress } from '../../../src/protocol/records/recompress.ts'
import { buildBatch, readRecords } from '../../../src/protocol/records/record.ts'

const records = Array.from({ length: 20 }, (_, index) => ({
  key: Buffer.from(`key ${index}`),
  value: Buffer.from('value '.repeat(index)),
  timestamp: 1_000n + BigInt(index),
  headers: [{ key: 'header', value: null }],
}))
const producer = { producerId: 7n, producerEpoch: 3, baseSequence: 9, isTransactional: true }

describe.each(codecs)('from %s', from => {
  test.each(codecs)('to %s keeps everything but the codec', to => {
    const original = readBatch(buildBatch({ records, codec: from, ...producer }))
    const { body } = checkBatch(original.bytes, { inside: true })
    const made = recompress(original, body!, to)
    expect(made.isSound).toBe(true)
    expect(made.codec).toBe(to)
    expect(made.sizeInBytes).toBe(made.bytes.length)
    expect([...readRecords(made)]).toEqual([...readRecords(original)])
    expect(made.bytes.subarray(23, 61)).toEqual(original.bytes.subarray(23, 61))
    expect(made.isTransactional).toBe(true)
  })
})

test.each(['gzip', 'zstd'] as const)('%s compresses harder at a higher level', codec => {
  const words = Array.from({ length: 20_000 }, (_, index) =>
    ((index * index * 2_654_435) % 9973).toString(36),
  )
  const text = Buffer.from(words.join(' '))
  const [light, hard] = [compress(codec, text, 1), compress(codec, text, 9)]
  expect(hard.length).toBeLessThan(light.length)
  for (const each of [light, hard]) expect(decompress(codec, each, text.length)).toEqual(text)
})
