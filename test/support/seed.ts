import { randomInt } from 'node:crypto'

/** What all chance in the tests follows from in CI, where the same code is to be judged alike twice. */
const seedInCi = 1

/** The seed that the environment names in `variable`; else one that nobody chose, and in CI always the same. */
export function seedOf(variable = 'SEED'): number {
  const given = process.env[variable]
  if (given !== undefined) return Number(given)
  return process.env['CI'] === undefined ? randomInt(2 ** 31) : seedInCi
}

/** As `seedOf`, and says how to have it again. */
export function chooseSeed(variable: string): number {
  const seed = seedOf(variable)
  console.log(`${variable}=${seed} repeats this run`)
  return seed
}
