import { assert } from '../base/assert.ts'
import { MalformedError, Reader } from './reader.ts'
import {
  includes,
  type AnyField,
  type Draft,
  type Fields,
  type Message,
  type Of,
  type Primitive,
} from './schema.ts'
import { Writer } from './writer.ts'

/** The codec of one message at one version. */
export interface Codec<M extends Message> {
  decode(reader: Reader): Of<M>
  encode(writer: Writer, value: Draft<M>): void
}

/** Tagged fields that no schema names. Decoding keeps them under this key so that encoding can give the same bytes back. */
export const unknownTags = Symbol('unknown tags')

export interface UnknownTag {
  readonly tag: number
  readonly bytes: Buffer
}

interface Compiled {
  decode(reader: Reader): unknown
  encode(writer: Writer, value: unknown): void
}

interface Struct {
  [name: string]: unknown
  [unknownTags]?: UnknownTag[]
}

const compiled = new WeakMap<Message, Map<number, Compiled>>()

/** The codec of `message` at `version`, compiled at first use. Throws on a version that the message does not have. */
export function codec<M extends Message>(message: M, version: number): Codec<M> {
  let ofMessage = compiled.get(message)
  if (!ofMessage) compiled.set(message, (ofMessage = new Map()))
  let found = ofMessage.get(version)
  if (!found) {
    assert(includes(message.versions, version), () => `no version ${version} in this message`)
    found = compileStruct(message.fields, version, includes(message.flexible, version))
    ofMessage.set(version, found)
  }
  return found as Codec<M>
}

/** Decodes a whole buffer that was written here, with as many elements as it may have; trailing bytes are malformed. */
export function decode<M extends Message>(message: M, version: number, bytes: Buffer): Of<M> {
  const reader = new Reader(bytes, { elementsMax: Infinity })
  const value = codec(message, version).decode(reader)
  if (reader.remaining > 0) throw new MalformedError(`${reader.remaining} bytes after the end of the message`)
  return value
}

/** Encodes into one buffer. */
export function encode<M extends Message>(message: M, version: number, value: Draft<M>): Buffer {
  const writer = new Writer()
  codec(message, version).encode(writer, value)
  return writer.join()
}

/** A field's default: fresh where it could be changed by whoever gets it. */
function defaultOf(field: AnyField): () => unknown {
  const { shape, byDefault } = field.traits
  if (byDefault === null) return () => null
  if (shape.kind === 'array') return () => []
  if (shape.kind !== 'struct') return () => byDefault
  const names = Object.keys(shape.fields)
  const defaults = names.map(name => defaultOf(shape.fields[name]!))
  return () => Object.fromEntries(names.map((name, index) => [name, defaults[index]!()]))
}

function isDefault(field: AnyField, value: unknown): boolean {
  if (value === undefined) return true
  const { shape, byDefault } = field.traits
  if (value === null || byDefault === null) return value === byDefault
  if (shape.kind === 'array') return (value as unknown[]).length === 0
  if (shape.kind === 'int64') return BigInt(value as bigint | number) === byDefault
  if (shape.kind === 'bytes' || shape.kind === 'records') return (value as Buffer).length === 0
  if (shape.kind !== 'struct') return value === byDefault
  return Object.entries(shape.fields).every(([name, inner]) => isDefault(inner, (value as Struct)[name]))
}

