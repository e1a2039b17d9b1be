import { unknownTags, type UnknownTag } from '../../src/protocol/compile.ts'
import { includes, type AnyField, type Fields, type Message } from '../../src/protocol/schema.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** A decoded message as the golden vectors write it: the fields of this version, tagged ones only when not at their default. */
export function toGoldenJson(message: Message, version: number, value: unknown): Json {
  return structToJson(message.fields, version, value as Record<string, unknown>)
}

/** The value that `json` stands for. */
export function fromGoldenJson(message: Message, json: Json, tags?: { tag: number; hex: string }[]): unknown {
  const value = structFromJson(message.fields, json as { [name: string]: Json })
  if (tags) {
    const kept: UnknownTag[] = tags.map(({ tag, hex }) => ({ tag, bytes: Buffer.from(hex, 'hex') }))
    ;(value as { [unknownTags]?: UnknownTag[] })[unknownTags] = kept
  }
  return value
}

function structToJson(fields: Fields, version: number, value: Record<string, unknown>): Json {
  const json: { [name: string]: Json } = {}
  for (const [name, field] of Object.entries(fields)) {
    if (!includes(field.traits.versions, version)) continue
    const inner = toJson(field, version, value[name])
    const isTagged = includes(field.traits.tagged, version)
    if (isTagged && JSON.stringify(inner) === JSON.stringify(toJson(field, version, defaultValue(field))))
      continue
    json[name] = inner
  }
  return json
}

function defaultValue(field: AnyField): unknown {
  const { shape, byDefault } = field.traits
  if (shape.kind !== 'struct' || byDefault === null) return byDefault
  return Object.fromEntries(Object.entries(shape.fields).map(([name, inner]) => [name, defaultValue(inner)]))
}

function toJson(field: AnyField, version: number, value: unknown): Json {
  const { shape } = field.traits
  if (value === null) return null
  if (typeof value === 'bigint') return String(value)
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (shape.kind === 'array')
    return (value as unknown[]).map(element => toJson(shape.element, version, element))
  if (shape.kind === 'struct') return structToJson(shape.fields, version, value as Record<string, unknown>)
  return value as Json
}

function structFromJson(fields: Fields, json: { [name: string]: Json }): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(json).map(([name, inner]) => [name, fromJson(fields[name]!, inner)]),
  )
}

function fromJson(field: AnyField, json: Json): unknown {
  const { shape } = field.traits
  if (json === null) return null
  if (shape.kind === 'int64') return BigInt(json as string)
  if (shape.kind === 'bytes' || shape.kind === 'records') return Buffer.from(json as string, 'base64')
  if (shape.kind === 'array') return (json as Json[]).map(element => fromJson(shape.element, element))
  if (shape.kind === 'struct') return structFromJson(shape.fields, json as { [name: string]: Json })
  return json
}
