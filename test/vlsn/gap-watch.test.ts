import { expect, test } from 'vitest'
import type { Cancel } from '../../src/base/clock.ts'
import { GapWatch, type Gap } from '../../src/vlsn/gap-watch.ts'
import type { VlsnTopic } from '../../src/vlsn/vlsn-topic.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** Refuses timers once there have been more of them than a wait needs. */
class ThriftyClock extends ManualClock {
  #left = 5

  override after(delayMs: number, callback: () => void): Cancel {
    if (this.#left-- === 0) throw new Error('waits again and again')
    return super.after(delayMs, callback)
  }
}

test('closes a gap when its time is up, to the fraction of a millisecond in which that is found', async () => {
  const clock = new ThriftyClock(0)
  // 24.003 + 1000 is 1024.003, and 1024.003 - 24.003 is less than 1000: found by a simulated broker, whose time stood still over it.
  await clock.advance(24.003)
  const closed: object[] = []
  const undecided = { stableOffset: 0 }
  const gap = { from: 3n, to: 5n, place: { vlsn: 5n, offset: 0 }, partition: undecided } as unknown as Gap
  const topic = { gap: () => (closed.length === 0 ? gap : undefined), raiseFloor: () => {} }
  const watch = new GapWatch(topic as unknown as VlsnTopic, {
    clock,
    closeGap: async ({ from, to }) => void closed.push({ from, to }),
    reportBug: error => expect(error).toBeUndefined(),
  })
  watch.configure({ gapTimeoutMs: 1_000 })
  watch.check()
  await clock.advance(999)
  expect(closed).toEqual([])
  await clock.advance(1)
  expect(closed).toEqual([{ from: 3n, to: 5n }])
  watch.close()
})
