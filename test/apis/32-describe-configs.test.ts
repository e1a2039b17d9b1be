import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTopics } from '../../src/broker/apis/19-create-topics.ts'
import { describeConfigs } from '../../src/broker/apis/32-describe-configs.ts'
import { errorCodes } from '../../src/protocol/errors.ts'
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../src/protocol/messages/32-describe-configs.ts'
import { connect, startBroker } from '../support/broker.ts'
import type { WireClient } from '../support/wire-client.ts'

type Result = DescribeConfigsResponse['results'][number]
interface Refusal {
  resourceType: number
  resourceName: string
  errorCode: number
  errorMessage: string
}

const topicType = 2
const brokerType = 4
const groupType = 32
const { refusals } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../broker/configs/kafka-facts.json'), 'utf8'),
) as { refusals: Refusal[] }

async function begin(): Promise<WireClient> {
  const { address } = await startBroker({ settings: { 'num.partitions': 3 } })
  const client = await connect(address)
  const topic = { numPartitions: 1, replicationFactor: 1, assignments: [] }
  await client.call(createTopics, 7, {
    topics: [{ ...topic, name: 'short', configs: [{ name: 'retention.ms', value: '5000' }] }],
  })
  return client
}

async function ask(
  client: WireClient,
  resourceType: number,
  resourceName: string,
  rest: { keys?: string[]; version?: number } & Partial<DescribeConfigsRequest> = {},
): Promise<Result> {
  const { keys = null, version = 4, ...options } = rest
  const { results } = await client.call(describeConfigs, version, {
    resources: [{ resourceType, resourceName, configurationKeys: keys }],
    ...options,
  })
  expect(results).toHaveLength(1)
  return results[0]!
}

describe.each([1, 2, 3, 4])('version %i', version => {
  test('gives what a topic sets, what it falls back to, and where each came from', async () => {
    const client = await begin()
    const keys = ['retention.ms', 'segment.bytes', 'nothing.of.the.kind']
    const result = await ask(client, topicType, 'short', { keys, version, includeSynonyms: true })
    expect(result).toMatchObject({ errorCode: 0, errorMessage: '', resourceType: 2, resourceName: 'short' })
    const isTyped = version >= 3
    expect(result.configs).toEqual([
      {
        name: 'retention.ms',
        value: '5000',
        readOnly: false,
        configSource: 1,
        isSensitive: false,
        synonyms: [{ name: 'retention.ms', value: '5000', source: 1 }],
        configType: isTyped ? 5 : 0,
        documentation: isTyped ? null : '',
      },
      {
        name: 'segment.bytes',
        value: '1073741824',
        readOnly: false,
        configSource: 5,
        isSensitive: false,
        synonyms: [{ name: 'log.segment.bytes', value: '1073741824', source: 5 }],
        configType: isTyped ? 3 : 0,
        documentation: isTyped ? null : '',
      },
    ])
  })
})

const isKafkas = ({ name }: { name: string }): boolean => !name.startsWith('odradek.')

test('says everything when nobody chooses, and keeps synonyms and documentation to those who ask', async () => {
  const client = await begin()
  const topic = await ask(client, topicType, 'short')
  expect(topic.configs.filter(isKafkas)).toHaveLength(33)
  expect(
    topic.configs.every(({ synonyms, documentation }) => synonyms.length === 0 && documentation === null),
  ).toBe(true)
  const { configs } = await ask(client, topicType, 'short', { keys: [] })
  expect(configs.filter(isKafkas)).toHaveLength(33)
  const documented = await ask(client, topicType, 'short', { includeDocumentation: true })
  expect(documented.configs.every(({ documentation }) => documentation)).toBe(true)
})

test('tells of a broker what it was started with, and of all brokers nothing until something is set', async () => {
  const client = await begin()
  const { configs } = await ask(client, brokerType, '1', { keys: ['num.partitions', 'node.id', 'listeners'] })
  expect(
    configs.map(({ name, value, readOnly, configSource }) => [name, value, readOnly, configSource]),
  ).toEqual([
    ['listeners', 'PLAINTEXT://127.0.0.1:0', false, 4],
    ['node.id', '1', true, 5],
    ['num.partitions', '3', true, 4],
  ])
  expect(await ask(client, brokerType, '')).toMatchObject({ errorCode: 0, configs: [] })
})

test('knows the settings of any group, there or not', async () => {
  const client = await begin()
  const { configs } = await ask(client, groupType, 'any')
  expect(configs.filter(({ name }) => !name.startsWith('odradek.'))).toHaveLength(17)
  expect(configs.map(({ name }) => name)).toContain('odradek.commit.strategy')
})

test.each(refusals)('refuses type $resourceType "$resourceName" as Kafka does', async refusal => {
  const client = await begin()
  const { resourceType, resourceName } = refusal
  expect(await ask(client, resourceType, resourceName)).toEqual({ ...refusal, configs: [] })
})

test('refuses a type that it does not know, and answers for the others', async () => {
  const client = await begin()
  const { results } = await client.call(describeConfigs, 4, {
    resources: [
      { resourceType: 99, resourceName: 'x', configurationKeys: null },
      { resourceType: topicType, resourceName: 'short', configurationKeys: ['retention.ms'] },
    ],
  })
  expect(results.map(({ errorCode, configs }) => [errorCode, configs.length])).toEqual([
    [errorCodes.INVALID_REQUEST, 0],
    [errorCodes.NONE, 1],
  ])
})
