import { describe, expect, test } from 'vitest'
import { validateBrokerConfigs } from '../../../src/broker/configs/broker-config.ts'
import { configSources, Settings } from '../../../src/broker/configs/settings.ts'
import { errorName, KafkaError } from '../../../src/protocol/errors.ts'
import { connect, startBroker } from '../../support/broker.ts'
import { alter, alterWhole, append, done, ofBroker, ofTopic, set } from '../../support/configs.ts'
import { makeTopic } from '../../support/requests.ts'

type Values = Readonly<Record<string, string>>

interface Scene {
  /** What was set before: at start, for all brokers, for this one. */
  readonly atStart?: Values
  readonly forAll?: Values
  readonly forOne?: Values
  readonly isPerBroker?: boolean
}

const mapOf = (values: Values): Map<string, string> => new Map(Object.entries(values))

/** The error and its message; undefined when the change is fine. */
function refusal(
  configs: Values,
  { atStart = {}, forAll = {}, forOne = {}, isPerBroker = true }: Scene = {},
): string | undefined {
  const settings = new Settings(mapOf(atStart))
  settings.replace(configSources.dynamicDefaultBroker, mapOf(forAll))
  settings.replace(configSources.dynamicBroker, mapOf(forOne))
  try {
    validateBrokerConfigs(mapOf(configs), { isPerBroker, settings })
    return undefined
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return `${errorName(error.code)}: ${error.message}`
  }
}

describe('log.retention.ms', () => {
  const refused =
    'INVALID_REQUEST: requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1'

  test.each([true, false])('of 0 is refused (for one broker: %j)', isPerBroker => {
    expect(refusal({ 'log.retention.ms': '0' }, { isPerBroker })).toBe(refused)
    expect(refusal({ 'log.retention.ms': ' -0 ' }, { isPerBroker })).toBe(refused)
  })

  test.each(['1', '-1', '-2', '9223372036854775807'])('of %s is fine', value => {
    expect(refusal({ 'log.retention.ms': value })).toBeUndefined()
  })

  test('may not be taken back where hours of 0 stand behind it', () => {
    const atStart = { 'log.retention.hours': '0' }
    expect(refusal({ 'log.retention.ms': '1' }, { atStart })).toBeUndefined()
    expect(refusal({}, { atStart, forOne: { 'log.retention.ms': '1' } })).toBe(refused)
  })
})

describe.each(['consumer', 'share', 'streams'])('group.%s.assignment.interval.ms', type => {
  const name = `group.${type}.assignment.interval.ms`
  const least = `group.${type}.min.assignment.interval.ms`
  const most = `group.${type}.max.assignment.interval.ms`
  const tooLong = `INVALID_REQUEST: ${name} must be less than or equal to ${most}`
  const tooShort = `INVALID_REQUEST: ${name} must be greater than or equal to ${least}`

  test('is bounded by the defaults', () => {
    for (const isPerBroker of [true, false]) {
      expect(refusal({ [name]: '15001' }, { isPerBroker })).toBe(tooLong)
      expect(refusal({ [name]: '15000' }, { isPerBroker })).toBeUndefined()
      expect(refusal({ [name]: '0' }, { isPerBroker })).toBeUndefined()
    }
  })

  test('is bounded by what the broker was started with', () => {
    const atStart = { [least]: '500', [most]: '20000' }
    expect(refusal({ [name]: '20000' }, { atStart })).toBeUndefined()
    expect(refusal({ [name]: '20001' }, { atStart })).toBe(tooLong)
    expect(refusal({ [name]: '500' }, { atStart })).toBeUndefined()
    expect(refusal({ [name]: '499' }, { atStart })).toBe(tooShort)
  })

  test('does not hinder other changes by its default', () => {
    const atStart = { [least]: '500' }
    expect(refusal({ 'log.retention.ms': '5' }, { atStart })).toBeUndefined()
  })
})

