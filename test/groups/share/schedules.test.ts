import { expect, test } from 'vitest'
import { seededRandom, type Random } from '../../../src/base/random.ts'
import { acknowledgeTypes } from '../../../src/groups/share/acknowledgement.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'
import { settled } from '../../support/manual-clock.ts'
import { shareKey, ShareScene } from '../../support/share-scene.ts'

/**
 * Members that take records, settle them, leave them lying and go, over a share coordinator whose log stalls, fails and
 * restarts, under a seed. A model listens to what they are told: a record has one live lock at a time, is handed out no more often
 * than the limit allows in one life of the broker, is never handed out again once somebody was told that it is done with, and
 * none is lost.
 */

const seeds = Array.from({ length: 15 }, (_, index) => 2_000 + index)
const { accept, release, reject, renew } = acknowledgeTypes
const deliveryCountMax = 4
const lockMs = 30_000

interface Held {
  memberId: string
  untilMs: number
}

test.each(seeds)(
  'every record is handed out, and nothing is promised that does not hold (seed %i)',
  async seed => {
    expect(await run(seededRandom(seed))).toEqual([])
  },
)

async function run(random: Random): Promise<string[]> {
  const problems: string[] = []
  let scene = await ShareScene.open()
  scene.configs.set('share.auto.offset.reset', shareKey.groupId, 'earliest')
  scene.configs.set('share.delivery.count.limit', shareKey.groupId, deliveryCountMax)
  let held = new Map<number, Held>()
  let counts = new Map<number, number>()
  const delivered = new Set<number>()
  const done = new Set<number>()
  /** Acknowledgements that were not answered: they hold or they do not. */
  const pending = new Set<Promise<void>>()
  const members = ['a', 'b', 'c']

  const take = async (memberId: string, recordsMax: number): Promise<number> => {
    const led = await scene.open()
    let taken = 0
    for (const [first, last, count] of scene.acquire(led, memberId, recordsMax) as [
      number,
      number,
      number,
    ][]) {
      for (let offset = first; offset <= last; offset++, taken++) {
        const lock = held.get(offset)
        if (lock && lock.untilMs > scene.clock.now())
          problems.push(`${offset} is ${lock.memberId}'s, and was handed to ${memberId}`)
        if (done.has(offset)) problems.push(`${offset} is done with, and was handed out`)
        const times = (counts.get(offset) ?? 0) + 1
        counts.set(offset, times)
        if (times > deliveryCountMax || count > deliveryCountMax)
          problems.push(`${offset} was handed out ${times} times`)
        held.set(offset, { memberId, untilMs: scene.clock.now() + lockMs })
        delivered.add(offset)
      }
    }
    return taken
  }

  const settle = (memberId: string, type: number): void => {
    const mine = [...held].filter(
      ([, lock]) => lock.memberId === memberId && lock.untilMs > scene.clock.now(),
    )
    const [chosen] = mine[random.below(Math.max(mine.length, 1))] ?? []
    if (chosen === undefined) return
    const answer = scene.open().then(async led => {
      await led.acknowledge(memberId, [{ firstOffset: chosen, lastOffset: chosen, types: [type] }])
      if (type === accept || type === reject) done.add(chosen)
    })
    if (type === renew) held.set(chosen, { memberId, untilMs: scene.clock.now() + lockMs })
    else held.delete(chosen)
    const settled = answer.catch((error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
    })
    pending.add(settled)
    void settled.finally(() => pending.delete(settled))
  }

  const forget = (): void => {
    held = new Map()
    counts = new Map()
  }

  for (let step = 0; step < 150; step++) {
    const memberId = members[random.below(members.length)]!
    switch (random.below(12)) {
      case 0:
        scene.log.append(1 + random.below(8))
        break
      case 1:
      case 2:
      case 3:
        await take(memberId, 1 + random.below(6)).catch(toleratesFailure)
        break
      case 4:
      case 5:
      case 6:
        settle(memberId, [accept, accept, release, reject, renew][random.below(5)]!)
        break
      case 7:
        await scene.clock.advance(random.below(20_000))
        break
      case 8: {
        const led = await scene.open().catch(toleratesFailure)
        led?.release(memberId).catch(() => {})
        for (const [offset, lock] of held) if (lock.memberId === memberId) held.delete(offset)
        break
      }
      case 9:
        scene.topic.hold()
        settle(memberId, accept)
        await settled()
        scene.topic.release()
        break
      case 10:
        if (random.below(3) > 0) break
        scene.topic.fail(new Error('the disk failed'))
        settle(memberId, accept)
        await settled()
        scene.topic.heal()
        await settled()
        // What is known is read from the log again.
        forget()
        scene.led.end(shareKey)
        break
      default:
        if (random.below(4) > 0) break
        scene = await scene.crash()
        forget()
    }
    await settled()
  }
  await Promise.all(pending)
  // Whoever is left works through the rest.
  for (let round = 0; round < 10; round++) {
    while ((await take('last', 1_000)) > 0) {
      for (const [offset, lock] of held) {
        if (lock.memberId !== 'last') continue
        const led = await scene.open()
        await led.acknowledge('last', [{ firstOffset: offset, lastOffset: offset, types: [accept] }])
        done.add(offset)
        held.delete(offset)
      }
    }
    await scene.clock.advance(lockMs)
  }
  for (let offset = 0; offset < Number(scene.log.highWatermark); offset++)
    if (!delivered.has(offset)) problems.push(`${offset} was lost`)
  const led = await scene.open()
  if (led.nextFetchOffset !== Number(scene.log.highWatermark))
    problems.push(`it stopped at ${led.nextFetchOffset}`)
  return [...problems, ...led.audit(), ...(await scene.states.audit()), ...scene.bugs.map(String)]
}

function toleratesFailure(error: unknown): undefined {
  if (!(error instanceof KafkaError)) throw error
}
