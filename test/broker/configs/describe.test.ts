import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  describeAllBrokers,
  describeBroker,
  describeGroup,
  describeTopic,
  type ConfigEntry,
} from '../../../src/broker/configs/describe.ts'
import { configSources, Settings } from '../../../src/broker/configs/settings.ts'
import { developmentDefaults } from '../../../src/broker/configs/tables/development.ts'
import { validateTopicConfigs } from '../../../src/broker/configs/topic-config.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'

interface Entry {
  name: string
  value: string | null
  readOnly: boolean
  source: number
  sensitive: boolean
  type: number
  synonyms: [name: string, value: string | null, source: number][]
}
type Texts = Record<string, string>

interface Facts {
  properties: Texts
  createTopics: {
    configs: Record<string, string | null>
    errorCode: number
    errorMessage: string | null
    described?: Entry[]
  }[]
  plain: Entry[]
  custom: { configs: Texts; described: Entry[] }
  broker: Entry[]
  group: Entry[]
  groupOwn: { configs: Texts; described: Entry[] }
  dynamic: {
    broker: Texts
    allBrokers: Texts
    plain: Entry[]
    describedBroker: Entry[]
    describedAllBrokers: Entry[]
  }
}

const facts = JSON.parse(readFileSync(join(import.meta.dirname, 'kafka-facts.json'), 'utf8')) as Facts
const mapOf = (texts: Texts): Map<string, string> => new Map(Object.entries(texts))

/** The settings of the Kafka that was asked. */
function kafkasSettings(): Settings {
  return new Settings(mapOf(facts.properties))
}

/** Our entries as the facts are written, those of `like` alone. */
function entries(ours: ConfigEntry[], like: Entry[]): Entry[] {
  const names = new Set(like.map(({ name }) => name))
  return ours
    .filter(({ name }) => names.has(name))
    .map(entry => ({
      name: entry.name,
      value: entry.value,
      readOnly: entry.readOnly,
      source: entry.configSource!,
      sensitive: entry.isSensitive,
      type: entry.configType!,
      synonyms: entry.synonyms.map(({ name, value, source }): Entry['synonyms'][number] => [
        name,
        value,
        source,
      ]),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The recorded broker was told `min.insync.replicas` by its controller too, which ours has not. */
function withoutElectionFeature(kafkas: Entry[]): Entry[] {
  return kafkas.map(entry => {
    const synonyms = entry.synonyms.filter(
      ([name, , source]) => name !== 'min.insync.replicas' || source !== 3,
    )
    return { ...entry, synonyms, source: synonyms[0]?.[2] ?? entry.source }
  })
}

/** A default that is not Kafka's shows among the synonyms of a setting that was set. */
function withoutOwnDefaults(list: Entry[]): Entry[] {
  return list.map(entry => {
    const synonyms = entry.synonyms.filter(
      ([name, , source]) => !(name in developmentDefaults && source === configSources.byDefault),
    )
    return { ...entry, synonyms }
  })
}

describe('what is set on a topic', () => {
  test.each(facts.createTopics)('$configs', ({ configs, errorCode, errorMessage, described }) => {
    const asked = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const settings = kafkasSettings()
    if (described) {
      const accepted = validateTopicConfigs(asked, settings)
      expect(entries(describeTopic(accepted, settings), described)).toEqual(withoutElectionFeature(described))
      return
    }
    const refusal = (() => {
      try {
        return validateTopicConfigs(asked, settings)
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toBeInstanceOf(KafkaError)
    // Two wrong values: Kafka names the one that its hash table meets first, we the one that was asked first.
    const isAmbiguous = Object.keys(configs).length === 2 && errorMessage!.startsWith('Invalid value')
    expect((refusal as KafkaError).code).toBe(errorCode)
    if (!isAmbiguous) expect((refusal as KafkaError).message).toBe(errorMessage)
  })
})

/** A group falls back to a broker setting of the same name, of which the default may be ours. */
const comparable = (list: Entry[]): Entry[] =>
  list.filter(({ name }) => !(`group.${name}` in developmentDefaults))

describe('entries', () => {
  test('of a topic that sets nothing', () => {
    const ours = describeTopic(new Map(), kafkasSettings())
    const kafkas = ours.filter(({ name }) => !name.startsWith('odradek.'))
    expect(kafkas.length).toBe(facts.plain.length)
    expect(entries(ours, facts.plain)).toEqual(withoutElectionFeature(facts.plain))
  })

  test('of a topic that sets some', () => {
    const { configs, described } = facts.custom
    const ours = describeTopic(mapOf(configs), kafkasSettings())
    expect(entries(ours, described)).toEqual(withoutElectionFeature(described))
  })

  test('of a broker', () => {
    const ours = describeBroker(kafkasSettings())
    const kafkas = withoutElectionFeature(facts.broker)
    expect(withoutOwnDefaults(entries(ours, kafkas))).toEqual(withoutOwnDefaults(kafkas))
  })

  test('of groups, with and without settings of their own', () => {
    const { configs, described } = facts.groupOwn
    const settings = kafkasSettings()
    expect(comparable(entries(describeGroup(new Map(), settings), facts.group))).toEqual(
      comparable(facts.group),
    )
    expect(comparable(entries(describeGroup(mapOf(configs), settings), described))).toEqual(
      comparable(described),
    )
  })

  test('after settings were changed while the broker runs', () => {
    const { broker, allBrokers, plain, describedBroker, describedAllBrokers } = facts.dynamic
    const settings = kafkasSettings()
    expect(settings.get('log.retention.ms')).toBeNull()
    settings.replace(configSources.dynamicBroker, mapOf(broker))
    settings.replace(configSources.dynamicDefaultBroker, mapOf(allBrokers))
    expect(settings.get('log.retention.ms')).toBe(77_777)
    expect(entries(describeTopic(new Map(), settings), plain)).toEqual(plain)
    expect(entries(describeBroker(settings), describedBroker)).toEqual(describedBroker)
    const ours = describeAllBrokers(settings)
    expect(entries(ours, describedAllBrokers)).toEqual(describedAllBrokers)
    expect(ours.length).toBe(describedAllBrokers.length)
  })

  test('never show a password, and every one says what it does here', () => {
    const settings = new Settings(new Map([['ssl.keystore.password', 'hunter2']]))
    const all = describeBroker(settings)
    expect(JSON.stringify(all).includes('hunter2')).toBe(false)
    expect(all.every(({ documentation }) => documentation)).toBe(true)
    expect(all.some(({ name }) => name === 'unstable.api.versions.enable')).toBe(false)
  })
})
