import { expect, test } from 'vitest'
import { decode } from '../../src/protocol/compile.ts'
import { MalformedError } from '../../src/protocol/reader.ts'
import { message, string } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'

const named = message({ versions: '0', flexible: '0+' }, { name: string })

function bytesOf(length: number, fill: number | string = 'x'): Buffer {
  const writer = new Writer()
  writer.unsignedVarint(length + 1)
  writer.raw(Buffer.alloc(length, fill))
  writer.unsignedVarint(0)
  return writer.join()
}

test('a string that Kafka could not write, for its length, is malformed in the compact encoding too', () => {
  expect(decode(named, 0, bytesOf(0x7fff)).name).toHaveLength(0x7fff)
  expect(() => decode(named, 0, bytesOf(0x8000))).toThrow(MalformedError)
})

test('a string that could not be told again, since what is not UTF-8 becomes longer in reading, is malformed', () => {
  expect(decode(named, 0, bytesOf(10_000, 0xff)).name).toBe('\ufffd'.repeat(10_000))
  expect(() => decode(named, 0, bytesOf(20_000, 0xff))).toThrow(MalformedError)
})
