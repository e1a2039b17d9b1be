import { describe, expect, test } from 'vitest'
import { codec, decode, unknownTags } from '../../src/protocol/compile.ts'
import * as headers from '../../src/protocol/header.ts'
import * as messages from '../../src/protocol/messages/index.ts'
import { MalformedError } from '../../src/protocol/reader.ts'
import type { Message } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/writer.ts'
import { fromGoldenJson, toGoldenJson } from '../support/golden-json.ts'
import { goldenRows } from '../support/golden.ts'

interface Row {
  api: string
  version: number
  kind: string
  sample: number
  json: never
  hex: string
  unknownTags?: { tag: number; hex: string }[]
}

const tables: Record<string, Message> = { ...messages, ...headers }
const suffix: Record<string, string> = { request: 'Request', response: 'Response' }
const rows = goldenRows<Row>('messages.jsonl')
const byMessage = groupByName(rows)

function nameOf(row: Row): string {
  return row.api + (suffix[row.kind] ?? '')
}

function groupByName(all: Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of all) groups.set(nameOf(row), [...(groups.get(nameOf(row)) ?? []), row])
  return groups
}

describe('golden messages', () => {
  test('there are vectors', () => expect(rows.length).toBeGreaterThan(0))

  test.each([...byMessage.keys()])('%s is read and written as Kafka does', name => {
    const message = tables[name]
    expect(message, `no table for ${name}`).toBeDefined()
    for (const row of byMessage.get(name)!) {
      const label = `${name} v${row.version} sample ${row.sample}`
      const bytes = Buffer.from(row.hex, 'hex')
      const value = decode(message!, row.version, bytes) as {
        [unknownTags]?: { tag: number; bytes: Buffer }[]
      }
      expect(toGoldenJson(message!, row.version, value), label).toEqual(row.json)
      const tags = value[unknownTags]?.map(({ tag, bytes }) => ({ tag, hex: bytes.toString('hex') }))
      expect(tags, label).toEqual(row.unknownTags)

      for (const source of [value, fromGoldenJson(message!, row.json, row.unknownTags)]) {
        const writer = new Writer()
        codec(message!, row.version).encode(writer, source as never)
        expect(writer.length, label).toBe(bytes.length)
        expect(writer.join().toString('hex'), label).toBe(row.hex)
      }
    }
  })

  test('every prefix of a message is malformed, never anything worse', () => {
    for (const row of rows.filter(({ sample }) => sample === 0)) {
      const bytes = Buffer.from(row.hex, 'hex')
      const step = Math.max(1, Math.floor(bytes.length / 40))
      for (let length = 0; length < bytes.length; length += step) {
        const cut = (): unknown => decode(tables[nameOf(row)]!, row.version, bytes.subarray(0, length))
        expect(cut, `${nameOf(row)} v${row.version} cut at ${length}`).toThrow(MalformedError)
      }
    }
  })
})
