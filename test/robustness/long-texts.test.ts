import { expect, test } from 'vitest'
import { describeGroups } from '../../src/broker/apis/15-describe-groups.ts'
import { createTopics } from '../../src/broker/apis/19-create-topics.ts'
import { describeConfigs } from '../../src/broker/apis/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../src/broker/apis/44-incremental-alter-configs.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, startBroker } from '../support/broker.ts'
import type { WireClient } from '../support/wire-client.ts'

/** As long as a string can be: whatever quotes it whole cannot be answered. */
const longest = 'x'.repeat(0x7fff)

interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

async function creation(client: WireClient, name: string, configs: { name: string; value: string }[]) {
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }
  return (await client.call(createTopics, 7, { topics: [topic], timeoutMs: 1000 })).topics[0]!
}

const cases: [what: string, error: string, ask: (client: WireClient) => Promise<Refusal>][] = [
  ['the name of a topic', 'INVALID_TOPIC_EXCEPTION', client => creation(client, longest, [])],
  [
    'the name of a setting',
    'INVALID_CONFIG',
    client => creation(client, 'orders', [{ name: longest, value: '1' }]),
  ],
  [
    'the value of a setting',
    'INVALID_CONFIG',
    client => creation(client, 'orders', [{ name: 'retention.ms', value: longest }]),
  ],
  [
    'the broker to describe',
    'INVALID_REQUEST',
    async client => {
      const resources = [{ resourceType: 4, resourceName: longest, configurationKeys: null }]
      return (await client.call(describeConfigs, 4, { resources })).results[0]!
    },
  ],
  [
    'the broker to alter',
    'INVALID_REQUEST',
    async client => {
      const resources = [{ resourceType: 4, resourceName: longest, configs: [] }]
      return (await client.call(incrementalAlterConfigs, 1, { resources, validateOnly: false })).responses[0]!
    },
  ],
  [
    'a group that is not there',
    'GROUP_ID_NOT_FOUND',
    async client => (await client.call(describeGroups, 6, { groups: [longest] })).groups[0]!,
  ],
]

test.each(cases)('the longest text is quoted in part, and is no bug of ours: %s', async (_, error, ask) => {
  const client = await connect((await startBroker()).address)
  const { errorCode, errorMessage } = await ask(client)
  expect(errorName(errorCode)).toBe(error)
  expect(errorMessage).toContain('xxx')
})
