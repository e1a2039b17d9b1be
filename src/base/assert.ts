/** Thrown by `assert`: a rule of our own code was broken. Where a request meets one, it is logged and refused with UNKNOWN_SERVER_ERROR. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * States what must be true here whatever the input was. A failure is our bug and is loud. Where a message is put together on a hot path,
 * it is given as a function.
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message())
}