describe('log.cleaner.dedupe.buffer.size', () => {
  const name = 'log.cleaner.dedupe.buffer.size'
  const threads = 'log.cleaner.threads'
  const refused = `INVALID_REQUEST: requirement failed: ${name} must be at least 1MB per cleaner thread.`

  test('has to be more than 1 MiB for each cleaner thread', () => {
    expect(refusal({ [name]: '1048576' })).toBe(refused)
    expect(refusal({ [name]: '1048577' })).toBeUndefined()
    expect(refusal({ [name]: '2097153', [threads]: '2' })).toBe(refused)
    expect(refusal({ [name]: '2097154', [threads]: '2' })).toBeUndefined()
    expect(refusal({ [name]: '-1' })).toBe(refused)
  })

  test('is judged with the threads, wherever each was set', () => {
    const isPerBroker = false
    expect(refusal({ [threads]: '2' }, { isPerBroker, atStart: { [name]: '2000000' } })).toBe(refused)
    expect(refusal({ [threads]: '2' }, { forAll: { [name]: '2000000' } })).toBe(refused)
    expect(refusal({ [name]: '2000000' }, { isPerBroker, forOne: { [threads]: '2' } })).toBe(refused)
  })

  test('is judged by what is in force: what is set for one broker hides what is set for all', () => {
    expect(refusal({ [name]: '1' }, { isPerBroker: false, forOne: { [name]: '2000000' } })).toBeUndefined()
    expect(refusal({}, { forAll: { [name]: '1' }, forOne: { [name]: '2000000' } })).toBe(refused)
  })

  test('cannot be shared out among no threads', () => {
    expect(refusal({ [threads]: '0' })).toBe(refused)
  })
})

describe('a pool of threads', () => {
  const name = 'num.io.threads'
  const failed = 'INVALID_REQUEST: Dynamic thread count update validation failed for num.io.threads'

  test('is at most doubled and at most halved in one step', () => {
    expect(refusal({ [name]: '16' })).toBeUndefined()
    expect(refusal({ [name]: '4' })).toBeUndefined()
    expect(refusal({ [name]: '17' })).toBe(
      `${failed}=17, value should not be greater than double the current value 8`,
    )
    expect(refusal({ [name]: '3' })).toBe(`${failed}=3, value should be at least half the current value 8`)
  })

  test('counts from what is in force', () => {
    const forOne = { [name]: '32' }
    expect(refusal({ [name]: '64' }, { forOne })).toBeUndefined()
    expect(refusal({}, { forOne })).toBe(`${failed}=8, value should be at least half the current value 32`)
    expect(refusal({ [name]: '1000' }, { isPerBroker: false, forOne })).toBeUndefined()
    expect(refusal({}, { forAll: { [name]: '1000' }, forOne })).toMatch(failed)
    expect(refusal({ [name]: '60' }, { atStart: { [name]: '30' } })).toBeUndefined()
  })

  test('has half of its threads, rounded down', () => {
    expect(refusal({ 'num.network.threads': '1' })).toBeUndefined()
    expect(refusal({ 'num.network.threads': '7' })).toMatch('not be greater than double the current value 3')
  })

  test('has other words in the cleaner', () => {
    const threads = 'log.cleaner.threads'
    expect(refusal({ [threads]: '3' })).toBe(
      'INVALID_REQUEST: Log cleaner threads cannot be increased to more than double the current value 1',
    )
    expect(refusal({ [threads]: '1' }, { forOne: { [threads]: '4' } })).toBe(
      'INVALID_REQUEST: Log cleaner threads cannot be reduced to less than half the current value 4',
    )
    expect(refusal({ [threads]: '1' }, { forOne: { [threads]: '3' } })).toBeUndefined()
  })
})

