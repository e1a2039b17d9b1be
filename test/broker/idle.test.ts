import { once } from 'node:events'
import { createConnection } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Channel, ChunkReader, Network } from '../../src/base/network.ts'
import { fetch } from '../../src/broker/apis/01-fetch.ts'
import { systemNetwork } from '../../src/broker/server.ts'
import { connect, startBroker } from '../support/broker.ts'
import { batchOf, fetchOf, makeTopic, produceTo } from '../support/requests.ts'
import { encodeRequest } from '../support/wire-client.ts'

test('closes a connection that has been silent for connections.max.idle.ms, and not one that waits for an answer', async () => {
  const { address, lines } = await startBroker({ settings: { 'connections.max.idle.ms': 800 } })
  const waiting = await connect(address)
  const topic = await makeTopic(waiting)
  const answer = waiting.call(fetch, 13, fetchOf(topic, [{}], { maxWaitMs: 3000 }))
  const idle = await connect(address)
  await idle.closed
  expect(lines.some(line => JSON.stringify(line).includes('closing an idle connection'))).toBe(true)
  expect((await answer).errorCode).toBe(0)
})

test('lets go of a peer that never reads its answer', async () => {
  const channels: Channel[] = []
  const network: Network = {
    listen: (address, accept, failed) =>
      systemNetwork.listen(
        address,
        ({ clientHost, open }) => {
          const openNoted = (reader: ChunkReader): Channel => {
            channels.push(open(reader))
            return channels.at(-1)!
          }
          accept({ clientHost, open: openNoted })
        },
        failed,
      ),
  }
  const { broker } = await startBroker({ network, settings: { 'connections.max.idle.ms': 1500 } })
  const client = await connect(broker.address)
  const topic = await makeTopic(client)
  // More than the buffers of both sockets hold.
  const batch = batchOf(['x'.repeat(1_000_000)])
  await Promise.all(Array.from({ length: 30 }, () => produceTo(client, topic, batch)))

  const reader = createConnection({ host: '127.0.0.1', port: broker.listeners[0]!.port })
  onTestFinished(() => void reader.destroy())
  await once(reader, 'connect')
  const limits = { maxBytes: 40_000_000 }
  reader.write(encodeRequest(fetch, 13, 1, fetchOf(topic, [{ partitionMaxBytes: 40_000_000 }], limits)))
  reader.pause()
  await expect.poll(() => channels[1]?.destroyed, { timeout: 20_000 }).toBe(true)
})
