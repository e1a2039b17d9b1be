import { expect, test } from 'vitest'
import { fetch } from '../../src/broker/apis/01-fetch.ts'
import type { Of } from '../../src/protocol/schema.ts'
import { connect, startBroker } from '../support/broker.ts'
import { batchOf, fetchOf, makeTopic, produceTo } from '../support/requests.ts'
import { WireClient } from '../support/wire-client.ts'

const mebibyte = 1024 * 1024
const partitionCount = 20
const readerCount = 20

function lengthOf({ responses }: Of<typeof fetch.response>): number {
  return responses[0]!.partitions.reduce((sum, { records }) => sum + (records?.length ?? 0), 0)
}

test('answers that nobody takes are bounded together, and others still get on', async () => {
  const { address } = await startBroker()
  const client = await connect(address)
  const topic = await makeTopic(client, { partitions: partitionCount })
  const batch = batchOf(['x'.repeat(900_000)])
  for (let index = 0; index < partitionCount; index++) await produceTo(client, topic, batch, { index })
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ partition }))
  const request = fetchOf(topic, partitions, { maxBytes: 50 * mebibyte })
  const whole = partitionCount * batch.length
  expect(lengthOf(await client.call(fetch, 17, request))).toBe(whole)

  const readers: WireClient[] = []
  for (let index = 0; index < readerCount; index++) {
    const reader = await WireClient.connect(address, { isReading: false })
    reader.post(fetch, 17, request)
    readers.push(reader)
  }
  const next = async (): Promise<number> => lengthOf(await client.call(fetch, 17, request))
  await expect.poll(next).toBeLessThan(2 * mebibyte)
  expect(await next()).toBeGreaterThanOrEqual(batch.length)

  await Promise.all(readers.map(reader => reader.close()))
  await expect.poll(next).toBe(whole)
})
