import { expect, test, vi } from 'vitest'
import { listConfigResources } from '../../src/broker/apis/74-list-config-resources.ts'
import { resourceTypes } from '../../src/broker/configs/resources.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connectToBroker } from '../support/broker.ts'
import { alter, done, ofGroup, set, unset } from '../support/configs.ts'
import { makeTopic, uniqueName } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

const { topic, broker, clientMetrics, group } = resourceTypes

async function list(client: WireClient, types: number[]): Promise<string[]> {
  const answer = await client.call(listConfigResources, 1, { resourceTypes: types })
  expect(answer.errorCode).toBe(0)
  return answer.configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)
}

test('names topics, the broker, and the groups that have settings', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  const groupName = uniqueName('group')
  const timeout = 'consumer.session.timeout.ms'
  expect(await alter(client, [ofGroup(groupName, set(timeout, '50000'))])).toEqual([done])
  await vi.waitFor(async () => expect(await list(client, [group])).toContain(`32 ${groupName}`), 10_000)
  expect(await list(client, [topic])).toContain(`2 ${name}`)
  expect(await list(client, [topic])).not.toContain('4 1')
  expect(await list(client, [broker, broker])).toEqual(['4 1'])
  expect(await list(client, [])).toEqual(expect.arrayContaining([`2 ${name}`, '4 1', `32 ${groupName}`]))
  await alter(client, [ofGroup(groupName, unset(timeout))])
  await vi.waitFor(async () => expect(await list(client, [group])).not.toContain(`32 ${groupName}`), 10_000)
})

test('knows no client metrics subscriptions, which is all that version 0 asks for', async () => {
  const client = await connectToBroker()
  await makeTopic(client)
  expect(await list(client, [clientMetrics])).toEqual([])
  expect(await client.call(listConfigResources, 0, {})).toMatchObject({ errorCode: 0, configResources: [] })
})

test('refuses types that do not exist with UNSUPPORTED_VERSION', async () => {
  const client = await connectToBroker()
  const answer = await client.call(listConfigResources, 1, { resourceTypes: [topic, 3] })
  expect(errorName(answer.errorCode)).toBe('UNSUPPORTED_VERSION')
  expect(answer.configResources).toEqual([])
})
