import { formatDouble, Misread, valueTypes, type ConfigTypeName } from './value-types.ts'

/** A setting that is unknown, or a value that it cannot have. The message is one line, in Kafka's words where it has some. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Where a broker setting may be changed while the broker runs (DynamicBrokerConfig); `read-only` needs a restart. */
export type DynamicMode = 'read-only' | 'per-broker' | 'cluster-wide'

/** What a value must be besides being of its type. */
interface Validity {
  /** The rule as Kafka's documentation writes it. */
  readonly rule: string
  /** Kafka's complaint about a value that breaks the rule; undefined when it is fine. */
  complaint(value: never, name: string): string | undefined
}

interface Traits {
  readonly type: ConfigTypeName
  readonly byDefault: string | null
  readonly validity: Validity | undefined
  readonly mode: DynamicMode
  readonly isInternal: boolean
  readonly synonyms: readonly string[]
}

/** One setting: its type, default and rules. `Value` is what `parse` gives; LONGs are numbers, exact up to 2^53. */
export class ConfigDefinition<Value = unknown> {
  declare readonly value: Value
  readonly #traits: Traits

  constructor(traits: Traits) {
    this.#traits = traits
  }

  get type(): ConfigTypeName {
    return this.#traits.type
  }

  /** The type's number in DescribeConfigs. */
  get typeCode(): number {
    return valueTypes[this.type].code
  }

  /** The default's text as Kafka writes it; null is no value. */
  get byDefault(): string | null {
    return this.#traits.byDefault
  }

  /** The rule as Kafka's documentation writes it; undefined where every value of the type will do. */
  get rule(): string | undefined {
    return this.#traits.validity?.rule
  }

  get mode(): DynamicMode {
    return this.#traits.mode
  }

  /** Described only where somebody has set it, as in Kafka. */
  get isInternal(): boolean {
    return this.#traits.isInternal
  }

  /** Never shown. */
  get isSensitive(): boolean {
    return this.type === 'PASSWORD'
  }

  /**
   * Of a broker setting: its spellings in other units, itself included, the strongest first. Of a topic's or a group's:
   * the broker settings that it falls back to.
   */
  get synonyms(): readonly string[] {
    return this.#traits.synonyms
  }

  /** What the text means. Throws ConfigError in Kafka's words. */
  parse(name: string, text: string): Value {
    const value = valueTypes[this.type].parse(text)
    if (value instanceof Misread) throw invalid(name, text, value.reason)
    const complaint = this.#traits.validity?.complaint(value as never, name)
    if (complaint !== undefined) throw new ConfigError(complaint)
    return value as Value
  }

  /** The text as Kafka writes it back: trimmed, `0.50` as `0.5`. The text must be a valid one. */
  canonical(text: string): string {
    return valueTypes[this.type].canonical(text)
  }

  /** The lowest value. */
  atLeast(least: number): ConfigDefinition<Value> {
    return this.#with({ validity: range(this.type, least, Infinity) })
  }

  /** The lowest and the highest value. */
  between(least: number, most: number): ConfigDefinition<Value> {
    return this.#with({ validity: range(this.type, least, most) })
  }

  /** The only values; of a list, its only elements. */
  oneOf(...allowed: readonly string[]): ConfigDefinition<Value> {
    return this.#with({ validity: this.type === 'LIST' ? elements(allowed) : choice(allowed) })
  }

  /** The only values, in whatever case. */
  oneOfAnyCase(...allowed: readonly string[]): ConfigDefinition<Value> {
    return this.#with({ validity: choiceAnyCase(allowed) })
  }

  /** A rule of its own; `broken` gives Kafka's reason. */
  where(
    rule: string,
    broken: (value: NonNullable<Value>, name: string) => string | undefined,
  ): ConfigDefinition<Value> {
    const complaint = (value: NonNullable<Value>, name: string): string | undefined => {
      const reason = broken(value, name)
      return reason === undefined ? undefined : invalid(name, written(value), reason).message
    }
    return this.#with({ validity: { rule, complaint } })
  }

  /** May be changed on one broker, or on all, while it runs. */
  perBroker(): ConfigDefinition<Value> {
    return this.#with({ mode: 'per-broker' })
  }

  /** May be changed for all brokers, or for one, while they run. */
  clusterWide(): ConfigDefinition<Value> {
    return this.#with({ mode: 'cluster-wide' })
  }

  internal(): ConfigDefinition<Value> {
    return this.#with({ isInternal: true })
  }

