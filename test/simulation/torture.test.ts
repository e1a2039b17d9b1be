import { expect, test } from 'vitest'
import { noTortures, torture } from './torture.ts'

const { TORTURE_SEED = '1', TORTURE_SEEDS = '50', TORTURE_OPERATIONS = '2000' } = process.env
const first = Number(TORTURE_SEED)
const count = Number(TORTURE_SEEDS)
const operations = Number(TORTURE_OPERATIONS)

test(
  `keeps every promise through ${operations} random operations, faults and crashes, seeds ${first} to ${first + count - 1}`,
  async () => {
    const tally = noTortures()
    for (let seed = first; seed < first + count; seed++) {
      try {
        await torture(seed, operations, tally)
      } catch (error) {
        const { message } = error as Error
        const again = `npm run torture -- --seed ${seed} --seeds 1 --operations ${operations}`
        throw new Error(`seed ${seed}: ${message}\n${again}`, { cause: error })
      }
      if ((seed - first) % 100 === 99) console.log(`${seed - first + 1} of ${count} seeds`, tally)
    }
    console.log(`${count} seeds from ${first}:`, tally)
    expect(tally.operations).toBe(count * operations)
  },
  60_000 + count * operations * 5,
)
