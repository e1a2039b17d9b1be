import type { RE2JS } from 're2js'
import { compilePattern } from '../../coordination/pattern.ts'

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
    this.#regex = compileTopicPattern(regex)
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
export function compileTopicPattern(regex: string): RE2JS {
  return compilePattern(regex, reason => {
    const quoted = regex.slice(0, quotedLengthMax)
    return `SubscribedTopicRegex \`${quoted}\` is not a valid regular expression: ${reason}.`
  })
}

/** How much of a pattern is quoted. */
const quotedLengthMax = 1_000
