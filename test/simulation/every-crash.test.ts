import { expect, test } from 'vitest'
import { InvariantError } from './hold.ts'
import { Explorer, sequencesOf } from './every-crash.ts'

const seed = Number(process.env['SIMULATION_SEED'] ?? 1)

test('keeps every promise wherever the power is cut in up to three operations', async () => {
  const explorer = new Explorer({ seed, outcomes: 2 })
  await explorer.exploreFirstStart()
  for (const length of [1, 2, 3]) for (const sequence of sequencesOf(length)) await explorer.explore(sequence)
  console.log(`seed ${seed}`, explorer.explored)
  expect(explorer.explored.sequences).toBe(819)
}, 300_000)

test('keeps every promise when the power is cut again wherever recovery has got to', async () => {
  const explorer = new Explorer({ seed, outcomes: 1, alsoWhileRecovering: true })
  for (const length of [1, 2]) for (const sequence of sequencesOf(length)) await explorer.explore(sequence)
  console.log(`seed ${seed}`, explorer.explored)
}, 300_000)

test('keeps every promise wherever the power is cut while two operations are under way', async () => {
  const explorer = new Explorer({ seed, outcomes: 2 })
  for (const sequence of sequencesOf(2)) await explorer.explore(sequence, true)
  console.log(`seed ${seed}`, explorer.explored)
}, 300_000)

test.each(['EIO', 'ENOSPC'] as const)(
  'acknowledges nothing after %s, whichever call it hits, and recovers',
  async fault => {
    const explorer = new Explorer({ seed, outcomes: 2 })
    for (const length of [1, 2]) {
      for (const sequence of sequencesOf(length)) await explorer.exploreFaults(sequence, fault)
    }
    console.log(`seed ${seed}`, explorer.explored)
  },
  300_000,
)

test.each(['sync', 'sync-folder'] as const)('finds out a disk that ignores %s', async ignored => {
  const explorer = new Explorer({ seed, outcomes: 4, ignored })
  const exploreAll = async (): Promise<void> => {
    for (const length of [1, 2]) for (const sequence of sequencesOf(length)) await explorer.explore(sequence)
  }
  await expect(exploreAll()).rejects.toThrow(InvariantError)
})
