import { expect, test } from 'vitest'
import { Settings } from '../../src/broker/configs/settings.ts'
import { validateTopicConfigs } from '../../src/broker/configs/topic-config.ts'
import { internalTopic } from '../../src/broker/internal-topics.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, startBroker } from '../support/broker.ts'
import { alter, ofBroker, ofTopic, set } from '../support/configs.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { commitTo } from '../support/group-requests.ts'
import { batchOf, makeTopic, produceTo } from '../support/requests.ts'

// Some of the broker's settings are topics' defaults, and have wider bounds than topics have.

test.each([
  ['log.roll.ms', '0', 'refused'],
  ['log.roll.jitter.ms', '-1', 'refused'],
  ['log.flush.interval.ms', '-1', 'taken'],
])('%s=%s is %s, and the broker serves on and starts again', async (name, value, outcome) => {
  const disk = new FaultyDisk()
  const broker = await startBroker({ disk })
  const client = await connect(broker.address)
  const topic = await makeTopic(client)
  const [answer] = await alter(client, [ofBroker('', set(name, value))])
  expect(answer!.error === 'NONE' ? 'taken' : 'refused').toBe(outcome)
  expect(errorName((await produceTo(client, topic, batchOf(['a']))).errorCode)).toBe('NONE')
  await broker.stop()
  const again = await startBroker({ disk })
  expect(errorName((await produceTo(await connect(again.address), topic, batchOf(['b']))).errorCode)).toBe(
    'NONE',
  )
})

test('segments of internal topics that are smaller than any topic may have are as small as those', async () => {
  const disk = new FaultyDisk()
  const settings = { 'offsets.topic.segment.bytes': 1024 }
  const broker = await startBroker({ disk, settings })
  const client = await connect(broker.address)
  const topic = await makeTopic(client)
  await commitTo(client, 'g', topic, { 0: 1n })
  const [answer] = await alter(client, [ofTopic('__consumer_offsets', set('retention.ms', '1'))])
  expect(answer!.error).toBe('NONE')
  await broker.stop()
  await startBroker({ disk, settings })
})

test.each(['__consumer_offsets', '__transaction_state', '__share_group_state'])(
  '%s is made with what any topic may have, by the least that the settings allow',
  name => {
    const least = ['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic']
    const settings = new Settings(new Map(least.map(each => [`${each}.segment.bytes`, '1'])))
    const configs = [...internalTopic(name, settings)!.configs].map(([config, value]) => ({
      name: config,
      value,
    }))
    expect(validateTopicConfigs(configs, settings).size).toBe(configs.length)
  },
)
