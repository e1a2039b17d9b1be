import { describe, expect, test } from 'vitest'
import { sleep } from '../../../src/base/clock.ts'
import { seededRandom, type Random } from '../../../src/base/random.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'
import { GroupScene } from '../../support/group-scene.ts'
import { GroupTopics } from '../../support/group-topics.ts'
import { settled } from '../../support/manual-clock.ts'
import { TestConsumer } from '../../support/test-consumer.ts'

/**
 * Thirty consumers of 120 partitions that come, go, hang and crash, over a coordinator whose log stalls, fails and restarts, under a
 * seed. At every moment a partition is worked on by one of them at most, and each that is given away again is so at a later epoch.
 */

const seeds = [2_000, 2_001]
const consumerCount = 30
const partitionCount = 120
const sessionMs = 6_000
const heartbeatMs = 2_000
const disturbedMs = 45_000

/** Who works on what, as the consumers themselves see it. */
class Model {
  readonly problems: string[] = []
  readonly #owners = new Map<string, { name: string; epoch: number }>()
  assignments = 0

  works(name: string, before: readonly string[], now: readonly string[], epoch: number): void {
    for (const partition of before) if (!now.includes(partition)) this.stops(name, partition)
    for (const partition of now) {
      if (before.includes(partition)) continue
      this.assignments++
      const owner = this.#owners.get(partition)
      if (owner && owner.name !== '')
        this.problems.push(`${partition} is worked on by ${owner.name} and ${name}`)
      if (owner && owner.epoch > epoch)
        this.problems.push(`${name} is given ${partition} at ${epoch}, after ${owner.epoch}`)
      this.#owners.set(partition, { name, epoch })
    }
  }

  stops(name: string, partition: string): void {
    const owner = this.#owners.get(partition)
    if (owner?.name === name) this.#owners.set(partition, { name: '', epoch: owner.epoch })
  }
}

interface World {
  readonly random: Random
  readonly model: Model
  scene: GroupScene
  isCalm: boolean
  isOver: boolean
}

class Actor {
  readonly name: string
  readonly #world: World
  readonly #instanceId: string | null
  #incarnation = 0
  #consumer: TestConsumer
  /** What it works on: what it has heard last. */
  owned: string[] = []
  epoch = 0

  constructor(world: World, index: number) {
    this.#world = world
    this.name = `c${index}`
    this.#instanceId = index % 5 === 0 ? this.name : null
    this.#consumer = this.#begin()
  }

  #begin(): TestConsumer {
    this.#consumer = new TestConsumer(this.#world.scene, `${this.name}-${++this.#incarnation}`, {
      instanceId: this.#instanceId,
      rebalanceTimeoutMs: 8_000,
    })
    return this.#consumer
  }

  async run(): Promise<void> {
    const { random } = this.#world
    while (!this.#world.isOver) {
      await this.#pause(2_000)
      if (this.#world.isOver || !(await this.#join())) continue
      while (!this.#world.isOver) {
        await this.#pause(heartbeatMs)
        if (!this.#world.isCalm && random.below(20) === 0) {
          await this.#disturb()
          break
        }
        if (!(await this.#beat())) break
      }
      this.#stop()
    }
  }

  async #join(): Promise<boolean> {
    const consumer = this.#begin()
    const isIn = await this.#heard(() => consumer.join())
    return isIn && consumer.error === 'NONE'
  }

  async #beat(): Promise<boolean> {
    this.#consumer.scene = this.#world.scene
    const isAnswered = await this.#heard(() => this.#consumer.beat())
    return (
      !isAnswered ||
      this.#consumer.error === 'NONE' ||
      this.#consumer.error === 'NOT_COORDINATOR' ||
      this.#consumer.error === 'COORDINATOR_LOAD_IN_PROGRESS'
    )
  }

  /** Leaves for good or for a while, vanishes, or hangs for longer than its session; then begins anew. */
  async #disturb(): Promise<void> {
    const kind = this.#world.random.below(4)
    this.#stop()
    if (kind === 0) await this.#heard(() => this.#consumer.leave())
    if (kind === 1 && this.#instanceId !== null) await this.#heard(() => this.#consumer.leave(-2))
    if (kind === 2) await sleep(this.#world.scene.clock, 2 * sessionMs)
  }

  /** Sends, and takes what it hears. False when no answer came. */
  async #heard(send: () => Promise<TestConsumer>): Promise<boolean> {
    const { scene } = this.#world
    try {
      await send()
    } catch (error) {
      if (error instanceof KafkaError) return false
      throw error
    }
    // An answer of a process that has died meanwhile is not heard.
    if (scene !== this.#world.scene) return false
    if (this.#consumer.error === 'NONE' && this.#consumer.epoch > 0) this.#works(this.#consumer.owned)
    return true
  }

  #works(partitions: string[]): void {
    this.epoch = this.#consumer.epoch
    this.#world.model.works(this.name, this.owned, partitions, this.epoch)
    this.owned = [...partitions]
  }

  #stop(): void {
    for (const partition of this.owned) this.#world.model.stops(this.name, partition)
    this.owned = []
  }

  #pause(delayMsMax: number): Promise<void> {
    return sleep(this.#world.scene.clock, 1 + this.#world.random.below(delayMsMax))
  }
}

