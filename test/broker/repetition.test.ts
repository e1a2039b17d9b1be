import { expect, test } from 'vitest'
import { Repetition } from '../../src/broker/repetition.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** Work that is noted, with a pause that may be changed. */
function repeated(firstMs: number) {
  const clock = new ManualClock()
  const pause = { ms: 100 }
  const doneAtMs: number[] = []
  const repetition = new Repetition({
    clock,
    firstMs,
    pauseMs: () => pause.ms,
    work: async () => void doneAtMs.push(clock.monotonic()),
  })
  return { clock, pause, doneAtMs, repetition }
}

test('waits for the first time, and then for the pause between the end of one and the next', async () => {
  const { clock, doneAtMs } = repeated(30)
  await clock.advance(250)
  expect(doneAtMs).toEqual([30, 130, 230])
})

test('goes by another pause in the wait that is under way', async () => {
  const { clock, pause, doneAtMs, repetition } = repeated(0)
  await clock.advance(50)
  pause.ms = 60
  repetition.retime()
  await clock.advance(70)
  expect(doneAtMs).toEqual([0, 60, 120])
})

test('does nothing any more once it is stopped, whatever becomes of the pause', async () => {
  const { clock, pause, doneAtMs, repetition } = repeated(0)
  await clock.advance(50)
  repetition.stop()
  pause.ms = 60
  repetition.retime()
  await clock.advance(1_000)
  expect(doneAtMs).toEqual([0])
  expect(clock.timerCount).toBe(0)
})
