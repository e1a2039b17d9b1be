/** Thrown by `assert`: a rule of our own code was broken. Never caught to be hidden; see the three fates in ARCHITECTURE.md. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** States what must be true here whatever the input was. A failure is our bug and is loud. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
