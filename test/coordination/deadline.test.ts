import { expect, test } from 'vitest'
import { Deadline } from '../../src/coordination/deadline.ts'
import { ManualClock } from '../support/manual-clock.ts'

test('a deadline that is put off needs one timer, and is reached when it was set to last', async () => {
  const clock = new ManualClock()
  const deadline = new Deadline(clock)
  const reached: number[] = []
  for (let passed = 0; passed < 10; passed++) {
    deadline.set(1_000, () => void reached.push(clock.monotonic()))
    expect(clock.timerCount).toBe(1)
    await clock.advance(600)
  }
  expect(reached).toEqual([])
  await clock.advance(400)
  expect(reached).toEqual([6_400])
  await clock.advance(10_000)
  expect(reached).toEqual([6_400])
  expect(clock.timerCount).toBe(0)
})

test('a deadline can be brought forward', async () => {
  const clock = new ManualClock()
  const deadline = new Deadline(clock)
  const reached: string[] = []
  deadline.set(1_000, () => void reached.push('late'))
  deadline.set(100, () => void reached.push('early'))
  await clock.advance(100)
  expect(reached).toEqual(['early'])
  await clock.advance(1_000)
  expect(reached).toEqual(['early'])
})

test('a cancelled deadline is never reached', async () => {
  const clock = new ManualClock()
  const deadline = new Deadline(clock)
  let isReached = false
  deadline.set(100, () => (isReached = true))
  deadline.cancel()
  await clock.advance(1_000)
  expect(isReached).toBe(false)
  expect(clock.timerCount).toBe(0)
})
