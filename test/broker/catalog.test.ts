import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import type { Disk } from '../../src/base/disk.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Catalog, catalogPartitionId, type ConfigChange, type Topic } from '../../src/broker/catalog.ts'
import { resourceTypes } from '../../src/broker/configs/resources.ts'
import { Settings } from '../../src/broker/configs/settings.ts'
import { TopicConfig } from '../../src/broker/configs/topic-config.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { CoordinatorLog } from '../../src/storage/coordinator-log.ts'
import { openTestStore } from '../storage/support.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'

type ReportBug = (error: unknown) => void

const throwBug: ReportBug = error => {
  throw error
}

interface Opened {
  readonly catalog: Catalog
  readonly settings: Settings
  close(): Promise<void>
}

async function open(
  disk: Disk = memoryDisk(),
  values: Record<string, string> = {},
  reportBug = throwBug,
): Promise<Opened> {
  const settings = new Settings(new Map(Object.entries(values)))
  const store = await openTestStore({ disk })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= store.close())
  onTestFinished(close)
  const log = new CoordinatorLog(store.create(catalogPartitionId, { createdAt: 0, shard: 0 }))
  const catalog = new Catalog({
    log,
    store,
    clock: systemClock,
    random: seededRandom(1),
    settings,
    reportBug,
  })
  await catalog.load()
  return { catalog, settings, close }
}

/** What a listener hears: a topic's name, partitions and retention in force. */
function listen({ catalog, settings }: Opened): string[] {
  const heard: string[] = []
  catalog.listen({
    topicChanged({ name, partitions, configs }) {
      const retentionMs = new TopicConfig(configs, settings).text('retention.ms')
      heard.push(`${name} ${partitions.length} ${retentionMs}`)
    },
    topicsDeleted: topics => void heard.push(...topics.map(({ name }) => `${name} gone`)),
  })
  return heard
}

function change(resourceType: number, resourceName: string, ...configs: [string, string][]): ConfigChange {
  return { resourceType, resourceName, decide: () => new Map(configs) }
}

const topicOf = (name: string, retentionMs: string): ConfigChange =>
  change(resourceTypes.topic, name, ['retention.ms', retentionMs])
const brokerOf = (name: string, retentionMs: string): ConfigChange =>
  change(resourceTypes.broker, name, ['log.retention.ms', retentionMs])

const addToGroup = (name: string): ConfigChange => ({
  resourceType: resourceTypes.group,
  resourceName: 'g',
  decide: current => new Map([...current, [name, '1']]),
})

const forReal = { validateOnly: false }
const newTopic = { partitionCount: 1, configs: new Map<string, string>() }

test('tells of every topic as it is made, grows, is configured and deleted', async () => {
  const opened = await open()
  const { catalog } = opened
  const heard = listen(opened)
  const { id } = await catalog.create({ ...newTopic, name: 'a' })
  await catalog.grow('a', 3)
  await catalog.alterConfigs([topicOf('a', '5')], forReal)
  await catalog.deleteAll([id])
  expect(heard).toEqual(['a 1 604800000', 'a 3 604800000', 'a 3 5', 'a gone'])
})

test('tells of all topics when the broker changes, after everything of the change is in force', async () => {
  const opened = await open()
  await opened.catalog.create({ ...newTopic, name: 'a' })
  await opened.catalog.create({ ...newTopic, name: 'b' })
  const before = opened.catalog.topic('a')
  const heard = listen(opened)
  await opened.catalog.alterConfigs([topicOf('b', '6'), brokerOf('', '7')], forReal)
  expect(heard).toEqual(['a 1 604800000', 'b 1 604800000', 'b 1 6', 'a 1 7'])
  const after = opened.catalog.topic('a')!
  expect(after).not.toBe(before)
  expect(opened.catalog.topicById(after.id)).toBe(after)
})

test('tells a new listener of the topics that there are, with what was set in an earlier life', async () => {
  const disk = memoryDisk()
  const first = await open(disk)
  for (const name of ['a', 'b']) await first.catalog.create({ ...newTopic, name })
  await first.catalog.alterConfigs([brokerOf('', '7'), brokerOf('1', '8'), topicOf('b', '9')], forReal)
  await first.close()
  expect(listen(await open(disk))).toEqual(['a 1 8', 'b 1 9'])
})

