import type { Draft } from '../../protocol/schema.ts'
import type { DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import type { ConfigDefinition } from './definition.ts'
import { effectOf, groupEffects, noEffect, topicEffects } from './effects.ts'
import {
  brokerConfig,
  brokerConfigs,
  configSources,
  type BrokerConfigName,
  type Settings,
  type Synonym,
} from './settings.ts'
import { groupConfigs } from './tables/group.ts'
import { topicConfigs } from './tables/topic.ts'
import { inheritedText } from './topic-config.ts'

/** One setting as DescribeConfigs shows it. */
export type ConfigEntry = Draft<typeof DescribeConfigsResponse>['results'][number]['configs'][number]

/** A topic's settings, `configs` being what was set on the topic itself (ConfigHelper.createTopicConfigEntry). */
export function describeTopic(configs: ReadonlyMap<string, string>, settings: Settings): ConfigEntry[] {
  return describeOverridable(topicConfigs, topicEffects, configs, configSources.topic, settings)
}

/** A group's settings, `configs` being what was set on the group itself (ConfigHelper.createGroupConfigEntry). */
export function describeGroup(configs: ReadonlyMap<string, string>, settings: Settings): ConfigEntry[] {
  return describeOverridable(groupConfigs, groupEffects, configs, configSources.group, settings)
}

/** All of a broker's settings (ConfigHelper.createBrokerConfigEntry). */
export function describeBroker(settings: Settings): ConfigEntry[] {
  return Object.entries<ConfigDefinition>(brokerConfigs)
    .filter(([name, { isInternal }]) => !isInternal || settings.isSet(name as BrokerConfigName))
    .map(([name]) => brokerEntry(name, settings.text(name as BrokerConfigName), settings.synonyms(name)))
}

/** What was set for all brokers while they run, and nothing else. */
export function describeAllBrokers(settings: Settings): ConfigEntry[] {
  const source = configSources.dynamicDefaultBroker
  return [...settings.layer(source)].map(([name, text]) =>
    brokerEntry(
      name,
      text,
      settings.synonyms(name).filter(synonym => synonym.source === source),
    ),
  )
}

function brokerEntry(name: string, value: string | null, synonyms: Synonym[]): ConfigEntry {
  const definition = brokerConfig(name)
  return entryOf(name, definition, value, synonyms, definition.mode === 'read-only', effectOf(name))
}

function describeOverridable(
  table: Readonly<Record<string, ConfigDefinition>>,
  effects: Readonly<Record<string, string>>,
  configs: ReadonlyMap<string, string>,
  source: typeof configSources.topic | typeof configSources.group,
  settings: Settings,
): ConfigEntry[] {
  return Object.entries(table)
    .filter(([name, definition]) => !definition.isInternal || configs.has(name))
    .map(([name, definition]) => {
      const text = configs.get(name)
      const value = text === undefined ? inheritedText(definition, settings) : definition.canonical(text)
      const synonyms = inheritedSynonyms(name, definition, source, settings)
      if (text !== undefined) synonyms.unshift({ name, value, source })
      return entryOf(name, definition, value, synonyms, false, effects[name])
    })
}

/** Kafka names a group's default where no broker setting stands behind it, and a topic's it does not. */
function inheritedSynonyms(
  name: string,
  definition: ConfigDefinition,
  source: typeof configSources.topic | typeof configSources.group,
  settings: Settings,
): Synonym[] {
  const [synonym] = definition.synonyms
  if (synonym !== undefined) return settings.synonyms(synonym)
  if (source === configSources.topic) return []
  return [{ name, value: definition.byDefault, source: configSources.byDefault }]
}

function entryOf(
  name: string,
  definition: ConfigDefinition,
  value: string | null,
  synonyms: Synonym[],
  readOnly: boolean,
  effect: string | undefined,
): ConfigEntry {
  return {
    name,
    value: definition.isSensitive ? null : value,
    readOnly,
    configSource: synonyms[0]?.source ?? configSources.byDefault,
    isSensitive: definition.isSensitive,
    synonyms,
    configType: definition.typeCode,
    documentation: effect ?? noEffect,
  }
}
