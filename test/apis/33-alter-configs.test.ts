import { describe, expect, test, vi } from 'vitest'
import { alterConfigs } from '../../src/broker/apis/33-alter-configs.ts'
import { configSources } from '../../src/broker/configs/settings.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { alterWhole, described, done, ofBroker, ofTopic, set } from '../support/configs.ts'
import { makeTopic, versionsOf } from '../support/requests.ts'

const { topic, byDefault } = configSources

describe.each(versionsOf(alterConfigs))('version %i', version => {
  test('leaves nothing set but what is given', async () => {
    const client = await connectToBroker()
    const { name } = await makeTopic(client, { configs: { 'segment.ms': '5000', 'retention.ms': '6000' } })
    const change = ofTopic(name, set('retention.ms', '7000'), set('compression.type', 'gzip'))
    expect(await alterWhole(client, [change], { version })).toEqual([done])
    const all = async () => [
      await described(client, change, 'retention.ms'),
      await described(client, change, 'compression.type'),
      await described(client, change, 'segment.ms'),
    ]
    await vi.waitFor(
      async () =>
        expect(await all()).toEqual([
          `7000 from ${topic}`,
          `gzip from ${topic}`,
          `604800000 from ${byDefault}`,
        ]),
      10_000,
    )
    expect(await alterWhole(client, [ofTopic(name)], { version })).toEqual([done])
    await vi.waitFor(
      async () =>
        expect(await all()).toEqual([
          `604800000 from ${byDefault}`,
          `producer from ${byDefault}`,
          `604800000 from ${byDefault}`,
        ]),
      10_000,
    )
  })
})

test('checks and changes nothing when told to validate', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client, { configs: { 'retention.ms': '6000' } })
  expect(await alterWhole(client, [ofTopic(name)], { validateOnly: true })).toEqual([done])
  expect(await described(client, ofTopic(name), 'retention.ms')).toBe(`6000 from ${topic}`)
})

test('refuses loggers, and answers for the other resources', async () => {
  const client = await connectToBroker()
  const outcomes = await alterWhole(client, [
    { resourceType: 8, resourceName: '1', operations: [set('root', 'INFO')] },
    ofBroker('1'),
  ])
  expect(outcomes.map(({ error }) => error)).toEqual(['INVALID_REQUEST', 'NONE'])
})

test('refuses both of two changes to one resource', async () => {
  const client = await connect((await startBroker()).address)
  const { name } = await makeTopic(client)
  const outcomes = await alterWhole(client, [ofTopic(name), ofTopic(name)])
  expect(outcomes.map(({ error }) => error)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
})
