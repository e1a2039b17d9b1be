/** Whether the disk did not give back what was written: a bad sector, which is damage like any other. */
export function isUnreadable(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EIO'
}

/** What was read, or undefined where it cannot be; rejects with everything else. */
export async function ifReadable<Result>(reading: Promise<Result>): Promise<Result | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}
