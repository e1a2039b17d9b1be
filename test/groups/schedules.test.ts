import { describe, expect, test } from 'vitest'
import { sleep } from '../../src/base/clock.ts'
import { seededRandom, type Random } from '../../src/base/random.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { GroupScene, type Joined } from '../support/group-scene.ts'
import { settled } from '../support/manual-clock.ts'

/**
 * Consumers that come, go, hang and crash, over a coordinator whose log stalls, fails and restarts, under a seed. A model
 * listens to what they are told: within a generation a partition has one owner, a commit that was acknowledged is never
 * lost, and none is acknowledged to a generation that has been followed by another.
 */

const partitions = [0, 1, 2, 3, 4, 5, 6, 7]
const seeds = Array.from({ length: 12 }, (_, index) => 1_000 + index)

class Model {
  readonly problems: string[] = []
  readonly #owners = new Map<string, string>()
  readonly #acknowledged = new Map<number, number>()
  readonly #attempted = new Map<number, Set<number>>()
  generationId = 0
  assignments = 0
  commits = 0

  assigned(consumer: Consumer, generationId: number, owned: number[]): void {
    this.assignments++
    this.generationId = Math.max(this.generationId, generationId)
    for (const partition of owned) {
      const place = `${generationId}/${partition}`
      const owner = this.#owners.get(place) ?? consumer.identity
      if (owner !== consumer.identity)
        this.problems.push(`${place} is owned by ${owner} and ${consumer.identity}`)
      this.#owners.set(place, owner)
    }
  }

  attempted(partition: number, offset: number): void {
    const attempts = this.#attempted.get(partition) ?? new Set()
    this.#attempted.set(partition, attempts.add(offset))
  }

  acknowledged(partition: number, offset: number, generationId: number, generationAsked: number): void {
    this.commits++
    if (generationAsked > generationId) {
      this.problems.push(
        `a commit of generation ${generationId} was taken after ${generationAsked} had begun`,
      )
    }
    this.#acknowledged.set(partition, offset)
    this.#attempted.delete(partition)
  }

  /** Offsets rise, so that what is kept is the last acknowledged one or an attempt since. */
  check(committed: Record<string, number>): void {
    for (const [partition, offset] of this.#acknowledged) {
      const kept = committed[`orders-${partition}`] ?? -1
      if (kept !== offset && !this.#attempted.get(partition)?.has(kept)) {
        this.problems.push(`orders-${partition} is at ${kept}, acknowledged was ${offset}`)
      }
    }
  }
}

/** A connection to a process, which dies with it. */
class Lifetime {
  readonly ended: Promise<never>
  #end!: () => void

  constructor() {
    this.ended = new Promise((_, reject) => (this.#end = () => reject(new LostError())))
    this.ended.catch(() => {})
  }

  end(): void {
    this.#end()
  }
}

/** What the consumers share: the coordinator of the day, and the end of the day. */
interface World {
  readonly random: Random
  readonly model: Model
  scene: GroupScene
  lifetime: Lifetime
  /** No more faults: everybody is to find together. */
  isCalm: boolean
  isOver: boolean
  nextOffset: number
}

class Consumer {
  readonly name: string
  readonly #world: World
  readonly #isStatic: boolean
  #memberId = ''
  owned: number[] = []

  constructor(world: World, index: number, isStatic: boolean) {
    this.#world = world
    this.name = `c${index}`
    this.#isStatic = isStatic
  }

  get identity(): string {
    return this.#isStatic ? this.name : this.#memberId
  }

  get #instance(): { groupInstanceId?: string } {
    return this.#isStatic ? { groupInstanceId: this.name } : {}
  }

  async run(): Promise<void> {
    while (!this.#world.isOver) {
      const joined = await this.#asked(scene =>
        scene.join({
          memberId: this.#memberId,
          clientId: this.name,
          rebalanceTimeoutMs: 8_000,
          sessionTimeoutMs: 6_000,
          ...this.#instance,
        }),
      )
      if (joined === undefined) continue
      if (joined.error === 'NONE' || joined.error === 'MEMBER_ID_REQUIRED') this.#memberId = joined.memberId
      if (joined.error === 'UNKNOWN_MEMBER_ID' || joined.error === 'FENCED_INSTANCE_ID') this.#memberId = ''
      if (joined.error === 'NONE') await this.#takePart(joined)
      else await this.#pause(50)
    }
  }

