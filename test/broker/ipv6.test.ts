import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { describeGroups } from '../../src/broker/apis/15-describe-groups.ts'
import { connect, startBroker } from '../support/broker.ts'
import { joinAlone } from '../support/group-requests.ts'

const hasIpv6 = Object.values(networkInterfaces()).some(each =>
  each?.some(({ address }) => address === '::1'),
)

test.skipIf(!hasIpv6)('an IPv6 address can be told from its port', async () => {
  const { broker } = await startBroker({ host: '::1' })
  const { port, advertisedHost } = broker.listeners[0]!
  expect(advertisedHost).toBe('::1')
  expect(broker.address).toBe(`[::1]:${port}`)
  expect(new URL(`tcp://${broker.address}`).port).toBe(String(port))
})

test.skipIf(!hasIpv6)('a client is named by its IPv4 address on a listener for both families', async () => {
  const { broker } = await startBroker({ host: '::' })
  const client = await connect(`127.0.0.1:${broker.listeners[0]!.port}`)
  await joinAlone(client, 'readers')
  const { groups } = await client.call(describeGroups, 5, { groups: ['readers'] })
  expect(groups[0]!.members).toMatchObject([{ clientHost: '/127.0.0.1' }])
})
