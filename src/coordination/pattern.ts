import { RE2JS, RE2JSException } from 're2js'
import { KafkaError } from '../protocol/errors.ts'
import { expandedSize } from './pattern-size.ts'

/** Beyond it a pattern takes seconds to compile, or a millisecond for each name. */
const sizeMax = 4_000

/** Compiles a pattern in the words of RE2. Throws INVALID_REGULAR_EXPRESSION with what `messageOf` makes of the reason. */
export function compilePattern(pattern: string, messageOf: (reason: string) => string): RE2JS {
  if (expandedSize(pattern) > sizeMax) throw invalid(messageOf('expression is too large'))
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    if (error instanceof RE2JSException) throw invalid(messageOf(error.message))
    throw error
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REGULAR_EXPRESSION', message)
}
