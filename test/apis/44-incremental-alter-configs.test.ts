import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { describeConfigs } from '../../src/broker/apis/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../src/broker/apis/44-incremental-alter-configs.ts'
import { configSources } from '../../src/broker/configs/settings.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import {
  alter,
  alterWhole,
  append,
  described,
  done,
  ofBroker,
  ofGroup,
  ofTopic,
  set,
  subtract,
  unset,
  type Alteration,
  type Operation,
} from '../support/configs.ts'
import { batchOf, eventually, makeTopic, produceTo, uniqueName, versionsOf } from '../support/requests.ts'
import type { WireClient } from '../support/wire-client.ts'

interface Refusal extends Alteration {
  readonly api: 33 | 44
  readonly operations: Operation[]
  readonly error: string
  readonly message: string
}

const { refusals } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../broker/configs/kafka-alterations.json'), 'utf8'),
) as { refusals: Refusal[] }

const { topic, group, dynamicBroker, dynamicDefaultBroker, byDefault } = configSources

/** Apache Kafka describes what it was told a little later. */
async function expectDescribed(
  client: WireClient,
  resource: Alteration,
  name: string,
  expected: string,
): Promise<void> {
  await vi.waitFor(async () => expect(await described(client, resource, name)).toBe(expected), 10_000)
}

describe.each(versionsOf(incrementalAlterConfigs))('version %i', version => {
  test("sets and deletes a topic's settings, and leaves the others as they are", async () => {
    const client = await connectToBroker()
    const { name } = await makeTopic(client, { configs: { 'segment.ms': '5000' } })
    const change = ofTopic(name, set('retention.ms', ' 7000 '), set('max.message.bytes', '2000'))
    expect(await alter(client, [change], { version })).toEqual([done])
    await expectDescribed(client, change, 'retention.ms', `7000 from ${topic}`)
    await expectDescribed(client, change, 'segment.ms', `5000 from ${topic}`)
    expect(await alter(client, [ofTopic(name, unset('retention.ms'))], { version })).toEqual([done])
    await expectDescribed(client, change, 'retention.ms', `604800000 from ${byDefault}`)
    await expectDescribed(client, change, 'max.message.bytes', `2000 from ${topic}`)
  })
})

test('appends to lists and subtracts from them, beginning with the default', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  const steps: [Operation, string][] = [
    [append('cleanup.policy', 'compact'), 'delete,compact'],
    [append('cleanup.policy', 'compact,delete'), 'delete,compact'],
    [subtract('cleanup.policy', 'delete'), 'compact'],
    [subtract('cleanup.policy', 'delete,compact'), ''],
    [append('cleanup.policy', 'delete'), 'delete'],
  ]
  for (const [operation, expected] of steps) {
    expect(await alter(client, [ofTopic(name, operation)])).toEqual([done])
    await expectDescribed(client, ofTopic(name), 'cleanup.policy', `${expected} from ${topic}`)
  }
})