/** Stalls, breaks and restarts the coordinator, and lets topics grow, until the world is calm. */
async function disturb(world: World, crash: () => Promise<void>): Promise<void> {
  const { random } = world
  while (!world.isCalm) {
    const { clock, topic, topics } = world.scene
    await sleep(clock, 1_000 + random.below(9_000))
    const kind = random.below(4)
    if (kind === 0) {
      topic.hold()
      await sleep(clock, 1 + random.below(2_000))
      topic.release()
    } else if (kind === 1) await crash()
    else if (kind === 2) {
      topic.fail(new KafkaError('KAFKA_STORAGE_ERROR'))
      await sleep(clock, 1 + random.below(500))
      topic.heal()
    } else topics.create('other', 1 + random.below(3))
  }
}

async function play(seed: number): Promise<{ model: Model; epoch: number }> {
  const random = seededRandom(seed)
  const model = new Model()
  const scene = await GroupScene.open({}, { seed, topics: new GroupTopics({ orders: partitionCount }) })
  scene.configs.set('consumer.session.timeout.ms', 'readers', sessionMs)
  scene.configs.set('consumer.heartbeat.interval.ms', 'readers', heartbeatMs)
  const world: World = { random, model, scene, isCalm: false, isOver: false }
  const { clock } = scene
  const crash = async (): Promise<void> => {
    const crashed = world.scene
    world.scene = await crashed.crash(random.below(1_000_000), clock)
    if (crashed.bugs.length > 0) model.problems.push(`bugs: ${crashed.bugs.join(', ')}`)
    crashed.topic.release()
    await crashed.coordinator.close()
  }
  const actors = Array.from({ length: consumerCount }, (_, index) => new Actor(world, index))
  const running = [...actors.map(actor => actor.run()), disturb(world, crash)]
  await clock.advance(disturbedMs)
  world.isCalm = true
  // Whoever hangs comes back, whoever was lost is found missing, and then three rounds of heartbeats.
  await clock.advance(3 * sessionMs + 4_000 + 3 * heartbeatMs)

  const sizes = actors.map(({ owned }) => owned.length)
  const share = partitionCount / consumerCount
  if (sizes.some(size => size !== share)) model.problems.push(`in the end they have ${sizes.join()}`)
  const [described] = await world.scene.coordinator.describeConsumers(['readers'])
  if (described!.groupState !== 'Stable' || described!.members.length !== consumerCount)
    model.problems.push(`in the end ${described!.groupState} with ${described!.members.length}`)
  model.problems.push(...world.scene.bugs.map(String), ...(await world.scene.coordinator.audit()))
  world.isOver = true
  await clock.advance(20_000)
  await Promise.all(running)
  await world.scene.coordinator.close()
  await settled()
  return { model, epoch: described!.groupEpoch }
}

describe('random schedules', () => {
  test.each(seeds)('seed %i: nobody works on what another one works on', async seed => {
    const { model, epoch } = await play(seed)
    expect(model.problems).toEqual([])
    expect(epoch).toBeGreaterThan(20)
    expect(model.assignments).toBeGreaterThan(300)
  })
})
