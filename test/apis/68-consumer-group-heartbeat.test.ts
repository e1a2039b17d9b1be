import { expect, test } from 'vitest'
import { consumerGroupHeartbeat } from '../../src/broker/apis/68-consumer-group-heartbeat.ts'
import { incrementalAlterConfigs } from '../../src/broker/apis/44-incremental-alter-configs.ts'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, startBroker } from '../support/broker.ts'
import { assignedCount, beatAs, errorIn, joinConsumers } from '../support/consumer-requests.ts'
import { commitTo, groupPlace, joinAlone } from '../support/group-requests.ts'
import { subscription } from '../support/group-scene.ts'
import { eventually, makeTopic, uniqueName, versionsOf } from '../support/requests.ts'

/** Who commits. */
const atEpoch = (epoch: number) => ({ memberId: 'c', generationIdOrMemberEpoch: epoch })

/** Of a group config resource. */
const groupResource = 32

test('gives the only member everything, in every version, and the group’s heartbeat interval', async () => {
  const { client } = await groupPlace()
  const { name, topicId } = await makeTopic(client, { partitions: 3 })
  for (const version of versionsOf(consumerGroupHeartbeat)) {
    const groupId = uniqueName('group')
    const reply = await joinConsumers(client, groupId, version === 0 ? '' : 'member-1', [name], {}, version)
    expect(reply).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      memberId: version === 0 ? expect.stringMatching(/^[\w-]{22}$/) : 'member-1',
      memberEpoch: 2,
      heartbeatIntervalMs: 5_000,
      assignment: { topicPartitions: [{ topicId, partitions: [0, 1, 2] }] },
    })
  }
})

test('moves partitions from one member to another only once the one has let go of them', async () => {
  const { client, groupId } = await groupPlace()
  const { name, topicId } = await makeTopic(client, { partitions: 4 })
  await joinConsumers(client, groupId, 'a', [name])
  const owns = (partitions: number[]) => ({ topicPartitions: [{ topicId, partitions }] })
  const all = owns([0, 1, 2, 3])
  const joined = await joinConsumers(client, groupId, 'b', [name])
  expect(joined.errorCode).toBe(0)
  // Apache Kafka computes a target once a second at most.
  const revoking = await eventually(
    () => beatAs(client, groupId, 'a', 2, all),
    reply => assignedCount(reply) === 2,
  )
  expect(revoking).toMatchObject({ memberEpoch: 2 })
  const waiting = await beatAs(client, groupId, 'b', joined.memberEpoch, owns([]))
  expect(assignedCount(waiting) ?? 0).toBe(0)
  const released = await beatAs(client, groupId, 'a', 2, {
    topicPartitions: revoking.assignment!.topicPartitions,
  })
  expect(released).toMatchObject({ errorCode: 0, memberEpoch: 3 })
  const given = await beatAs(client, groupId, 'b', waiting.memberEpoch, { topicPartitions: [] })
  expect(given.memberEpoch).toBe(3)
  expect(assignedCount(given)).toBe(2)
})

test('fences epochs that are not the member’s, and whoever is not there', async () => {
  const { client, groupId } = await groupPlace()
  const { name } = await makeTopic(client)
  await joinConsumers(client, groupId, 'a', [name])
  expect(errorIn(await beatAs(client, groupId, 'a', 5))).toContain('FENCED_MEMBER_EPOCH')
  expect(errorIn(await beatAs(client, groupId, 'b', 1))).toBe(
    `UNKNOWN_MEMBER_ID: Member b is not a member of group ${groupId}.`,
  )
  const other = uniqueName('group')
  expect(errorIn(await beatAs(client, other, 'a', 1))).toBe(
    `GROUP_ID_NOT_FOUND: Consumer group ${other} not found.`,
  )
  expect(errorIn(await beatAs(client, groupId, 'c', -3))).toBe('INVALID_REQUEST: MemberEpoch is invalid.')
})

test('keeps the place of a static member that leaves for a while', async () => {
  const { client, groupId } = await groupPlace()
  const { name } = await makeTopic(client, { partitions: 2 })
  const instance = { instanceId: 'i1' }
  await joinConsumers(client, groupId, 'a', [name], instance)
  expect(errorIn(await joinConsumers(client, groupId, 'b', [name], instance))).toBe(
    'UNRELEASED_INSTANCE_ID: Static member b with instance id i1 cannot join the group because the instance id is owned by a member.',
  )
  expect(await beatAs(client, groupId, 'a', -2, instance)).toMatchObject({ errorCode: 0, memberEpoch: -2 })
  const again = await joinConsumers(client, groupId, 'b', [name], instance)
  expect(again).toMatchObject({ errorCode: 0, memberId: 'b', memberEpoch: 2 })
  expect(assignedCount(again)).toBe(2)
  expect(errorIn(await beatAs(client, groupId, 'a', 1, instance))).toBe(
    'FENCED_INSTANCE_ID: Static member a with instance id i1 was fenced by member b.',
  )
})

