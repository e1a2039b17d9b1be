import { expect, test } from 'vitest'
import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { connect, startBroker } from '../support/broker.ts'
import { fetchOf, makeTopic } from '../support/requests.ts'

test('closes a connection that has been silent for connections.max.idle.ms, and not one that waits for an answer', async () => {
  const { address, lines } = await startBroker({ settings: { 'connections.max.idle.ms': 200 } })
  const waiting = await connect(address)
  const topic = await makeTopic(waiting)
  const answer = waiting.call(fetch, 13, fetchOf(topic, [{}], { maxWaitMs: 1500 }))
  const idle = await connect(address)
  await idle.closed
  expect(lines.some(line => JSON.stringify(line).includes('closing an idle connection'))).toBe(true)
  expect((await answer).errorCode).toBe(0)
})
