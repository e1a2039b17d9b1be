import { expect, test } from 'vitest'
import { Pace } from '../../src/storage/pace.ts'
import { ManualClock, settled } from '../support/manual-clock.ts'

interface Scene {
  readonly clock: ManualClock
  readonly pace: Pace
  rate: number
  /** Passes so many bytes; the result tells whether they have gone on. */
  pass(length: number): { isDone: boolean }
}

function begin(rate: number): Scene {
  const clock = new ManualClock()
  const scene: Scene = {
    clock,
    pace: new Pace(clock, () => scene.rate),
    rate,
    pass(length) {
      const passing = { isDone: false }
      void scene.pace.pass(length).then(() => (passing.isDone = true))
      return passing
    },
  }
  return scene
}

test('lets bytes go on at their rate, however many steps that takes', async () => {
  const { clock, pass } = begin(1000)
  const passing = pass(3500)
  await clock.advance(3498)
  expect(passing.isDone).toBe(false)
  await clock.advance(2)
  expect(passing.isDone).toBe(true)
})

test('adds up what is too little to wait for', async () => {
  const { clock, pace, pass } = begin(10_000)
  for (let count = 0; count < 2; count++) await pace.pass(4)
  expect(clock.timerCount).toBe(0)
  const passing = pass(8)
  await settled()
  expect([passing.isDone, clock.timerCount]).toEqual([false, 1])
  await clock.advance(2)
  expect(passing.isDone).toBe(true)
})

test('does not catch up what was not used', async () => {
  const { clock, pass } = begin(1000)
  await clock.advance(60_000)
  const passing = pass(500)
  await clock.advance(499)
  expect(passing.isDone).toBe(false)
  await clock.advance(1)
  expect(passing.isDone).toBe(true)
})

test.each([Infinity, Number.MAX_VALUE])('holds nothing back at a rate of %d', async rate => {
  const { clock, pass } = begin(rate)
  for (let count = 0; count < 3; count++) {
    const passing = pass(1e9)
    await settled()
    expect([passing.isDone, clock.timerCount]).toEqual([true, 0])
  }
})

test.each([0, -1, NaN, 0.1])(
  'a rate of %d holds back no longer than a second after it is raised',
  async rate => {
    const scene = begin(rate)
    const { clock } = scene
    const passing = scene.pass(1_000_000)
    await clock.advance(86_400_000)
    expect(passing.isDone).toBe(false)
    scene.rate = 1e9
    await clock.advance(1000)
    expect(passing.isDone).toBe(true)
  },
)

test('a rate that falls counts for what is still to be waited for', async () => {
  const scene = begin(1000)
  const { clock } = scene
  const passing = scene.pass(2000)
  await clock.advance(1000)
  scene.rate = 100
  await clock.advance(9000)
  expect(passing.isDone).toBe(false)
  await clock.advance(1000)
  expect(passing.isDone).toBe(true)
})

test('holds nothing back once it is stopped, neither what waits nor what comes', async () => {
  const { clock, pace, pass } = begin(0)
  const waiting = pass(1)
  await settled()
  pace.stop()
  const coming = pass(1)
  await settled()
  expect([waiting.isDone, coming.isDone, clock.timerCount]).toEqual([true, true, 0])
})
