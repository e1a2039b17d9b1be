import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { GroupTopics } from '../../support/group-topics.ts'
import { internal, StreamsScene, StreamsThread, subtopology, topology } from '../../support/streams-scene.ts'

/**
 * Threads of a Streams application that come, go, hang and lose answers, over a coordinator that restarts, topics that grow and
 * standbys that are asked for, under a seed. At every moment a task is run by one thread at most, and is in the state
 * directory of a process once; when it is calm, every task is run.
 */
const seeds = Array.from({ length: 10 }, (_, index) => 2_000 + index)

const application = topology(
  subtopology('0', ['orders'], { repartitionSinkTopics: ['app-repartition'] }),
  subtopology('1', [], {
    repartitionSourceTopics: [internal('app-repartition')],
    stateChangelogTopics: [internal('app-changelog')],
  }),
)

interface Thread extends StreamsThread {
  /** An answer that it has not taken in yet, since it is still closing tasks. */
  unheard?: Awaited<ReturnType<StreamsScene['beat']>> | undefined
}

async function play(seed: number): Promise<{ problems: string[]; moves: number; restarts: number }> {
  const random = seededRandom(seed)
  const chance = (oneIn: number): boolean => random.below(oneIn) === 0
  let scene = await StreamsScene.open({}, { seed, topics: new GroupTopics({ orders: 4 }) })
  const { clock, topics } = scene.scene
  const threads: Thread[] = []
  const problems: string[] = []
  let memberCount = 0
  let moves = 0
  let restarts = 0

  const check = (when: string): void => {
    const runners = new Map<string, string>()
    const directories = new Set<string>()
    for (const { memberId, processId, active, standby } of threads) {
      for (const task of active) {
        if (runners.has(task))
          problems.push(`${when}: ${task} is run by ${runners.get(task)} and ${memberId}`)
        runners.set(task, memberId)
      }
      for (const task of [...active, ...standby]) {
        if (directories.has(`${processId} ${task}`))
          problems.push(`${when}: ${task} is in ${processId} twice`)
        directories.add(`${processId} ${task}`)
      }
    }
  }
  const come = (): void => {
    const memberId = `m${++memberCount}`
    threads.push(new StreamsThread(memberId, { topology: application, processId: `p${random.below(4)}` }))
  }
  const go = (thread: Thread): void => void threads.splice(threads.indexOf(thread), 1)

  const beat = async (thread: Thread): Promise<void> => {
    if (thread.unheard) {
      thread.hear(thread.unheard)
      thread.unheard = undefined
      return
    }
    const answer = await scene.beat(thread.request({}, true))
    if (answer.active) moves++
    // What is given back takes its time; an answer that is lost is never heard of.
    if (chance(10)) return
    if (chance(3)) thread.unheard = answer
    else thread.hear(answer)
  }

  for (let step = 0; step < 250; step++) {
    const kind = random.below(40)
    const thread = threads[random.below(Math.max(threads.length, 1))]
    if (!thread || (kind === 0 && threads.length < 7)) come()
    else if (kind === 1) {
      await thread.leave(scene)
      go(thread)
    } else if (kind === 2) {
      // It has crashed: nobody says so, and it runs nothing any more.
      go(thread)
      for (let passed = 0; passed < 46_000; passed += 4_000) {
        await clock.advance(4_000)
        for (const other of threads) await beat(other)
      }
    } else if (kind === 3) {
      await clock.advance(1_000)
      restarts++
      const crashed = scene
      scene = await crashed.crash(random.below(1_000_000), clock)
      await crashed.scene.coordinator.close()
    } else if (kind === 4) {
      scene.scene.configs.set('streams.num.standby.replicas', 'app', random.below(3))
    } else if (kind === 5 && chance(3)) {
      for (const name of ['orders', 'app-repartition', 'app-changelog']) {
        const count = topics.partitionCount(name)
        if (count !== undefined) topics.grow(name, count + 1)
      }
    } else await beat(thread)
    check(`step ${step}`)
    if (problems.length > 0) break
  }

  if (threads.length === 0) come()
  for (const thread of threads) if (thread.unheard) await beat(thread)
  // Those that lost the answer to their first heartbeat join again, as they would.
  for (let round = 0; round < 12; round++) {
    for (const thread of threads) {
      await thread.beat(scene)
      check(`calm round ${round}`)
    }
  }
  const run = threads.flatMap(({ active }) => [...active]).sort()
  const width = topics.partitionCount('orders')!
  if (run.length !== 2 * width) problems.push(`in the end run are ${run.join()} of ${width} each`)
  const { groupState } = await scene.describe()
  if (groupState !== 'Stable') problems.push(`in the end ${groupState}`)
  problems.push(...(await scene.problems()))
  await scene.scene.coordinator.close()
  return { problems, moves, restarts }
}

test.each(seeds)('seed %i: no task is run twice, and all are in the end', async seed => {
  const { problems, moves } = await play(seed)
  expect(problems).toEqual([])
  expect(moves).toBeGreaterThan(10)
})
