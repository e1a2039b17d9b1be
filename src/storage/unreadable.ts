/** Whether the disk did not give back what was written: a bad sector, which is damage like any other. */
export function isUnreadable(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EIO'
}

/** What `read` gives at once, or undefined where it cannot be read; throws everything else. */
export function ifReadableNow<Result>(read: () => Result): Result | undefined {
  try {
    return read()
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** The same of what is on its way. */
export async function ifReadable<Result>(reading: Promise<Result>): Promise<Result | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}