describe('max.connections.per.ip.overrides', () => {
  const name = 'max.connections.per.ip.overrides'
  const invalid = `INVALID_REQUEST: ${name} contains invalid addresses : `

  test.each([
    'a:1,b:2',
    'a:1, b:2',
    'a:1,',
    '::1:5',
    ':7',
    'a : 5',
    'a_b:+05',
    'a:-1',
    'a:1,a:2',
    '%:1',
    '',
    ' ',
  ])('of %j is fine', value => {
    expect(refusal({ [name]: value })).toBeUndefined()
  })

  test.each([
    ['a:b', 'INVALID_REQUEST: For input string: "b"'],
    ['a:', 'INVALID_REQUEST: For input string: ""'],
    ['a:1:b,c d:2', 'INVALID_REQUEST: For input string: "b"'],
    ['a:99999999999', 'INVALID_REQUEST: For input string: "99999999999"'],
    ['a', `INVALID_REQUEST: Error parsing configuration property '${name}': begin 0, end -1, length 1`],
    [',a:1', `INVALID_REQUEST: Error parsing configuration property '${name}': begin 0, end -1, length 0`],
    ['c d:2,*:4', `${invalid}c d,*`],
    ['[::1]:5', `${invalid}[::1]`],
    ['ü:1', `${invalid}ü`],
  ])('of %j is refused', (value, expected) => {
    expect(refusal({ [name]: value })).toBe(expected)
  })

  test('has to be there where nobody else may connect', () => {
    const none = { 'max.connections.per.ip': '0' }
    const refused = `INVALID_REQUEST: requirement failed: max.connections.per.ip can be set to zero only if ${name} property is set.`
    expect(refusal(none)).toBe(refused)
    expect(refusal({ ...none, [name]: 'a:1' })).toBeUndefined()
    expect(refusal({}, { isPerBroker: false, forAll: { [name]: 'a:1' }, forOne: none })).toBe(refused)
  })
})

test.each(['max.connections', 'max.connection.creation.rate'])('%s of 0 is refused', name => {
  expect(refusal({ [name]: '0' })).toBe(`INVALID_REQUEST: Invalid ${name} 0`)
  expect(refusal({ [name]: '1' })).toBeUndefined()
})

test('a metrics reporter that is not there is refused', () => {
  const own = 'org.apache.kafka.common.metrics.JmxReporter'
  for (const value of ['', own]) expect(refusal({ 'metric.reporters': value })).toBeUndefined()
  for (const value of ['no.such.Class', `${own},no.such.Class`, 'JmxReporter']) {
    expect(refusal({ 'metric.reporters': value })).toMatch(
      'INVALID_REQUEST: Validation of dynamic config update',
    )
  }
})

test('what the broker was started with hinders no other change', () => {
  const atStart = {
    'log.cleaner.threads': '3',
    'max.connections': '0',
    'max.connections.per.ip.overrides': 'a:b',
    'metric.reporters': 'no.such.Class',
  }
  expect(refusal({ 'log.retention.ms': '5' }, { atStart })).toBeUndefined()
})

test('both requests that alter settings are refused, and nothing of theirs is set', async () => {
  const client = await connect((await startBroker()).address)
  for (const [name, value] of [
    ['log.retention.ms', '0'],
    ['group.share.assignment.interval.ms', '15001'],
    ['log.cleaner.dedupe.buffer.size', '1024'],
    ['num.io.threads', '17'],
    ['max.connections.per.ip.overrides', 'a:b'],
  ] as const) {
    for (const broker of ['1', ''] as const) {
      const change = ofBroker(broker, set(name, value))
      expect(await alter(client, [change])).toMatchObject([{ error: 'INVALID_REQUEST' }])
      expect(await alterWhole(client, [change])).toMatchObject([{ error: 'INVALID_REQUEST' }])
    }
  }
  expect(await alter(client, [ofBroker('1', set('log.retention.ms', '5'))])).toEqual([done])
})

test('a comma at the end of what is appended is no element', async () => {
  const client = await connect((await startBroker()).address)
  const { name } = await makeTopic(client)
  expect(await alter(client, [ofTopic(name, append('cleanup.policy', 'compact,'))])).toEqual([done])
  expect(await alter(client, [ofBroker('', append('log.cleanup.policy', 'compact,'))])).toEqual([done])
})
