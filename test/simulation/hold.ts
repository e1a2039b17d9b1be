/** A promise of the store was broken. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Throws InvariantError with `describe`'s words unless `condition` holds. */
export function hold(condition: boolean, describe: () => string): void {
  if (!condition) throw new InvariantError(describe())
}