  /** See `synonyms`. */
  from(...synonyms: readonly string[]): ConfigDefinition<Value> {
    return this.#with({ synonyms })
  }

  /** The same setting with another default. */
  or(byDefault: string): ConfigDefinition<NonNullable<Value>> {
    return this.#with({ byDefault }) as ConfigDefinition<NonNullable<Value>>
  }

  #with(traits: Partial<Traits>): ConfigDefinition<Value> {
    return new ConfigDefinition({ ...this.#traits, ...traits })
  }
}

/** The value that a definition gives. */
export type ValueOf<Definition> = Definition extends ConfigDefinition<infer Value> ? Value : never

function define<Value>(
  type: ConfigTypeName,
  byDefault: string | null,
  validity?: Validity,
): ConfigDefinition<Value> {
  const traits: Traits = { type, byDefault, validity, mode: 'read-only', isInternal: false, synonyms: [] }
  return new ConfigDefinition(traits)
}

function whole(type: ConfigTypeName) {
  function of(byDefault: number | bigint): ConfigDefinition<number>
  function of(byDefault: null): ConfigDefinition<number | null>
  function of(byDefault: number | bigint | null): ConfigDefinition<number | null> {
    return define(type, byDefault === null ? null : String(byDefault))
  }
  return of
}

function text(type: ConfigTypeName) {
  function of(byDefault: string): ConfigDefinition<string>
  function of(byDefault: null): ConfigDefinition<string | null>
  function of(byDefault: string | null): ConfigDefinition<string | null> {
    return define(type, byDefault)
  }
  return of
}

export const int = whole('INT')
export const short = whole('SHORT')
export const long = whole('LONG')
/** What Kafka writes for "never" and "without limit". */
export const longMax = 2n ** 63n - 1n
export const intMax = 2 ** 31 - 1
export const string = text('STRING')
/** A Java class. Accepted and described, never loaded. */
export const className = text('CLASS')
export const bool = (byDefault: boolean): ConfigDefinition<boolean> => define('BOOLEAN', String(byDefault))
export const double = (byDefault: number): ConfigDefinition<number> =>
  define('DOUBLE', formatDouble(byDefault))
export const password = (): ConfigDefinition<string | null> => define('PASSWORD', null)

/** A comma-separated list; its default is given as Kafka writes it. */
export function list(byDefault: string): ConfigDefinition<readonly string[]>
export function list(byDefault: null): ConfigDefinition<readonly string[] | null>
export function list(byDefault: string | null): ConfigDefinition<readonly string[] | null> {
  return define('LIST', byDefault, elements([]))
}

function invalid(name: string, value: string, reason: string): ConfigError {
  return new ConfigError(`Invalid value ${value} for configuration ${name}: ${reason}`)
}

function written(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
}

function range(type: ConfigTypeName, least: number, most: number): Validity {
  const rule = most === Infinity ? `[${least},...]` : `[${least},...,${most}]`
  const complaint = (value: number, name: string): string | undefined => {
    const shown = type === 'DOUBLE' ? formatDouble(value) : String(value)
    if (value < least) return invalid(name, shown, `Value must be at least ${least}`).message
    if (value > most) return invalid(name, shown, `Value must be no more than ${most}`).message
    return undefined
  }
  return { rule, complaint }
}

function choice(allowed: readonly string[]): Validity {
  const complaint = (value: string, name: string): string | undefined =>
    allowed.includes(value)
      ? undefined
      : invalid(name, value, `String must be one of: ${allowed.join(', ')}`).message
  return { rule: `[${allowed.join(', ')}]`, complaint }
}

function choiceAnyCase(allowed: readonly string[]): Validity {
  const lower = allowed.map(each => each.toLowerCase())
  const complaint = (value: string, name: string): string | undefined =>
    lower.includes(value.toLowerCase())
      ? undefined
      : invalid(name, value, `String must be one of (case insensitive): ${allowed.join(', ')}`).message
  return { rule: `(case insensitive) [${allowed.join(', ')}]`, complaint }
}

/** A list's elements are never empty, and where `allowed` names some, among these. */
function elements(allowed: readonly string[]): Validity {
  const single = choice(allowed)
  const complaint = (value: readonly string[], name: string): string | undefined => {
    if (value.includes('')) return `Configuration '${name}' values must not be empty.`
    if (allowed.length === 0) return undefined
    return value.map(each => single.complaint(each as never, name)).find(found => found !== undefined)
  }
  return { rule: allowed.length === 0 ? '' : single.rule, complaint }
}
