import { expect, test } from 'vitest'
import { casts, type CastName } from './clients/index.ts'
import { simulate } from './simulator.ts'

const { SIMULATE_SEED = '1', SIMULATE_SEEDS = '300', SIMULATE_CAST = 'all' } = process.env
const first = Number(SIMULATE_SEED)
const count = Number(SIMULATE_SEEDS)
if (!(SIMULATE_CAST in casts)) throw new Error(`no such cast: ${SIMULATE_CAST}`)
const cast = SIMULATE_CAST as CastName

test(
  `a whole broker keeps every promise to its clients, seeds ${first} to ${first + count - 1}`,
  async () => {
    const total = { starts: 0, crashes: 0, faults: 0, events: 0 }
    const answers = new Map<string, number>()
    for (let seed = first; seed < first + count; seed++) {
      try {
        const simulated = await simulate(seed, cast)
        for (const key of ['starts', 'crashes', 'faults', 'events'] as const) total[key] += simulated[key]
        for (const [key, times] of simulated.answers) answers.set(key, (answers.get(key) ?? 0) + times)
      } catch (error) {
        const { message } = error as Error
        throw new Error(`seed ${seed}: ${message}\nnpm run simulate -- --cast ${cast} --seed ${seed}`, {
          cause: error,
        })
      }
      if ((seed - first) % 100 === 99) console.log(`${seed - first + 1} of ${count} seeds`, total)
    }
    console.log(`${count} seeds from ${first}:`, total, Object.fromEntries([...answers].sort()))
    expect(total.starts).toBeGreaterThan(count)
  },
  60_000 + count * 10_000,
)

test('does the same again under the same seed', async () => {
  const [once, again] = [await simulate(first, cast), await simulate(first, cast)]
  expect(again).toEqual(once)
})