test('reads the topics that a pattern stands for, new ones too', async () => {
  const { client, groupId } = await groupPlace()
  const stem = uniqueName('regex')
  await makeTopic(client, { name: `${stem}-one`, partitions: 2 })
  const draft = { subscribedTopicNames: null, subscribedTopicRegex: `${stem}-(one|two)` }
  const joined = await joinConsumers(client, groupId, 'a', [], draft)
  const found = await eventually(
    () =>
      beatAs(client, groupId, 'a', joined.memberEpoch, {
        topicPartitions: [],
        rebalanceTimeoutMs: 30_000,
        ...draft,
      }),
    reply => assignedCount(reply) === 2,
  )
  expect(assignedCount(found)).toBe(2)
  const refused = await joinConsumers(client, groupId, 'b', [], { ...draft, subscribedTopicRegex: '(a' })
  expect(errorIn(refused)).toContain('INVALID_REGULAR_EXPRESSION: SubscribedTopicRegex `(a` is not a valid')
})

test('makes a classic group a consumer group, in which offsets are committed by epochs', async () => {
  const { client, groupId, open } = await groupPlace()
  const topic = await makeTopic(client, { partitions: 2 })
  const protocols = [{ name: 'range', metadata: subscription(topic.name) }]
  await joinAlone(client, groupId, { protocols })
  const refused = await joinConsumers(await open(), groupId, 'c', [topic.name])
  // What the leader has assigned is not in the words of consumers.
  expect(errorIn(refused)).toContain('GROUP_ID_NOT_FOUND')

  const other = uniqueName('group')
  const { memberEpoch } = await joinConsumers(client, other, 'c', [topic.name])
  expect(await commitTo(client, other, topic, { 0: 7n }, atEpoch(memberEpoch))).toEqual(['NONE'])
  expect(await commitTo(client, other, topic, { 0: 7n }, atEpoch(memberEpoch + 1))).toEqual([
    'STALE_MEMBER_EPOCH',
  ])
  expect(await commitTo(client, other, topic, { 0: 7n }, atEpoch(memberEpoch), 8)).toEqual([
    'UNSUPPORTED_VERSION',
  ])
  expect(await commitTo(client, other, topic, { 0: 7n })).toEqual(['UNKNOWN_MEMBER_ID'])
  const fetchAs = async (memberId: string | null, epoch: number) => {
    const topics = [{ name: topic.name, topicId: topic.topicId, partitionIndexes: [0] }]
    const { groups } = await client.call(offsetFetch, 9, {
      groups: [{ groupId: other, memberId, memberEpoch: epoch, topics }],
    })
    return groups[0]!.errorCode === 0
      ? Number(groups[0]!.topics[0]!.partitions[0]!.committedOffset)
      : errorName(groups[0]!.errorCode)
  }
  expect(await fetchAs('c', memberEpoch)).toBe(7)
  expect(await fetchAs(null, -1)).toBe(7)
  expect(await fetchAs('c', memberEpoch + 1)).toBe('STALE_MEMBER_EPOCH')
  expect(await fetchAs('d', memberEpoch)).toBe('UNKNOWN_MEMBER_ID')
})

test('tells the interval that was set on the group', async () => {
  const { client, groupId } = await groupPlace()
  const { name } = await makeTopic(client)
  const { responses } = await client.call(incrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: groupResource,
        resourceName: groupId,
        configs: [{ name: 'consumer.heartbeat.interval.ms', configOperation: 0, value: '7000' }],
      },
    ],
    validateOnly: false,
  })
  expect(responses[0]!.errorCode).toBe(0)
  const reply = await eventually(
    () => joinConsumers(client, groupId, 'a', [name]),
    ({ heartbeatIntervalMs }) => heartbeatIntervalMs === 7_000,
  )
  expect(reply.heartbeatIntervalMs).toBe(7_000)
})

test('knows assignors by the names of Kafka’s classes', async () => {
  const assignors = 'org.apache.kafka.coordinator.group.assignor.RangeAssignor'
  const { address } = await startBroker({ settings: { 'group.consumer.assignors': assignors } })
  const client = await connect(address)
  const { name } = await makeTopic(client, { partitions: 2 })
  expect(assignedCount(await joinConsumers(client, 'g', 'm', [name]))).toBe(2)
  const other = await joinConsumers(client, 'g', 'n', [name], { serverAssignor: 'uniform' })
  expect(errorIn(other)).toBe(
    'UNSUPPORTED_ASSIGNOR: ServerAssignor uniform is not supported. Supported assignors: range.',
  )
})
