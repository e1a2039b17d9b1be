// Chance that can be repeated: everything drawn follows from the seed, which every run prints.
import { randomInt } from 'node:crypto'

/** A seed that nobody chose. */
export const freshSeed = () => randomInt(2 ** 31)

/**
 * @param {number} seed
 * @returns {{ below(bound: number): number, pick<T>(list: T[]): T, chance(share: number): boolean }} `below` is a whole
 *   number from 0 to `bound` - 1
 */
export function createChance(seed) {
  let state = seed >>> 0
  // mulberry32: plenty for deciding whom to kill.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  const below = bound => Math.floor(next() * bound)
  return { below, pick: list => list[below(list.length)], chance: share => next() < share }
}
