import { RE2JS, RE2JSException } from 're2js'
import { KafkaError } from '../../protocol/errors.ts'
import { expandedSize } from './pattern-size.ts'

/** Beyond it a pattern takes seconds to compile, or a millisecond for each name. */
const sizeMax = 4_000

/**
 * A pattern of topic names, in the words of RE2, as in Kafka (KIP-848). A match is of the whole name, and takes time that is linear
 * in the name and in the pattern, whatever a client writes: nobody can hold up the broker.
 */
export class TopicPattern {
  readonly #regex: RE2JS
  /** What was found out of names before: topics come one by one, and are many. */
  #known = new Map<string, boolean>()

  /** Throws INVALID_REGULAR_EXPRESSION. */
  constructor(regex: string) {
    this.#regex = compilePattern(regex)
  }

  /** Those of all topics that match, in alphabetical order. */
  resolve(names: Iterable<string>): string[] {
    const known = new Map<string, boolean>()
    const matching: string[] = []
    for (const name of names) {
      const isMatch = this.#known.get(name) ?? this.#regex.matches(name)
      known.set(name, isMatch)
      if (isMatch) matching.push(name)
    }
    this.#known = known
    return matching.sort()
  }
}

/** Throws INVALID_REGULAR_EXPRESSION. */
export function compilePattern(regex: string): RE2JS {
  if (expandedSize(regex) > sizeMax) throw invalid(regex, 'expression is too large')
  try {
    return RE2JS.compile(regex)
  } catch (error) {
    if (error instanceof RE2JSException) throw invalid(regex, error.message)
    throw error
  }
}

/** How much of a pattern is quoted. */
const quotedLengthMax = 1_000

function invalid(regex: string, reason: string): KafkaError {
  const quoted = regex.slice(0, quotedLengthMax)
  return new KafkaError(
    'INVALID_REGULAR_EXPRESSION',
    `SubscribedTopicRegex \`${quoted}\` is not a valid regular expression: ${reason}.`,
  )
}
