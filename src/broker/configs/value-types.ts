/** The types that Kafka gives its settings (ConfigDef.Type): how their text is read, and how DescribeConfigs writes it. */
export type ConfigTypeName = keyof typeof valueTypes

interface ValueType<Value> {
  /** The type's number in DescribeConfigs. */
  readonly code: number
  /** What the text means, or what is wrong with it. */
  parse(text: string): Value | Misread
  /** The text as Kafka writes it back; `text` is one that `parse` understands. */
  canonical(text: string): string
}

/** Why a text cannot be read, in Kafka's words. */
export class Misread {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

export const valueTypes = {
  BOOLEAN: {
    code: 1,
    parse: text =>
      booleans[text.trim().toLowerCase()] ?? new Misread('Expected value to be either true or false'),
    canonical: text => text.trim().toLowerCase(),
  } satisfies ValueType<boolean>,
  STRING: textType(2),
  INT: wholeType('INT', 3, 31n),
  SHORT: wholeType('SHORT', 4, 15n),
  LONG: wholeType('LONG', 5, 63n),
  DOUBLE: {
    code: 6,
    parse: text =>
      realPattern.test(text.trim()) ? realOf(text) : new Misread('Not a number of type DOUBLE'),
    canonical: text => formatDouble(realOf(text)),
  } satisfies ValueType<number>,
  LIST: {
    code: 7,
    parse: elementsOf,
    canonical: text => elementsOf(text).join(','),
  } satisfies ValueType<readonly string[]>,
  CLASS: textType(8),
  PASSWORD: textType(9),
}

const booleans: Record<string, boolean | undefined> = { true: true, false: false }
const wholePattern = /^[+-]?\d+$/
/** As Java reads it (Double.valueOf), but for hexadecimal numbers. */
const realPattern = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/

function textType(code: number): ValueType<string> {
  return { code, parse: text => text.trim(), canonical: text => text.trim() }
}

/** Beyond 2^53 a LONG means "without end", so that a rounded number serves; its text stays exact. */
function wholeType(name: string, code: number, bits: bigint): ValueType<number> {
  return {
    code,
    parse(text) {
      const fits =
        wholePattern.test(text.trim()) && BigInt.asIntN(Number(bits) + 1, wholeOf(text)) === wholeOf(text)
      return fits ? Number(wholeOf(text)) : new Misread(`Not a number of type ${name}`)
    },
    canonical: text => wholeOf(text).toString(),
  }
}

/** Java lets a number name its own type. */
function realOf(text: string): number {
  return Number(text.trim().replace(/[fFdD]$/, ''))
}

function wholeOf(text: string): bigint {
  return BigInt(text.trim().replace(/^\+/, ''))
}

/** Repeated elements count once, as in Kafka. */
function elementsOf(text: string): readonly string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : [...new Set(trimmed.split(/\s*,\s*/))]
}

/** A double as Java prints it (Double.toString): `1.0`, `1.0E-5`. */
export function formatDouble(value: number): string {
  const size = Math.abs(value)
  if (!Number.isFinite(value)) return String(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits, exponent] = value.toExponential().split('e') as [string, string]
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
  }
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
