// The admin client: topics, partitions, records, configurations, cluster, groups, and what is refused.
import assert from 'node:assert/strict'
import kafkajs from 'kafkajs'
import { eventually, unique } from '../scenarios.mjs'
import { awaitLeaders, createTopic, openAdmin, openMember, openProducer } from './kit.mjs'

const { ConfigResourceTypes } = kafkajs

async function adminTopics(context) {
  const admin = await openAdmin(context)
  const topic = unique('kafkajs-topics')
  const entry = { topic, numPartitions: 3, replicationFactor: 1 }
  assert.equal(await admin.createTopics({ topics: [entry], validateOnly: true, waitForLeaders: false }), true)
  assert.ok(!(await admin.listTopics()).includes(topic), 'validateOnly created the topic')
  assert.equal(await admin.createTopics({ topics: [entry] }), true)
  await eventually('the topic is listed', async () => (await admin.listTopics()).includes(topic))
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const { nodeId } = (await admin.describeCluster()).brokers[0]
  assert.deepEqual(
    topics[0].partitions
      .map(({ partitionId, leader, replicas, isr }) => ({ partitionId, leader, replicas, isr }))
      .sort((one, other) => one.partitionId - other.partitionId),
    [0, 1, 2].map(partitionId => ({ partitionId, leader: nodeId, replicas: [nodeId], isr: [nodeId] })),
  )
  await admin.deleteTopics({ topics: [topic] })
  await eventually('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
}

async function adminCreatePartitions(context) {
  const topic = await createTopic(context, 'partitions')
  const admin = await openAdmin(context)
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
  await awaitLeaders(admin, topic, 4)
  const producer = await openProducer(context)
  await producer.send({ topic, messages: [{ value: 'new', partition: 3 }] })
  const { received } = await openMember(context, topic)
  assert.equal((await received(1))[0].partition, 3)
  await assert.rejects(
    admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }),
    hasType('INVALID_PARTITIONS'),
  )
}

async function adminDeleteRecords(context) {
  const topic = await createTopic(context, 'delete-records')
  const producer = await openProducer(context)
  await producer.send({ topic, messages: Array.from({ length: 10 }, (_, index) => ({ value: `${index}` })) })
  const admin = await openAdmin(context)
  // deleteTopicRecords expects the client to know the topic already.
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
  const [{ low, high }] = await admin.fetchTopicOffsets(topic)
  assert.deepEqual([low, high], ['6', '10'])
  const { received } = await openMember(context, topic)
  assert.equal((await received(4))[0].offset, '6')
}

const valuesOf = resource =>
  Object.fromEntries(resource.configEntries.map(entry => [entry.configName, entry]))

async function adminTopicConfigs(context) {
  const configEntries = [
    { name: 'retention.ms', value: '3600000' },
    { name: 'cleanup.policy', value: 'compact' },
  ]
  const topic = await createTopic(context, 'configs', { configEntries })
  const admin = await openAdmin(context)
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const all = valuesOf((await admin.describeConfigs({ resources: [resource] })).resources[0])
  assert.equal(all['retention.ms'].configValue, '3600000')
  assert.equal(all['cleanup.policy'].configValue, 'compact')
  assert.equal(all['retention.ms'].isDefault, false)
  assert.equal(all['max.message.bytes'].configValue, '1048588')
  const named = await admin.describeConfigs({ resources: [{ ...resource, configNames: ['segment.bytes'] }] })
  assert.deepEqual(
    named.resources[0].configEntries.map(({ configName, configValue }) => [configName, configValue]),
    [['segment.bytes', '1073741824']],
  )
}

async function adminBrokerConfigs(context) {
  const admin = await openAdmin(context)
  const { nodeId } = (await admin.describeCluster()).brokers[0]
  const resource = { type: ConfigResourceTypes.BROKER, name: `${nodeId}` }
  const all = valuesOf((await admin.describeConfigs({ resources: [resource] })).resources[0])
  assert.equal(all['message.max.bytes'].configValue, '1048588')
  assert.equal(all['num.partitions'].configValue, '1')
  assert.equal(all['auto.create.topics.enable'].configValue, 'true')
}

async function adminCluster(context) {
  const admin = await openAdmin(context)
  const { brokers, clusterId, controller } = await admin.describeCluster()
  assert.deepEqual(
    brokers.map(({ host, port }) => `${host}:${port}`),
    [context.address],
  )
  assert.equal(controller, brokers[0].nodeId)
  assert.ok(clusterId.length > 0)
}

