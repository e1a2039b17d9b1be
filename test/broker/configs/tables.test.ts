import { describe, expect, test } from 'vitest'
import type { ConfigDefinition } from '../../../src/broker/configs/definition.ts'
import { brokerConfigs } from '../../../src/broker/configs/settings.ts'
import { kafkaBrokerConfigs } from '../../../src/broker/configs/tables/broker.ts'
import { developmentDefaults } from '../../../src/broker/configs/tables/development.ts'
import { groupConfigs, kafkaGroupConfigs } from '../../../src/broker/configs/tables/group.ts'
import { ownConfigs, ownGroupConfigs, ownTopicConfigs } from '../../../src/broker/configs/tables/own.ts'
import { kafkaTopicConfigs, topicConfigs } from '../../../src/broker/configs/tables/topic.ts'
import { goldenTable } from '../../support/golden.ts'

interface Row {
  name: string
  type: string
  default: string | null
  valid: string | null
  dynamicMode?: string
  sensitive: boolean | null
  internal?: boolean
  synonyms?: string[]
  brokerSynonym?: string
  brokerSynonyms?: string[]
}

const golden = goldenTable<Record<'broker' | 'topic' | 'group', Row[]>>('configs.json')

describe.each([
  ['broker', golden.broker, kafkaBrokerConfigs],
  ['topic', golden.topic, kafkaTopicConfigs],
  ['group', golden.group, kafkaGroupConfigs],
] as const)('the %s table', (_, rows, table) => {
  test("is Kafka's, row by row", () => {
    const ours = Object.entries<ConfigDefinition>(table).map(([name, definition]) => ({
      name,
      type: definition.type,
      default: definition.byDefault,
      valid: definition.rule ?? null,
      mode: definition.mode,
      internal: definition.isInternal,
      sensitive: definition.isSensitive,
      synonyms: definition.synonyms,
    }))
    const kafkas = rows.map(row => ({
      name: row.name,
      type: row.type,
      default: row.default,
      valid: row.valid,
      mode: row.dynamicMode ?? 'read-only',
      internal: row.internal ?? false,
      sensitive: row.sensitive ?? false,
      synonyms: row.synonyms ?? row.brokerSynonyms ?? (row.brokerSynonym ? [row.brokerSynonym] : []),
    }))
    expect(ours).toEqual(kafkas)
  })
})

describe('defaults', () => {
  test('would be accepted themselves, and are written as Kafka would', () => {
    const all = { ...brokerConfigs, ...topicConfigs, ...groupConfigs }
    for (const [name, definition] of Object.entries<ConfigDefinition>(all)) {
      const { byDefault } = definition
      if (byDefault === null || definition.rule === 'non-empty list') continue
      definition.parse(name, byDefault)
      expect(definition.canonical(byDefault), name).toBe(byDefault)
    }
  })

  test("of development differ from Kafka's", () => {
    for (const [name, definition] of Object.entries<ConfigDefinition>(developmentDefaults)) {
      expect(definition.byDefault, name).not.toBe(
        kafkaBrokerConfigs[name as keyof typeof kafkaBrokerConfigs].byDefault,
      )
    }
  })
})

test("odradek's own settings start with its name and are none of Kafka's", () => {
  for (const name of Object.keys(ownConfigs)) {
    expect(name).toMatch(/^odradek\./)
    expect(kafkaBrokerConfigs).not.toHaveProperty([name])
  }
  for (const name of Object.keys(ownTopicConfigs)) {
    expect(name).toMatch(/^odradek\./)
    expect(kafkaTopicConfigs).not.toHaveProperty([name])
  }
  for (const name of Object.keys(ownGroupConfigs)) {
    expect(name).toMatch(/^odradek\./)
    expect(kafkaGroupConfigs).not.toHaveProperty([name])
  }
})