function compileStruct(fields: Fields, version: number, flexible: boolean): Compiled {
  const names = Object.keys(fields)
  const inline: { name: string; field: Compiled; fallback: () => unknown }[] = []
  const tagged: { name: string; tag: number; spec: AnyField; field: Compiled }[] = []
  const readers: ((reader: Reader) => unknown)[] = []
  for (const name of names) {
    const spec = fields[name]!
    const { traits } = spec
    const fallback = defaultOf(spec)
    if (!includes(traits.versions, version)) {
      readers.push(fallback)
      continue
    }
    const field = compileField(spec, version, flexible)
    if (flexible && includes(traits.tagged, version)) {
      tagged.push({ name, tag: traits.tag!, spec, field })
      readers.push(fallback)
    } else {
      inline.push({ name, field, fallback })
      readers.push(field.decode)
    }
  }
  tagged.sort((a, b) => a.tag - b.tag)

  return {
    decode(reader) {
      const value: Struct = {}
      for (let index = 0; index < names.length; index++) value[names[index]!] = readers[index]!(reader)
      if (flexible) readTags(reader, value)
      return value
    },
    encode(writer, draft) {
      const value = draft as Struct
      for (let index = 0; index < inline.length; index++) {
        const { name, field, fallback } = inline[index]!
        const given = value[name]
        field.encode(writer, given === undefined ? fallback() : given)
      }
      if (flexible) writeTags(writer, value)
    },
  }

  function readTags(reader: Reader, value: Struct): void {
    const count = reader.unsignedVarint()
    reader.expect(count)
    let previous = -1
    for (let index = 0; index < count; index++) {
      const tag = reader.unsignedVarint()
      if (tag <= previous) throw new MalformedError(`tag ${tag} after tag ${previous}`)
      previous = tag
      const bytes = reader.view(reader.unsignedVarint())
      const known = tagged.find(entry => entry.tag === tag)
      if (known) {
        const inner = new Reader(bytes)
        value[known.name] = known.field.decode(inner)
        if (inner.remaining > 0) throw new MalformedError(`${inner.remaining} bytes too many in tag ${tag}`)
      } else {
        ;(value[unknownTags] ??= []).push({ tag, bytes })
      }
    }
  }

  function writeTags(writer: Writer, value: Struct): void {
    const unknown = value[unknownTags]
    let present = unknown && [...unknown]
    for (const { name, tag, spec, field } of tagged) {
      if (isDefault(spec, value[name])) continue
      const inner = new Writer()
      field.encode(inner, value[name])
      ;(present ??= []).push({ tag, bytes: inner.join() })
    }
    if (!present) return writer.unsignedVarint(0)
    present.sort((a, b) => a.tag - b.tag)
    writer.unsignedVarint(present.length)
    for (const { tag, bytes } of present) {
      writer.unsignedVarint(tag)
      writer.unsignedVarint(bytes.length)
      writer.raw(bytes)
    }
  }
}

function compileField(spec: AnyField, version: number, flexible: boolean): Compiled {
  const { traits } = spec
  const { shape } = traits
  const compact = flexible && traits.compact
  const nullable = includes(traits.nullable, version)
  switch (shape.kind) {
    case 'array':
      return arrayOf(compileField(shape.element, version, flexible), compact, nullable)
    case 'struct': {
      const inner = compileStruct(shape.fields, version, flexible)
      return nullable ? nullableStruct(inner) : inner
    }
    case 'string':
      return text(compact, nullable)
    case 'bytes':
      return byteString(compact, nullable)
    case 'records':
      return rawRecords(compact)
    default:
      return fixed[shape.kind]
  }
}

const fixed: Record<Exclude<Primitive, 'string' | 'bytes' | 'records'>, Compiled> = {
  bool: { decode: reader => reader.bool(), encode: (writer, value) => writer.bool(value as boolean) },
  int8: { decode: reader => reader.int8(), encode: (writer, value) => writer.int8(value as number) },
  int16: { decode: reader => reader.int16(), encode: (writer, value) => writer.int16(value as number) },
  uint16: { decode: reader => reader.uint16(), encode: (writer, value) => writer.uint16(value as number) },
  int32: { decode: reader => reader.int32(), encode: (writer, value) => writer.int32(value as number) },
  uint32: { decode: reader => reader.uint32(), encode: (writer, value) => writer.uint32(value as number) },
  int64: {
    decode: reader => reader.int64(),
    encode: (writer, value) => writer.int64(value as bigint | number),
  },
  roundedInt64: {
    decode: reader => reader.roundedInt64(),
    encode: (writer, value) => writer.int64(value as number),
  },
  float64: { decode: reader => reader.float64(), encode: (writer, value) => writer.float64(value as number) },
  uuid: { decode: reader => reader.uuid(), encode: (writer, value) => writer.uuid(value as string) },
}

