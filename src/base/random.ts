import { randomBytes, randomInt } from 'node:crypto'

/** The only door to chance. Seeded in tests and in the simulator. */
export interface Random {
  /** `length` random bytes. */
  bytes(length: number): Buffer
  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number
}

/** Chance from the operating system. */
export const systemRandom: Random = { bytes: randomBytes, below: limit => randomInt(limit) }

/** A repeatable source: the same seed gives the same numbers (mulberry32; not for secrets). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    bytes: length => Buffer.from(Array.from({ length }, () => next() & 0xff)),
    below: limit => Math.floor((next() / 2 ** 32) * limit),
  }
}

/** A random (version 4) UUID as Kafka makes them: 16 bytes in URL-safe base64, never starting with a dash (Uuid.randomUuid). */
export function randomUuid(random: Random): string {
  for (;;) {
    const bytes = random.bytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const text = bytes.toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