test('does nothing with what was set on a broker of another node id', async () => {
  const disk = memoryDisk()
  const first = await open(disk)
  await first.catalog.create({ ...newTopic, name: 'a' })
  await first.catalog.alterConfigs([brokerOf('1', '8')], forReal)
  await first.close()
  const second = await open(disk, { 'node.id': '2' })
  expect(listen(second)).toEqual(['a 1 604800000'])
  expect(second.catalog.configs(brokerOf('1', ''))).toEqual(new Map([['log.retention.ms', '8']]))
})

test('writes nothing and tells nobody when nothing changes, is refused, or is only validated', async () => {
  const opened = await open()
  await opened.catalog.create({ ...newTopic, name: 'a' })
  await opened.catalog.alterConfigs([topicOf('a', '5')], forReal)
  const topic = opened.catalog.topic('a')
  const heard = listen(opened)
  const refused: ConfigChange = {
    ...topicOf('a', '6'),
    decide() {
      throw new KafkaError('INVALID_CONFIG')
    },
  }
  expect(await opened.catalog.alterConfigs([topicOf('a', '5')], forReal)).toEqual([undefined])
  expect(await opened.catalog.alterConfigs([refused], forReal)).toEqual([expect.any(KafkaError)])
  expect(await opened.catalog.alterConfigs([topicOf('a', '6')], { validateOnly: true })).toEqual([undefined])
  expect(heard).toEqual(['a 1 5'])
  expect(opened.catalog.topic('a')).toBe(topic)
})

test('decides changes one after another, each on what the one before it left', async () => {
  const { catalog } = await open()
  await Promise.all(['a', 'b', 'c'].map(name => catalog.alterConfigs([addToGroup(name)], forReal)))
  expect([...catalog.configs(addToGroup('')).keys()]).toEqual(['a', 'b', 'c'])
  expect(catalog.configuredGroups()).toEqual(['g'])
})

const group = (value: string) => change(resourceTypes.group, 'g', ['a', value])

test('answers nothing once a change has failed, not even that there is nothing to change: the next start may find it', async () => {
  const disk = new FaultyDisk()
  const { catalog, close } = await open(disk)
  const storageError = { error: 'KAFKA_STORAGE_ERROR' }
  await catalog.alterConfigs([group('1')], forReal)
  disk.before = operation => {
    if (operation === 'sync') throw Object.assign(new Error('EIO'), { code: 'EIO' })
  }
  await expect(catalog.alterConfigs([group('2')], forReal)).rejects.toMatchObject(storageError)
  await expect(catalog.alterConfigs([group('1')], forReal)).rejects.toMatchObject(storageError)
  await close()
  // What was written and not synced is there, or is not.
  const again = await open(disk.copy())
  expect(['1', '2']).toContain(again.catalog.configs(group('')).get('a'))
})

test('knows which names collide without going through all topics, and forgets those of deleted ones', async () => {
  const { catalog } = await open()
  const all = vi.spyOn(catalog, 'topics')
  const named = (...names: string[]) => catalog.createAll(names.map(name => ({ ...newTopic, name })))
  const [dotted, other] = await named('a.b.c', 'a-b')
  expect(await named('a_b.c')).toEqual([expect.objectContaining({ error: 'INVALID_TOPIC_EXCEPTION' })])
  await catalog.deleteAll([(dotted as Topic).id, (other as Topic).id])
  expect(await named('a_b.c')).toEqual([expect.objectContaining({ name: 'a_b.c' })])
  expect(all).not.toHaveBeenCalled()
})

test('tells everybody of what happens to topics, also where one of them throws', async () => {
  const bugs: string[] = []
  const opened = await open(memoryDisk(), {}, error => void bugs.push((error as Error).message))
  const { catalog } = opened
  catalog.listen({
    topicChanged: () => {
      throw new Error('changed')
    },
    topicsDeleted: () => {
      throw new Error('deleted')
    },
  })
  const heard = listen(opened)
  const { id } = await catalog.create({ name: 'a', partitionCount: 1, configs: new Map() })
  await catalog.deleteAll([id])
  expect(heard.map(line => line.replace(/\d{2,}/, 'ms'))).toEqual(['a 1 ms', 'a gone'])
  expect(bugs).toEqual(['changed', 'deleted'])
})

test('tells once of all that a change deletes', async () => {
  const { catalog } = await open(memoryDisk())
  const heard: string[][] = []
  catalog.listen({ topicsDeleted: topics => void heard.push(topics.map(({ name }) => name)) })
  const made = await catalog.createAll(
    ['a', 'b', 'c'].map(name => ({ name, partitionCount: 1, configs: new Map() })),
  )
  await catalog.deleteAll(made.slice(0, 2).map(topic => (topic as Topic).id))
  expect(heard).toEqual([['a', 'b']])
})
