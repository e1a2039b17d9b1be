/**
 * The vocabulary in which messages are written down. A table made of these words is the documentation, the
 * static type and (through `compile.ts`) the codec of one Kafka message at every version that it has.
 */

/** A version range as Kafka writes it: `'3'`, `'0-4'`, `'7+'` or `'none'`. */
export type Range = string

/** The inclusive bounds of a range; an empty one has `first > last`. */
export interface Versions {
  readonly first: number
  readonly last: number
}

/** Parses a range. Throws on anything that is not one. */
export function versions(range: Range): Versions {
  const match = /^(?:none|(\d+)(?:(\+)|-(\d+))?)$/.exec(range)
  if (!match) throw new Error(`not a version range: ${range}`)
  if (match[1] === undefined) return { first: 0, last: -1 }
  const first = Number(match[1])
  return { first, last: match[2] ? Infinity : Number(match[3] ?? first) }
}

/** True when the range holds the version. */
export function includes(range: Versions, version: number): boolean {
  return version >= range.first && version <= range.last
}

/** The types that Kafka's schemas are made of; `records` is a byte string that stays raw, `roundedInt64` an int64 as a number. */
export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'roundedInt64'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records'

/** What stands on the wire at a field. */
export type Shape =
  | { readonly kind: Primitive }
  | { readonly kind: 'array'; readonly element: AnyField }
  | { readonly kind: 'struct'; readonly fields: Fields }

/** The named fields of a struct, in wire order. */
export interface Fields {
  readonly [name: string]: AnyField
}

// oxlint-disable-next-line typescript/no-explicit-any -- the only way to say "a field of whatever type"
export type AnyField = Field<any, any, boolean>

interface Traits {
  readonly shape: Shape
  readonly versions: Versions
  readonly nullable: Versions
  readonly tag: number | undefined
  readonly tagged: Versions
  readonly byDefault: unknown
  readonly compact: boolean
}

const always = versions('0+')
const never = versions('none')

/**
 * One field. `Value` is what decoding gives; `Draft` is what encoding takes, where fields that not every
 * version has, or that have a default, may be left out (`Optional`).
 */
export class Field<Value, Draft = Value, Optional extends boolean = false> {
  declare readonly value: Value
  declare readonly draft: Draft
  declare readonly optional: Optional
  readonly traits: Traits

  constructor(traits: Traits) {
    this.traits = traits
  }

  /** The versions that have this field; in the others it takes its default. */
  in(range: Range): Field<Value, Draft, true> {
    return new Field({ ...this.traits, versions: versions(range) })
  }

  /** The value when it is absent; without it zero, false, '', no bytes, no elements, or a struct of defaults. */
  or(value: Value): Field<Value, Draft, true> {
    return new Field({ ...this.traits, byDefault: value })
  }

  /** The versions in which null is allowed; without `range`, all. */
  nullable(range: Range = '0+'): Field<Value | null, Draft | null, Optional> {
    return new Field({ ...this.traits, nullable: versions(range) })
  }

  /** A tagged field in `range`: last in the struct, on the wire only when it differs from its default (KIP-482). */
  tag(tag: number, range: Range): Field<Value, Draft, true> {
    return new Field({ ...this.traits, tag, tagged: versions(range), versions: versions(range) })
  }

  /** Keeps its old encoding in flexible versions too, as the client id of request headers does (KIP-511). */
  neverCompact(): Field<Value, Draft, Optional> {
    return new Field({ ...this.traits, compact: false })
  }
}

function field<Value, Draft = Value>(shape: Shape, byDefault: unknown): Field<Value, Draft> {
  return new Field({
    shape,
    versions: always,
    nullable: never,
    tag: undefined,
    tagged: never,
    byDefault,
    compact: true,
  })
}

export const bool = field<boolean>({ kind: 'bool' }, false)
export const int8 = field<number>({ kind: 'int8' }, 0)
export const int16 = field<number>({ kind: 'int16' }, 0)
export const uint16 = field<number>({ kind: 'uint16' }, 0)
export const int32 = field<number>({ kind: 'int32' }, 0)
export const uint32 = field<number>({ kind: 'uint32' }, 0)
/** A bigint when decoded, since it may be any; of a number that is known to be a safe integer none need be made. */
export const int64 = field<bigint, bigint | number>({ kind: 'int64' }, 0n)
/** An int64 of our own files that is a number on both sides: never beyond 2^53, or a time, which may be rounded there. */
export const roundedInt64 = field<number>({ kind: 'roundedInt64' }, 0)
export const float64 = field<number>({ kind: 'float64' }, 0)
export const string = field<string>({ kind: 'string' }, '')
/** 22 characters of URL-safe base64, as Kafka's tools print topic ids. */
export const uuid = field<string>({ kind: 'uuid' }, 'A'.repeat(22))
export const bytes = field<Buffer>({ kind: 'bytes' }, Buffer.alloc(0))
/** Record batches, never opened here. Decoding gives a view; encoding takes one piece or several, uncopied. */
export const records = field<Buffer | null, Buffer | readonly Buffer[] | null>({ kind: 'records' }, null)

/** A list of `element`s. */
export function array<V, D, O extends boolean>(element: Field<V, D, O>): Field<V[], readonly D[]> {
  return field({ kind: 'array', element }, [])
}

/** Named fields one after another. */
export function struct<F extends Fields>(fields: F): Field<ValueOf<F>, DraftOf<F>> {
  return field({ kind: 'struct', fields }, undefined)
}

type ValueOf<F extends Fields> = { -readonly [K in keyof F]: F[K]['value'] }
type DraftOf<F extends Fields> = {
  readonly [K in keyof F as F[K]['optional'] extends true ? never : K]: F[K]['draft']
} & {
  readonly [K in keyof F as F[K]['optional'] extends true ? K : never]?: F[K]['draft'] | undefined
}

/** A message: its fields, the versions it has, and the first of them with compact encodings and tags (KIP-482). */
export interface Message<F extends Fields = Fields> {
  readonly versions: Versions
  readonly flexible: Versions
  readonly fields: F
}

/** Writes a message down. `flexible` is the range of flexible versions, `'none'` for the oldest messages. */
export function message<F extends Fields>(head: { versions: Range; flexible: Range }, fields: F): Message<F> {
  return { versions: versions(head.versions), flexible: versions(head.flexible), fields }
}

/** What decoding a message gives: every field, absent ones at their default. */
export type Of<M extends Message> = ValueOf<M['fields']>

/** What encoding a message takes: fields with a default may be left out. */
export type Draft<M extends Message> = DraftOf<M['fields']>