  async #takePart(joined: Joined): Promise<void> {
    if (this.#chance(10)) await this.#pause(9_000)
    const { memberId, generationId } = joined
    const assignments = joined.leader === memberId && !joined.skipAssignment ? share(joined.members) : {}
    const synced = await this.#asked(scene =>
      scene.sync({ memberId, generationId, assignments, ...this.#instance }),
    )
    if (synced?.error !== 'NONE') {
      if (synced?.error === 'UNKNOWN_MEMBER_ID' || synced?.error === 'FENCED_INSTANCE_ID') this.#memberId = ''
      return this.#pause(20)
    }
    this.owned = synced.assignment === '' ? [] : synced.assignment.split(',').map(Number)
    this.#world.model.assigned(this, generationId, this.owned)
    await this.#consume(memberId, generationId)
    this.owned = []
  }

  async #consume(memberId: string, generationId: number): Promise<void> {
    const { model } = this.#world
    while (!this.#world.isOver) {
      await this.#pause(500)
      if (this.#chance(4)) await this.#commit(memberId, generationId)
      if (!this.#world.isCalm && this.#chance(25)) return this.#disturb(memberId)
      const beat = await this.#asked(scene =>
        scene.heartbeat(memberId, generationId, this.#isStatic ? this.name : null),
      )
      if (beat === undefined || beat === 'NOT_COORDINATOR') continue
      if (beat === 'UNKNOWN_MEMBER_ID' || beat === 'FENCED_INSTANCE_ID') this.#memberId = ''
      if (beat !== 'NONE') return
      if (model.problems.length > 0) return
    }
  }

  /** Hangs beyond its session, vanishes and comes back, or leaves. */
  async #disturb(memberId: string): Promise<void> {
    const kind = this.#world.random.below(3)
    if (kind === 0) return this.#pause(14_000)
    if (kind === 1) await this.#asked(scene => scene.leave([{ memberId, ...this.#instance }]))
    this.#memberId = ''
    await this.#pause(3_000)
  }

  async #commit(memberId: string, generationId: number): Promise<void> {
    const { model } = this.#world
    for (const partition of this.owned) {
      const offset = this.#world.nextOffset++
      const generationAsked = model.generationId
      model.attempted(partition, offset)
      const result = await this.#asked(scene =>
        scene.commit({ [`orders-${partition}`]: offset }, { memberId, generationId, ...this.#instance }),
      )
      if (result?.[`orders-${partition}`] === 'NONE')
        model.acknowledged(partition, offset, generationId, generationAsked)
      else return
    }
  }

  /** Asks the coordinator of the day; undefined when it crashes in between. */
  async #asked<T>(ask: (scene: GroupScene) => Promise<T>): Promise<T | undefined> {
    const { scene, lifetime } = this.#world
    const answer = await Promise.race([ask(scene), lifetime.ended]).catch((error: unknown) => {
      if (error instanceof LostError) return undefined
      throw error
    })
    if (answer === undefined) await this.#pause(100)
    return answer
  }

  #chance(oneIn: number): boolean {
    return this.#world.random.below(oneIn) === 0
  }

  #pause(delayMsMax: number): Promise<void> {
    return sleep(this.#world.scene.clock, 1 + this.#world.random.below(delayMsMax))
  }
}

class LostError extends Error {}

/** Shares the partitions among the members, as even as it goes. */
function share(members: { memberId: string }[]): Record<string, string> {
  return Object.fromEntries(
    members.map(({ memberId }, index) => [
      memberId,
      partitions.filter(partition => partition % members.length === index).join(','),
    ]),
  )
}

/** Stalls, breaks and restarts the coordinator until the world is calm. */
async function disturb(world: World, crash: () => Promise<void>): Promise<void> {
  const { random } = world
  while (!world.isCalm) {
    const { clock, topic } = world.scene
    await sleep(clock, 1_000 + random.below(9_000))
    const kind = random.below(4)
    if (kind < 2) topic.hold()
    await sleep(clock, 1 + random.below(kind === 0 ? 3_000 : 10))
    if (kind === 0) topic.release()
    if (kind === 1 || kind === 2) await crash()
    if (kind === 3) {
      topic.fail(new KafkaError('KAFKA_STORAGE_ERROR'))
      await sleep(clock, 1 + random.below(500))
      topic.heal()
    }
  }
}

async function play(seed: number): Promise<Model> {
  const random = seededRandom(seed)
  const model = new Model()
  const scene = await GroupScene.open({}, { seed })
  const world: World = {
    random,
    model,
    scene,
    lifetime: new Lifetime(),
    isCalm: false,
    isOver: false,
    nextOffset: 1,
  }
  const { clock } = scene
  const crash = async (): Promise<void> => {
    const crashed = world.scene
    world.lifetime.end()
    world.scene = await crashed.crash(random.below(1_000_000), clock)
    world.lifetime = new Lifetime()
    model.check(await world.scene.committed())
    if (crashed.bugs.length > 0) model.problems.push(`bugs: ${crashed.bugs.join(', ')}`)
    // Nobody hears the old process any more, whatever it still does.
    crashed.topic.release()
    await crashed.coordinator.close()
  }

  const consumers = Array.from({ length: 5 }, (_, index) => new Consumer(world, index, index < 2))
  const running = [...consumers.map(consumer => consumer.run()), disturb(world, crash)]
  await clock.advance(180_000)
  world.isCalm = true
  await clock.advance(90_000)

  const owned = consumers.flatMap(consumer => consumer.owned).sort()
  if (owned.join() !== partitions.join()) model.problems.push(`in the end owned are ${owned.join()}`)
  const { groupState, members } = await world.scene.describe()
  if (groupState !== 'Stable' || members.length !== 5)
    model.problems.push(`in the end ${groupState} with ${members.length}`)
  model.check(await world.scene.committed())
  model.problems.push(...world.scene.bugs.map(String), ...(await world.scene.coordinator.audit()))
  world.isOver = true
  world.lifetime.end()
  await clock.advance(60_000)
  await Promise.all(running)
  await world.scene.coordinator.close()
  await settled()
  return model
}

describe('random schedules', () => {
  test.each(seeds)(
    'seed %i: one owner per partition and generation, and no acknowledged commit is lost',
    async seed => {
      const model = await play(seed)
      expect(model.problems).toEqual([])
      expect(model.generationId).toBeGreaterThan(5)
      expect(model.assignments).toBeGreaterThan(20)
      expect(model.commits).toBeGreaterThan(50)
    },
  )
})
