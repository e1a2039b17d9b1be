import { describe, expect, test } from 'vitest'
import { seededRandom, type Random } from '../../src/base/random.ts'
import type { TransactionEnd } from '../../src/coordination/state-topic.ts'
import { settled } from '../support/manual-clock.ts'
import { TransactionScene } from '../support/transaction-scene.ts'

/**
 * Producers of both protocols, two of them with one id, over a coordinator whose log and markers stall and which crashes, under a seed.
 * A model keeps what every partition's log would hold: in the end each transaction is committed in all of its partitions or aborted in
 * all of them, as its producer was told, and nothing is open.
 */

const seeds = Array.from({ length: 8 }, (_, index) => 3_000 + index)
const partitions = ['a-0', 'a-1', 'b-0', 'c-5']

interface Entry {
  readonly producerId: bigint
  /** Of data: the transaction that it belongs to. */
  readonly transaction?: string
  /** Of a marker. */
  readonly type?: TransactionEnd['type']
}

class Model {
  readonly logs = new Map(partitions.map(partition => [partition, [] as Entry[]]))
  readonly told = new Map<string, TransactionEnd['type']>()
  readonly asked = new Map<string, TransactionEnd['type']>()

  /** What became of a transaction in each partition that has data of it. */
  problems(): string[] {
    const outcomes = new Map<string, Set<string>>()
    for (const log of this.logs.values()) {
      log.forEach(({ transaction, producerId }, index) => {
        if (transaction === undefined) return
        const marker = log.slice(index).find(entry => entry.type && entry.producerId === producerId)
        const known = outcomes.get(transaction) ?? new Set()
        outcomes.set(transaction, known.add(marker?.type ?? 'open'))
      })
    }
    const problems: string[] = []
    for (const [transaction, known] of outcomes) {
      const [outcome] = known
      if (known.size > 1) problems.push(`${transaction} is ${[...known].join(' and ')}`)
      if (known.has('open')) problems.push(`${transaction} is open`)
      const told = this.told.get(transaction)
      if (told && told !== outcome)
        problems.push(`${transaction} is ${outcome}, its producer was told ${told}`)
      if (outcome === 'COMMIT' && this.asked.get(transaction) !== 'COMMIT')
        problems.push(`${transaction} is committed, and nobody asked for that`)
    }
    return problems
  }
}

/** Everything that is alive; a crash puts another coordinator in the place of the one before. */
interface Play {
  readonly random: Random
  readonly model: Model
  scene: TransactionScene
  /** The number of the process; what one of before does comes to nothing. */
  life: number
  isOver: boolean
}

async function produce(play: Play, name: string, id: string, version: number): Promise<void> {
  const { random, model } = play
  let as: string | undefined
  for (let count = 0; !play.isOver; count++) {
    await settled()
    if (as === undefined) {
      const said = await play.scene.init(id)
      as = said.includes('/') ? said : undefined
      continue
    }
    const { scene, life } = play
    const transaction = `${name}.${count}`
    const [producerId, producerEpoch] = as.split('/')
    const claim = {
      transactionalId: id,
      producerId: BigInt(producerId!),
      producerEpoch: Number(producerEpoch),
    }
    const chosen = partitions.filter(() => random.below(2) === 0)
    let isWhole = (await scene.add(as, chosen.length > 0 ? chosen : ['a-0'], { id, version })) === 'NONE'
    for (const partition of chosen) {
      if (random.below(3) === 0) await settled()
      const [topic, index] = partition.split('-')
      // The append and its check are one step.
      if (isWhole && play.life === life && scene.coordinator.isOngoing(claim, topic!, Number(index)))
        model.logs.get(partition)!.push({ producerId: claim.producerId, transaction })
      else isWhole = false
    }
    const type = isWhole && random.below(3) > 0 ? 'COMMIT' : 'ABORT'
    model.asked.set(transaction, type)
    const said = await play.scene.end(as, type, { id, version })
    if (said.includes('/')) model.told.set(transaction, type)
    as = said.includes('/') ? said : undefined
  }
}

/** Has markers have their place in the model's logs at once, as long as their process lives. */
function record({ markers }: TransactionScene, play: Play): void {
  const { life } = play
  const write = markers.write.bind(markers)
  markers.write = (topic, partition, end) => {
    const entry = { producerId: end.producerId, type: end.type }
    if (play.life === life) play.model.logs.get(`${topic}-${partition}`)!.push(entry)
    return write(topic, partition, end)
  }
}

async function play(seed: number): Promise<Model> {
  const random = seededRandom(seed)
  const model = new Model()
  const play: Play = { random, model, scene: await TransactionScene.open(), life: 0, isOver: false }
  record(play.scene, play)
  const running = [
    produce(play, 'p', 'shared', 2),
    produce(play, 'q', 'shared', 2),
    produce(play, 'r', 'own', 2),
    produce(play, 'old', 'old', 0),
  ]
  const bugs: unknown[] = []
  for (let step = 0; step < 60; step++) {
    const what = random.below(10)
    const { scene } = play
    if (what < 2) scene.topic.hold()
    else if (what < 3) scene.markers.hold()
    else if (what < 4) await scene.clock.advance(random.below(70_000))
    else if (what < 5) {
      // What the old one had not synced is lost; what it says from now on nobody hears.
      play.life++
      const crashing = scene.crash(next => record(next, play))
      scene.topic.fail(new Error('crashed'))
      play.scene = await crashing
      scene.markers.release()
      bugs.push(...scene.bugs)
    }
    await settled()
    if (random.below(2) === 0) {
      play.scene.topic.release()
      play.scene.markers.release()
    }
    await settled()
  }
  play.isOver = true
  for (let round = 0; round < 20; round++) {
    play.scene.topic.release()
    play.scene.markers.release()
    await settled()
  }
  await Promise.all(running)
  await play.scene.clock.advance(120_000)
  expect([...bugs, ...play.scene.bugs, ...(await play.scene.coordinator.audit())]).toEqual([])
  return model
}

describe('random schedules', () => {
  test.each(seeds)(
    'seed %i: every transaction is committed or aborted as a whole, as its producer was told',
    async seed => {
      const model = await play(seed)
      expect(model.problems()).toEqual([])
      expect(model.told.size).toBeGreaterThan(10)
    },
  )
})
