import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { FetchSessions } from '../../src/broker/fetch-sessions.ts'
import { decode, encode } from '../../src/protocol/compile.ts'
import { FetchRequest } from '../../src/protocol/messages/01-fetch.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { fetchOf } from '../support/requests.ts'

const version = 17
const minute = 60_000

/** Two places, and what a consumer of `partitionCount` partitions does with them. */
function twoPlaces() {
  const clock = new ManualClock()
  const sessions = new FetchSessions(clock, seededRandom(1), 2)
  const topic = { name: '', topicId: 'IiJDSUrDTvyTIUY8EcIVsQ' }
  const plan = (sessionId: number, sessionEpoch: number, partitionCount: number): number => {
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ partition }))
    const request = encode(FetchRequest, version, fetchOf(topic, partitions, { sessionId, sessionEpoch }))
    return sessions.plan(decode(FetchRequest, version, request), version).sessionId
  }
  return {
    clock,
    begin: (partitionCount = 1): number => plan(0, 0, partitionCount),
    goOn: (sessionId: number, sessionEpoch: number): number => plan(sessionId, sessionEpoch, 0),
  }
}

test('lets nobody in while all who have a session came within two minutes', async () => {
  const { clock, begin, goOn } = twoPlaces()
  const [first, second] = [begin(), begin()]
  await clock.advance(2 * minute)
  expect(begin(100)).toBe(0)
  expect(goOn(first, 1)).toBe(first)
  expect(goOn(second, 1)).toBe(second)
})

test('gives the place of a session that nobody used for two minutes to whoever comes', async () => {
  const { clock, begin, goOn } = twoPlaces()
  const [first, second] = [begin(), begin()]
  await clock.advance(minute)
  goOn(first, 1)
  await clock.advance(minute + 1)
  const third = begin()
  expect(third).not.toBe(0)
  expect(() => goOn(second, 1)).toThrow('FETCH_SESSION_ID_NOT_FOUND')
  expect(goOn(first, 2)).toBe(first)
  expect(goOn(third, 1)).toBe(third)
})

test('gives the place of the smallest session that is older than two minutes to one that is larger', async () => {
  const { clock, begin, goOn } = twoPlaces()
  const [large, small] = [begin(3), begin(2)]
  await clock.advance(2 * minute + 1)
  goOn(large, 1)
  goOn(small, 1)
  expect(begin(2)).toBe(0)
  const larger = begin(3)
  expect(larger).not.toBe(0)
  expect(() => goOn(small, 2)).toThrow('FETCH_SESSION_ID_NOT_FOUND')
  expect(goOn(large, 2)).toBe(large)
})
