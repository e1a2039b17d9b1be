// Changing settings of a topic while the broker runs, by AlterConfigs, the only way that kafkajs knows.
import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { eventually } from '../scenarios.mjs'
import { createTopic, openAdmin, openProducer } from './kit.mjs'

const type = kafkajs.ConfigResourceTypes.TOPIC

async function alterConfigs(context) {
  const topic = await createTopic(context, 'alter', {
    configEntries: [{ name: 'segment.ms', value: '86400000' }],
  })
  const admin = await openAdmin(context)
  const alter = (configEntries, options = {}) =>
    admin.alterConfigs({ resources: [{ type, name: topic, configEntries }], validateOnly: false, ...options })
  const valueOf = async name => {
    const answer = await admin.describeConfigs({ resources: [{ type, name: topic, configNames: [name] }] })
    return answer.resources[0].configEntries[0].configValue
  }
  await alter([{ name: 'retention.ms', value: '1' }], { validateOnly: true })
  assert.equal(await valueOf('retention.ms'), '604800000')
  await assert.rejects(
    alter([{ name: 'retention.ms', value: 'soon' }]),
    ({ type }) => type === 'INVALID_CONFIG',
  )

  await alter([{ name: 'max.message.bytes', value: '2000' }])
  await eventually('the new value', async () => (await valueOf('max.message.bytes')) === '2000')
  assert.equal(await valueOf('segment.ms'), '604800000')
  const producer = await openProducer(context)
  await assert.rejects(
    producer.send({ topic, messages: [{ value: 'x'.repeat(5000) }] }),
    ({ type }) => type === 'MESSAGE_TOO_LARGE',
  )
  await alter([])
  await eventually('the default', async () => (await valueOf('max.message.bytes')) === '1048588')
  await producer.send({ topic, messages: [{ value: 'x'.repeat(5000) }] })
}

export const configScenarios = { 'admin-alter-configs': alterConfigs }
