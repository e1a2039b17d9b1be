import { expect, test } from 'vitest'
import * as headers from '../../src/protocol/header.ts'
import * as messages from '../../src/protocol/messages/index.ts'
import {
  versions,
  type AnyField,
  type Fields,
  type Message,
  type Versions,
} from '../../src/protocol/schema.ts'
import { goldenRows } from '../support/golden.ts'

interface PublishedField {
  name: string
  type: string
  versions: string
  nullableVersions?: string
  taggedVersions?: string
  tag?: number
  default?: string
  flexibleVersions?: string
  fields?: PublishedField[]
}

interface PublishedSchema {
  name: string
  validVersions: string
  flexibleVersions: string
  fields: PublishedField[]
  commonStructs?: { name: string; fields: PublishedField[] }[]
}

const tables: Record<string, Message> = { ...messages, ...headers }
const schemas = goldenRows<PublishedSchema>('schemas.jsonl').filter(
  ({ validVersions }) => validVersions !== 'none',
)

test('every published schema has a table, and every table is published', () => {
  expect(Object.keys(tables).sort()).toEqual(schemas.map(({ name }) => name).sort())
})

test.each(schemas.map(schema => [schema.name, schema] as const))(
  '%s agrees with its published schema in every field, version, tag, default and nullability',
  (name, schema) => {
    const table = tables[name]!
    const valid = versions(schema.validVersions)
    expect(table.versions).toEqual(valid)
    expect(table.flexible).toEqual(versions(schema.flexibleVersions))
    expect(describeTable(table.fields, valid)).toEqual(describePublished(schema.fields, valid, schema))
  },
)

/** Which of a message's own versions a range holds; ranges that say the same of them are the same. */
function within(range: Versions, valid: Versions): number[] {
  const held: number[] = []
  for (let version = valid.first; version <= valid.last; version++) {
    if (version >= range.first && version <= range.last) held.push(version)
  }
  return held
}

function describeTable(fields: Fields, valid: Versions): unknown[] {
  return Object.entries(fields).map(([name, field]) => describeField(name, field, valid))
}

function describeField(name: string, field: AnyField, valid: Versions): unknown {
  const { traits } = field
  const held = within(traits.versions, valid)
  let type = ''
  let shape = traits.shape
  while (shape.kind === 'array') {
    type += '[]'
    shape = shape.element.traits.shape
  }
  return {
    name,
    type: type + (shape.kind === 'struct' ? 'struct' : shape.kind),
    versions: held,
    nullable:
      shape.kind === 'records' && type === ''
        ? undefined
        : within(traits.nullable, valid).filter(version => held.includes(version)),
    tag: traits.tag,
    tagged: within(traits.tagged, valid),
    byDefault:
      traits.byDefault === null && shape.kind !== 'records'
        ? 'null'
        : plainDefault(traits.byDefault, shape.kind, type),
    compact: traits.compact,
    fields:
      shape.kind === 'struct'
        ? describeTable(shape.fields, { first: held[0] ?? 0, last: held.at(-1) ?? -1 })
        : undefined,
  }
}

function plainDefault(value: unknown, kind: string, arrays: string): string | undefined {
  if (arrays !== '' || kind === 'struct' || kind === 'bytes' || kind === 'records' || kind === 'uuid')
    return undefined
  return String(value)
}

function describePublished(fields: PublishedField[], valid: Versions, schema: PublishedSchema): unknown[] {
  return fields.map(field => {
    const held = within(versions(field.versions), valid)
    const type = field.type.replace(/^(\[\])*/, '')
    const arrays = field.type.slice(0, field.type.length - type.length)
    const isStruct = /^[A-Z]/.test(type)
    const inner = field.fields ?? schema.commonStructs?.find(({ name }) => name === type)?.fields
    return {
      name: field.name,
      type: arrays + (isStruct ? 'struct' : type),
      versions: held,
      nullable:
        type === 'records'
          ? undefined
          : within(versions(field.nullableVersions ?? 'none'), valid).filter(version =>
              held.includes(version),
            ),
      tag: field.tag,
      tagged: within(versions(field.taggedVersions ?? 'none'), valid),
      byDefault: field.default === 'null' ? 'null' : publishedDefault(field.default, type, arrays),
      compact: field.flexibleVersions === undefined,
      fields: isStruct
        ? describePublished(inner!, { first: held[0] ?? 0, last: held.at(-1) ?? -1 }, schema)
        : undefined,
    }
  })
}

function publishedDefault(text: string | undefined, type: string, arrays: string): string | undefined {
  if (arrays !== '' || /^[A-Z]/.test(type) || ['bytes', 'records', 'uuid'].includes(type)) return undefined
  if (type === 'bool') return text ?? 'false'
  if (type === 'string') return text ?? ''
  return text === undefined ? '0' : String(type === 'int64' ? BigInt(text) : Number(text))
}
