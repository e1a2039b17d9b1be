import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { brokerEffects, effectOf, groupEffects, topicEffects } from '../../../src/broker/configs/effects.ts'
import { brokerConfigs } from '../../../src/broker/configs/settings.ts'
import { groupConfigs } from '../../../src/broker/configs/tables/group.ts'
import { topicConfigs } from '../../../src/broker/configs/tables/topic.ts'

const source = join(import.meta.dirname, '../../../src')

const known = new Set(Object.keys({ ...brokerConfigs, ...topicConfigs, ...groupConfigs }))

/** The settings that the source reads by name. */
function settingsRead(): Set<string> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.ts'),
  )
  const text = files.map(file => readFileSync(join(source, file), 'utf8')).join('\n')
  const names = [...text.matchAll(/\.get\(\s*'([a-z0-9.]+)'/g)].map(([, name]) => name!)
  return new Set(names.filter(name => known.has(name)))
}

/** Read by way of another: the older name of `node.id`, and the checks of what is set on a topic or on a running broker. */
const readElsewhere = ['broker.id']
const readOnlyToRefuse = ['remote.storage.enable', 'log.cleaner.threads', 'metric.reporters']

test('every setting that the source reads is said to have an effect, and no other', () => {
  const said = new Set([brokerEffects, topicEffects, groupEffects].flatMap(effects => Object.keys(effects)))
  const read = settingsRead()
  expect([...read].filter(name => !said.has(name) && !readOnlyToRefuse.includes(name))).toEqual([])
  expect([...said].filter(name => !read.has(name) && !readElsewhere.includes(name))).toEqual([])
})

test('what topics fall back to has the effect that it has on them', () => {
  expect(effectOf('message.max.bytes')).toContain('max.message.bytes')
  expect(effectOf('num.replica.fetchers')).toBeUndefined()
})

test('what bounds the settings of groups has an effect, if they have', () => {
  expect(effectOf('group.streams.min.session.timeout.ms')).toContain('streams.session.timeout.ms')
  expect(effectOf('group.streams.max.standby.replicas')).toContain('streams.num.standby.replicas')
})
