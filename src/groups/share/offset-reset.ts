/** Where a share partition begins that nobody has read: how long ago, where it is not an end of the log. */
export type OffsetReset = 'earliest' | 'latest' | { readonly agoMs: number }

const duration = /^by_duration:\+?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i

/** Reads a value of `share.auto.offset.reset` that was checked when it was set: a word, or `by_duration:` and an ISO 8601 duration. */
export function readOffsetReset(text: string): OffsetReset {
  if (text === 'earliest' || text === 'latest') return text
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = (duration.exec(text) ?? [])
    .slice(1)
    .map(part => Number(part ?? 0))
  return { agoMs: Math.trunc((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000) }
}