test('changes a resource whole or not at all, and each by itself', async () => {
  const client = await connectToBroker()
  const [one, two] = [await makeTopic(client), await makeTopic(client)]
  const outcomes = await alter(client, [
    ofTopic(one.name, set('retention.ms', '1'), set('segment.bytes', '1')),
    ofTopic(two.name, set('retention.ms', '2')),
    ofTopic('absent', set('retention.ms', '3')),
  ])
  expect(outcomes.map(({ error }) => error)).toEqual(['INVALID_CONFIG', 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
  await expectDescribed(client, ofTopic(two.name), 'retention.ms', `2 from ${topic}`)
  await expectDescribed(client, ofTopic(one.name), 'retention.ms', `604800000 from ${byDefault}`)
})

test('checks and changes nothing when told to validate', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  const options = { validateOnly: true }
  const changes = [ofTopic(name, set('retention.ms', '5')), ofBroker('1', set('log.retention.ms', '5'))]
  expect(await alter(client, changes, options)).toEqual([done, done])
  const [refused] = await alter(client, [ofTopic(name, set('retention.ms', 'x'))], options)
  expect(refused!.error).toBe('INVALID_CONFIG')
  expect(await described(client, ofTopic(name), 'retention.ms')).toBe(`604800000 from ${byDefault}`)
})

test('refuses both of two changes to one resource', async () => {
  const client = await connectToBroker()
  const { name } = await makeTopic(client)
  const change = ofTopic(name, set('retention.ms', '5'))
  const refused = { error: 'INVALID_REQUEST', message: 'Each resource must appear at most once.' }
  expect(await alter(client, [change, change])).toEqual([refused, refused])
})

describe('of a broker', () => {
  const name = 'log.segment.delete.delay.ms'

  test('what is set for one stands before what is set for all, and topics fall back to both', async () => {
    const client = await connectToBroker()
    const made = await makeTopic(client)
    const inherited = (expected: string): Promise<void> =>
      expectDescribed(client, ofTopic(made.name), 'file.delete.delay.ms', expected)
    expect(await alter(client, [ofBroker('', set(name, '11'))])).toEqual([done])
    await inherited(`11 from ${dynamicDefaultBroker}`)
    expect(await alter(client, [ofBroker('1', set(name, '12'))])).toEqual([done])
    await inherited(`12 from ${dynamicBroker}`)
    await expectDescribed(client, ofBroker(''), name, `11 from ${dynamicDefaultBroker}`)
    expect(await alter(client, [ofBroker('1', unset(name))])).toEqual([done])
    await inherited(`11 from ${dynamicDefaultBroker}`)
    expect(await alter(client, [ofBroker('', unset(name))])).toEqual([done])
    await inherited(`60000 from ${byDefault}`)
  })

  test.each([
    'follower.replication.throttled.rate',
    'leader.replication.throttled.rate',
    'replica.alter.log.dirs.io.max.bytes.per.second',
  ])('%s, which is no setting of the start, is taken, and shown where it is set', async name => {
    const client = await connectToBroker()
    const [one, all] = [ofBroker('1', set(name, '1000')), ofBroker('', set(name, '2000'))]
    expect(await alter(client, [one, all])).toEqual([done, done])
    await expectDescribed(client, one, name, `1000 from ${dynamicBroker}`)
    await expectDescribed(client, all, name, `2000 from ${dynamicDefaultBroker}`)
    const negative = `Invalid value -1 for configuration ${name}: Value must be at least 0`
    expect(await alter(client, [ofBroker('1', set(name, '-1'))])).toEqual([
      { error: 'INVALID_REQUEST', message: negative },
    ])
    expect(await alter(client, [ofBroker('1', unset(name)), ofBroker('', unset(name))])).toEqual([done, done])
    const { results } = await eventually(
      () => client.call(describeConfigs, 4, { resources: [{ ...one, configurationKeys: [name] }] }),
      ({ results: [result] }) => result!.configs.length === 0,
    )
    expect(results[0]!.configs).toEqual([])
  })

  test('passwords are kept and never shown', async () => {
    const client = await connectToBroker()
    const change = ofBroker('1', set('sasl.jaas.config', 'hunter2'))
    expect(await alter(client, [change])).toEqual([done])
    await expectDescribed(client, change, 'sasl.jaas.config', `null from ${dynamicBroker}`)
    expect(await alter(client, [ofBroker('1', unset('sasl.jaas.config'))])).toEqual([done])
  })

  test('what is read at start alone, what nobody knows, loggers and client metrics are refused', async () => {
    const client = await connect((await startBroker()).address)
    const changes = [
      ofBroker('1', set('listeners', 'PLAINTEXT://:1')),
      ofBroker('', set('odradek.shards', '2')),
      { resourceType: 8, resourceName: '1', operations: [set('root', 'DEBUG')] },
      { resourceType: 16, resourceName: 'subscription', operations: [set('metrics', '*')] },
    ]
    expect(await alter(client, changes)).toEqual([
      { error: 'INVALID_REQUEST', message: 'Cannot update these configs dynamically: [listeners]' },
      { error: 'INVALID_REQUEST', message: 'Cannot update these configs dynamically: [odradek.shards]' },
      { error: 'INVALID_REQUEST', message: expect.stringContaining('odradek.log.level') },
      { error: 'INVALID_REQUEST', message: 'Client metrics subscriptions are not served' },
    ])
    const [unknown] = await alter(client, [ofBroker('', set('log.retention.msx', '1'))])
    expect(unknown!.message).toBe('unknown setting log.retention.msx; did you mean log.retention.ms?')
  })
})

test('sets what a group has for itself', async () => {
  const client = await connectToBroker()
  const resource = ofGroup(uniqueName('group'), set('consumer.session.timeout.ms', '50000'))
  expect(await alter(client, [resource])).toEqual([done])
  await expectDescribed(client, resource, 'consumer.session.timeout.ms', `50000 from ${group}`)
  await alter(client, [{ ...resource, operations: [unset('consumer.session.timeout.ms')] }])
  await expectDescribed(client, resource, 'consumer.session.timeout.ms', `45000 from ${byDefault}`)
})

test('refuses a session of a group that does not outlast its heartbeats', async () => {
  const settings = {
    'group.share.min.session.timeout.ms': 1000,
    'group.share.max.heartbeat.interval.ms': 9000,
  }
  const client = await connect((await startBroker({ settings })).address)
  const [outcome] = await alter(client, [
    ofGroup('g', set('share.session.timeout.ms', '6000'), set('share.heartbeat.interval.ms', '6000')),
  ])
  const message = 'share.session.timeout.ms must be greater than share.heartbeat.interval.ms'
  expect(outcome).toEqual({ error: 'INVALID_CONFIG', message })
})

test('refuses what Apache Kafka refuses, in its words', async () => {
  const client = await connect((await startBroker()).address)
  await makeTopic(client, { name: 't1' })
  for (const { api, error, message, ...change } of refusals) {
    const [outcome] = await (api === 44 ? alter : alterWhole)(client, [change])
    expect({ ...change, ...outcome }).toEqual({ ...change, error, message })
  }
})

test('is in force at once, for the topic and through the broker', async () => {
  const client = await connect((await startBroker()).address)
  const made = await makeTopic(client)
  const produce = async (): Promise<string> =>
    errorName((await produceTo(client, made, batchOf(['x'.repeat(1000)]))).errorCode)
  expect(await produce()).toBe('NONE')
  await alter(client, [ofBroker('', set('message.max.bytes', '500'))])
  expect(await produce()).toBe('MESSAGE_TOO_LARGE')
  await alter(client, [ofBroker('1', set('message.max.bytes', '5000'))])
  expect(await produce()).toBe('NONE')
  await alter(client, [ofTopic(made.name, set('max.message.bytes', '500'))])
  expect(await produce()).toBe('MESSAGE_TOO_LARGE')
  await alter(client, [ofTopic(made.name, unset('max.message.bytes'))])
  expect(await produce()).toBe('NONE')
})

test('outlives the broker', async () => {
  const disk = memoryDisk()
  const first = await startBroker({ disk })
  const before = await connect(first.address)
  await makeTopic(before, { name: 'kept' })
  const changes = [
    ofTopic('kept', set('retention.ms', '5')),
    ofBroker('', set('log.segment.delete.delay.ms', '6')),
    ofBroker('1', set('message.max.bytes', '500')),
    ofGroup('kept', set('consumer.session.timeout.ms', '50000')),
    ofGroup('emptied', set('consumer.session.timeout.ms', '50000')),
  ]
  expect(await alter(before, changes)).toEqual([done, done, done, done, done])
  await alter(before, [ofGroup('emptied', unset('consumer.session.timeout.ms'))])
  await first.stop()

  const after = await connect((await startBroker({ disk })).address)
  expect(await described(after, changes[0]!, 'retention.ms')).toBe(`5 from ${topic}`)
  expect(await described(after, changes[1]!, 'log.segment.delete.delay.ms')).toBe(
    `6 from ${dynamicDefaultBroker}`,
  )
  expect(await described(after, changes[0]!, 'max.message.bytes')).toBe(`500 from ${dynamicBroker}`)
  expect(await described(after, changes[3]!, 'consumer.session.timeout.ms')).toBe(`50000 from ${group}`)
  expect(await described(after, changes[4]!, 'consumer.session.timeout.ms')).toBe(`45000 from ${byDefault}`)
})