async function adminGroups(context) {
  const topic = await createTopic(context, 'groups', { numPartitions: 2 })
  const groupId = unique('kafkajs-groups')
  const admin = await openAdmin(context)
  const member = await openMember(context, topic, { groupId })
  await eventually('the assignment', () => member.partitions()?.length === 2)
  const listed = (await admin.listGroups()).groups.find(group => group.groupId === groupId)
  assert.deepEqual(listed, { groupId, protocolType: 'consumer' })
  const [group] = (await admin.describeGroups([groupId])).groups
  assert.equal(group.errorCode, 0)
  assert.equal(group.state, 'Stable')
  assert.equal(group.protocolType, 'consumer')
  assert.equal(group.protocol, 'RoundRobinAssigner')
  assert.equal(group.members.length, 1)
  assert.equal(group.members[0].clientId, 'compat-kafkajs')
  assert.equal(group.members[0].clientHost, '/127.0.0.1')
  await assert.rejects(
    admin.deleteGroups([groupId]),
    error => error.groups[0].error.type === 'NON_EMPTY_GROUP',
  )
  await member.consumer.disconnect()
  const [empty] = (await admin.describeGroups([groupId])).groups
  assert.equal(empty.state, 'Empty')
  await admin.deleteGroups([groupId])
  assert.ok(!(await admin.listGroups()).groups.some(other => other.groupId === groupId))
}

async function adminGroupOffsets(context) {
  const topic = await createTopic(context, 'group-offsets', { numPartitions: 2 })
  const producer = await openProducer(context)
  const messages = Array.from({ length: 10 }, (_, index) => ({ value: `${index}`, partition: index % 2 }))
  await producer.send({ topic, messages })
  const groupId = unique('kafkajs-group-offsets')
  const admin = await openAdmin(context)
  const partitions = [
    { partition: 0, offset: '2' },
    { partition: 1, offset: '4' },
  ]
  await admin.setOffsets({ groupId, topic, partitions })
  const [listed] = await admin.fetchOffsets({ groupId })
  assert.equal(listed.topic, topic)
  assert.deepEqual(
    listed.partitions
      .map(({ partition, offset }) => ({ partition, offset }))
      .sort((a, b) => a.partition - b.partition),
    partitions,
  )
  const { received } = await openMember(context, topic, { groupId })
  const offsets = (await received(4)).map(({ partition, offset }) => `${partition}:${offset}`)
  assert.deepEqual(offsets.sort(), ['0:2', '0:3', '0:4', '1:4'])
}

const hasType = type => error => {
  const types = [error, error.cause, ...(error.errors ?? [])].map(failure => failure?.type)
  assert.ok(types.includes(type), `${types} instead of ${type}`)
  return true
}

async function errorTopicExists(context) {
  const topic = await createTopic(context, 'exists')
  const admin = await openAdmin(context)
  // kafkajs turns TOPIC_ALREADY_EXISTS into false.
  assert.equal(
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] }),
    false,
  )
}

async function errorReplicationFactor(context) {
  const admin = await openAdmin(context)
  const topic = unique('kafkajs-replicas')
  await assert.rejects(
    admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] }),
    hasType('INVALID_REPLICATION_FACTOR'),
  )
}

async function errorInvalidTopicName(context) {
  const admin = await openAdmin(context)
  for (const topic of ['with space', '..', 'x'.repeat(250)]) {
    await assert.rejects(
      admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] }),
      hasType('INVALID_TOPIC_EXCEPTION'),
    )
  }
}

async function errorUnknownTopic(context) {
  const admin = await openAdmin(context, { retry: { retries: 1 } })
  const topic = unique('kafkajs-unknown')
  await assert.rejects(admin.deleteTopics({ topics: [topic] }), hasType('UNKNOWN_TOPIC_OR_PARTITION'))
  await assert.rejects(admin.fetchTopicMetadata({ topics: [topic] }), hasType('UNKNOWN_TOPIC_OR_PARTITION'))
}

export const adminScenarios = {
  'admin-topics': adminTopics,
  'admin-create-partitions': adminCreatePartitions,
  'admin-delete-records': adminDeleteRecords,
  'admin-topic-configs': adminTopicConfigs,
  'admin-broker-configs': adminBrokerConfigs,
  'admin-cluster': adminCluster,
  'admin-groups': adminGroups,
  'admin-group-offsets': adminGroupOffsets,
  'error-topic-exists': errorTopicExists,
  'error-replication-factor': errorReplicationFactor,
  'error-invalid-topic-name': errorInvalidTopicName,
  'error-unknown-topic': errorUnknownTopic,
}
