import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { choose, close, commitFor, end, eventsScene, type StrategyName } from './support.ts'

const seeds = Array.from({ length: 25 }, (_, index) => 4_001 + index)
const producerIds = [1n, 2n]

/** The last acknowledged commits, as the group itself understands them; the order decides, as that of the records does. */
class Ledger {
  #order = 0
  readonly partitions = new Map<number, { offset: bigint; order: number }>()
  /** The last commit of the view, which is one of all partitions. */
  view: { vlsn: bigint; order: number } | undefined
  readonly pending = new Map<bigint, { partition: number | 'view'; offset: bigint; order: number }[]>()

  commit(partition: number | 'view', offset: bigint, order = ++this.#order): void {
    if (partition === 'view') {
      if (order >= (this.view?.order ?? 0)) this.view = { vlsn: offset, order }
    } else if (order >= (this.partitions.get(partition)?.order ?? 0))
      this.partitions.set(partition, { offset, order })
  }

  commitFor(producerId: bigint, partition: number | 'view', offset: bigint): void {
    const pending = this.pending.get(producerId) ?? []
    pending.push({ partition, offset, order: ++this.#order })
    this.pending.set(producerId, pending)
  }

  end(producerId: bigint, isCommitted: boolean): void {
    const pending = this.pending.get(producerId) ?? []
    this.pending.delete(producerId)
    if (isCommitted) for (const { partition, offset, order } of pending) this.commit(partition, offset, order)
  }
}

function nameOf(partition: number | 'view'): string {
  return partition === 'view' ? 'events.vlsn-0' : `events-${partition}`
}

function named(offsets: (readonly [number | 'view', number])[]): Record<string, number> {
  return Object.fromEntries(offsets.map(([partition, offset]) => [nameOf(partition), offset]))
}

/** Readers of three, later more, partitions, who commit as they please, under one strategy after another. */
async function play(
  seed: number,
  { strategies, readsView }: { strategies: StrategyName[]; readsView: boolean },
): Promise<Record<string, number>> {
  const random = seededRandom(seed)
  const below = (bound: number): number => random.below(bound)
  const { scene: first, events } = await eventsScene('vlsn', 20)
  let scene = first
  let strategy: StrategyName = 'vlsn'
  const ledger = new Ledger()
  const history: string[] = []
  const seen = { commits: 0, switches: 0, restarts: 0, ends: 0 }
  const partitions = (): number[] => Array.from({ length: events.partitionCount }, (_, index) => index)
  /** Where a reader may be: mostly further on than what it is told, at times back. */
  const offsetFor = (partition: number): number => {
    const length = events.logs[partition]!.length
    const from = Number(ledger.partitions.get(partition)?.offset ?? 0n)
    return below(5) === 0 ? below(length + 1) : Math.min(length, from + below(6))
  }
  const some = (isOfView = false): (readonly [number | 'view', number])[] => {
    if (isOfView && below(6) === 0) return [['view', below(Number(events.end) + 1)]]
    return partitions()
      .filter(() => below(2) === 0)
      .map(partition => [partition, offsetFor(partition)] as const)
  }
  for (let step = 0; step < 120; step++) {
    const what = below(20)
    if (what < 4) events.write(1 + below(8))
    else if (what === 4) events.skip()
    else if (what === 5) events.mark(below(events.partitionCount))
    else if (what === 6 && events.partitionCount < 6) events.grow(events.partitionCount + 1)
    else if (what === 7) {
      const partition = below(events.partitionCount)
      events.deleteBefore(partition, below(3) === 0 ? below(events.logs[partition]!.length + 1) : 0)
    } else if (what === 8) {
      choose(scene, (strategy = strategies[below(strategies.length)]!))
      seen.switches++
      history.push(strategy)
    } else if (what === 9) {
      const crashed = scene
      scene = await crashed.crash()
      await close(crashed)
      seen.restarts++
      history.push('restart')
    } else if (what < 12) {
      const producerId = producerIds[below(2)]!
      if (ledger.pending.has(producerId) && below(2) === 0) {
        const isCommitted = below(2) === 0
        await end(scene, producerId, isCommitted ? 'COMMIT' : 'ABORT')
        ledger.end(producerId, isCommitted)
        seen.ends++
        history.push(`end ${producerId} ${isCommitted}`)
      } else {
        const offsets = some()
        history.push(`${producerId}: ${JSON.stringify(named(offsets))}`)
        if (offsets.length > 0) await commitFor(scene, producerId, named(offsets))
        for (const [partition, offset] of offsets) ledger.commitFor(producerId, partition, BigInt(offset))
      }
    } else {
      const offsets = some(readsView)
      history.push(JSON.stringify(named(offsets)))
      await scene.commit(named(offsets))
      for (const [partition, offset] of offsets) ledger.commit(partition, BigInt(offset))
      seen.commits++
    }
    await check()
  }
  await close(scene)
  return seen

  /** Nothing that is there and was not committed lies before where the group is told to go on. */
  async function check(): Promise<void> {
    const told = await scene.committed([...partitions().map(nameOf), 'events.vlsn-0'])
    const number = BigInt(told['events.vlsn-0']!)
    for (const partition of partitions()) {
      const { offset = undefined, order = 0 } = ledger.partitions.get(partition) ?? {}
      // A view that was committed later says that all below is done.
      const isOfView = ledger.view !== undefined && ledger.view.order > order
      const open = events
        .from(partition, isOfView && strategy !== 'per_partition' ? 0n : offset)
        .filter(vlsn => !isOfView || strategy === 'per_partition' || vlsn >= ledger.view!.vlsn)
      const at = told[nameOf(partition)]!
      const before = `${history.join('; ')}: partition ${partition} told ${at}, number ${number}`
      if (at >= 0) {
        const skipped = open.filter(vlsn => events.logs[partition]!.indexOf(vlsn) < at)
        expect(skipped, before).toEqual([])
      }
      if (strategy !== 'per_partition' && number >= 0n)
        expect(
          open.filter(vlsn => vlsn < number),
          before,
        ).toEqual([])
    }
    if (strategy === 'per_partition') return
    const numbers = partitions().map(partition => told[nameOf(partition)]!)
    // All or none: with the number, every partition has somewhere to go on.
    if (number >= 0n) expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
  }
}

test.each(seeds)(
  'seed %i: whatever is committed under whichever strategy, nothing is ever skipped',
  async seed => {
    const seen = await play(seed, { strategies: ['per_partition', 'vlsn', 'hybrid'], readsView: false })
    expect(seen['commits']).toBeGreaterThan(20)
    expect(seen['ends']).toBeGreaterThan(0)
  },
)

test.each(seeds)('seed %i + 1000: nor is it where others read the view in the same group', async seed => {
  const seen = await play(seed + 1_000, { strategies: ['vlsn', 'hybrid'], readsView: true })
  expect(seen['commits']).toBeGreaterThan(20)
})
