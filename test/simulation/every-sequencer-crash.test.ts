import { describe, expect, test } from 'vitest'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { ScarabGenerator } from '../../src/sequencers/scarab.ts'
import { TimestampOracle } from '../../src/sequencers/coordinator-ids.ts'
import type { TimedIds } from '../../src/sequencers/timed-ids.ts'
import type { Sequencer } from '../../src/sequencers/sequencer.ts'
import { storedKinds, syncedKinds, type Kind } from '../sequencers/kinds.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedDisk, type Fault } from './simulated-disk.ts'
import { SequencerExplorer, type Source, type Subject } from './every-sequencer-crash.ts'

const seed = Number(process.env['SEED'] ?? 1)

function sourceOf(sequencer: Sequencer): Source {
  return {
    async take(random: Random) {
      const count = random.below(3) > 0 ? 1 : 1 + random.below(30)
      const first = await sequencer.reserve(count)
      return count === 1 ? [first] : [first, first + BigInt(count - 1)]
    },
    flush: () => sequencer.flush(),
    close: () => sequencer.close(),
  }
}

function sourceOfIds(ids: TimedIds): Source {
  return {
    take: random => Promise.all(Array.from({ length: 1 + random.below(5) }, () => ids.next())),
    flush: async () => {},
    close: () => ids.close(),
  }
}

function subjectOf(kind: Kind, isStoredOnly: boolean): Subject {
  return { open: async disk => sourceOf(await kind.open(disk)), isStoredOnly }
}

const subjects: [string, Subject][] = [
  ...syncedKinds.map(kind => [kind.name, subjectOf(kind, false)] as [string, Subject]),
  ...storedKinds.map(kind => [kind.name, subjectOf(kind, true)] as [string, Subject]),
  [
    'scarab',
    {
      open: async (disk, clock) =>
        sourceOfIds(
          await ScarabGenerator.open(disk, 'ids', { datacenter: 1, worker: 2, clock, windowMs: 3 }),
        ),
    },
  ],
  [
    'timestamp oracle',
    {
      open: async (disk, clock) =>
        sourceOfIds(await TimestampOracle.open(disk, 'ids', { id: 3, clock, windowMs: 3 })),
    },
  ],
]

describe.each(subjects)(`%s, seed ${seed}`, (_name, subject) => {
  test('repeats nothing after a power loss at any moment', async () => {
    const explorer = new SequencerExplorer(subject, { seed, outcomes: 4 })
    for (let round = 0; round < 3; round++) await explorer.losePower()
    expect(explorer.explored.crashPoints).toBeGreaterThan(60)
  })

  test('repeats nothing after a kill at any moment, and a power loss after it', async () => {
    const explorer = new SequencerExplorer(subject, { seed, outcomes: 1 })
    await explorer.kill()
    expect(explorer.explored.crashPoints).toBeGreaterThan(20)
  })

  test.each(['EIO', 'ENOSPC', 'EMFILE'] as const)(
    'repeats nothing after %s of any system call, and says what is wrong',
    async fault => {
      const explorer = new SequencerExplorer(subject, { seed, outcomes: 4 })
      await explorer.fail(fault)
      expect(explorer.explored.crashPoints).toBeGreaterThan(10)
    },
  )
})

describe.each(syncedKinds)('$name', kind => {
  test('loses the numbers whose sync has failed, and none of those before and after', async () => {
    for (let round = 0; round < 200; round++) {
      const random = seededRandom(seed + round)
      const scheduler = new Scheduler()
      const life = scheduler.live()
      let fault: Fault | undefined
      const disk = new SimulatedDisk({
        life,
        random,
        faultOf: ({ kind }) => (kind === 'sync' ? fault : undefined),
      })
      const sequencer = await scheduler.until(kind.open(disk))
      await scheduler.until(sequencer.reserve(1 + random.below(2000)))
      let last = await scheduler.until(sequencer.next())
      fault = 'EIO'
      await expect(scheduler.until(sequencer.reserve(30_000))).rejects.toMatchObject({
        reason: 'disk failed',
      })
      fault = undefined
      if (random.below(2) === 0) last = await scheduler.until(sequencer.next())
      // Under way as the power goes.
      const calls = disk.calls
      void sequencer.reserve(1 + random.below(5000))
      await scheduler.happen(() => disk.calls > calls)
      const next = new Scheduler()
      const left = disk.crashed({ life: next.live(), random })
      const again = await next.until(kind.open(left))
      expect(await next.until(again.next()), `seed ${seed + round}`).toBeGreaterThan(last)
    }
  })
})

describe('the explorer', () => {
  test.each(syncedKinds.filter(kind => kind.name !== 'checkpoint'))(
    'finds out that a disk of $name ignores syncs',
    async kind => {
      const explorer = new SequencerExplorer(subjectOf(kind, false), { seed, outcomes: 4, ignored: 'sync' })
      await expect(explorer.losePower()).rejects.toThrow(/is handed out again|all its copies are damaged/)
    },
  )

  test('finds out what the seeds do: to write the checkpoint down after the numbers', async () => {
    const late: Subject = {
      async open(disk) {
        let next = BigInt((await disk.read('counter'))?.toString() ?? 0)
        return {
          async take() {
            const number = next++
            if (next % 5n === 0n) await disk.replace('counter', Buffer.from(String(next)))
            return [number]
          },
          flush: async () => {},
          close: async () => {},
        }
      },
    }
    const explorer = new SequencerExplorer(late, { seed, outcomes: 1 })
    await expect(explorer.losePower()).rejects.toThrow('is handed out again')
  })
})