/** Lengths on the wire: -1 is null in the old encodings, length + 1 in the compact ones. */
interface Length {
  read(reader: Reader): number
  write(writer: Writer, length: number): void
}

const compactLength: Length = {
  read: reader => reader.unsignedVarint() - 1,
  write: (writer, length) => writer.unsignedVarint(length + 1),
}
const shortLength: Length = {
  read: reader => reader.int16(),
  write: (writer, length) => writer.int16(length),
}
const longLength: Length = {
  read: reader => reader.int32(),
  write: (writer, length) => writer.int32(length),
}

function checkLength(length: number, nullable: boolean): void {
  if (length < -1 || (length === -1 && !nullable)) {
    throw new MalformedError(length === -1 ? 'null where none is allowed' : `a length of ${length}`)
  }
}

function arrayOf(element: Compiled, compact: boolean, nullable: boolean): Compiled {
  const lengths = compact ? compactLength : longLength
  return {
    decode(reader) {
      const count = lengths.read(reader)
      checkLength(count, nullable)
      if (count < 0) return null
      reader.expect(count)
      const value: unknown[] = []
      for (let index = 0; index < count; index++) value.push(element.decode(reader))
      return value
    },
    encode(writer, value) {
      if (value === null) {
        assert(nullable, 'null array where none is allowed')
        return lengths.write(writer, -1)
      }
      const list = value as unknown[]
      lengths.write(writer, list.length)
      for (let index = 0; index < list.length; index++) element.encode(writer, list[index])
    },
  }
}

function nullableStruct(inner: Compiled): Compiled {
  return {
    decode: reader => (reader.int8() < 0 ? null : inner.decode(reader)),
    encode(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) inner.encode(writer, value)
    },
  }
}

/** Bytes: the most that Kafka reads or writes. */
const textLengthMax = 0x7fff

function text(compact: boolean, nullable: boolean): Compiled {
  const lengths = compact ? compactLength : shortLength
  return {
    decode(reader) {
      const length = lengths.read(reader)
      checkLength(length, nullable)
      if (length > textLengthMax) throw new MalformedError(`a string of ${length} bytes`)
      if (length < 0) return null
      const value = reader.text(length)
      // What is not UTF-8 becomes longer in reading, and could then not be told again.
      const hasGrown = length * 3 > textLengthMax && Buffer.byteLength(value) > textLengthMax
      if (hasGrown) throw new MalformedError(`a string of ${length} bytes that are not UTF-8`)
      return value
    },
    encode(writer, value) {
      if (value === null) {
        assert(nullable, 'null string where none is allowed')
        return lengths.write(writer, -1)
      }
      const length = Buffer.byteLength(value as string)
      assert(length <= textLengthMax, () => `a string of ${length} bytes`)
      lengths.write(writer, length)
      writer.text(value as string, length)
    },
  }
}

function byteString(compact: boolean, nullable: boolean): Compiled {
  const lengths = compact ? compactLength : longLength
  return {
    decode(reader) {
      const length = lengths.read(reader)
      checkLength(length, nullable)
      return length < 0 ? null : reader.view(length)
    },
    encode(writer, value) {
      if (value === null) {
        assert(nullable, 'null bytes where none are allowed')
        return lengths.write(writer, -1)
      }
      lengths.write(writer, (value as Buffer).length)
      writer.raw(value as Buffer)
    },
  }
}

function rawRecords(compact: boolean): Compiled {
  const lengths = compact ? compactLength : longLength
  return {
    decode(reader) {
      const length = lengths.read(reader)
      checkLength(length, true)
      return length < 0 ? null : reader.view(length)
    },
    encode(writer, value) {
      if (value === null) return lengths.write(writer, -1)
      const pieces = Array.isArray(value) ? (value as Buffer[]) : [value as Buffer]
      let length = 0
      for (const piece of pieces) length += piece.length
      lengths.write(writer, length)
      for (const piece of pieces) writer.raw(piece)
    },
  }
}
