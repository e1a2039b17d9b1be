import { expect, test } from 'vitest'
import { connect, startBroker } from '../support/broker.ts'
import { makeTopic, uniqueName } from '../support/requests.ts'
import { beat, joinShare, sharePlace } from '../support/share-requests.ts'

test('gives a member all partitions of its topics, and shares them among several', async () => {
  const { client, groupId, topic } = await sharePlace([], { partitions: 3 })
  const epoch = await joinShare(client, groupId, 'a', [topic])
  expect(epoch).toBeGreaterThan(0)
  await joinShare(client, groupId, 'b', [topic])
  const again = await beat(client, groupId, 'a', epoch, [topic.name])
  expect(again.error).toBe('NONE')
  expect(again.heartbeatIntervalMs).toBe(5_000)
})

test('has every partition read and every member reading, once all have been heard of', async () => {
  const { address } = await startBroker({ settings: { 'group.share.assignment.interval.ms': 0 } })
  const client = await connect(address)
  const groupId = uniqueName('share')
  const topic = await makeTopic(client, { partitions: 2 })
  const members = ['a', 'b', 'c']
  for (const memberId of members) await joinShare(client, groupId, memberId, [topic])
  const assigned: number[] = []
  for (const memberId of members) {
    const { assignment } = await beat(client, groupId, memberId, 0, [topic.name])
    assigned.push(...assignment!.topicPartitions.flatMap(({ partitions }) => partitions))
    expect(assignment!.topicPartitions).toHaveLength(1)
  }
  expect(new Set(assigned)).toEqual(new Set([0, 1]))
})

test('notices topics that are made later, and partitions that are added', async () => {
  const { client, groupId, topic } = await sharePlace()
  const later = uniqueName('later')
  const epoch = await joinShare(client, groupId, 'a', [topic, { name: later, topicId: '' }])
  const { topicId } = await makeTopic(client, { name: later, partitions: 2 })
  let answer = await beat(client, groupId, 'a', epoch)
  while (!answer.assignment?.topicPartitions.some(each => each.topicId === topicId)) {
    expect(answer.error).toBe('NONE')
    await new Promise(resolve => setTimeout(resolve, 50))
    answer = await beat(client, groupId, 'a', answer.memberEpoch)
  }
  expect(answer.assignment.topicPartitions).toContainEqual({ topicId, partitions: [0, 1] })
})

test('fences a member of another epoch, and knows nobody who left', async () => {
  const { client, groupId, topic } = await sharePlace()
  const epoch = await joinShare(client, groupId, 'a', [topic])
  expect((await beat(client, groupId, 'a', epoch + 1)).error).toBe('FENCED_MEMBER_EPOCH')
  expect((await beat(client, groupId, 'stranger', epoch)).error).toBe('UNKNOWN_MEMBER_ID')
  const left = await beat(client, groupId, 'a', -1)
  expect([left.error, left.memberEpoch]).toEqual(['NONE', -1])
  expect((await beat(client, groupId, 'a', epoch)).error).toBe('UNKNOWN_MEMBER_ID')
})

test('refuses what makes no sense with INVALID_REQUEST, and a group that is not there', async () => {
  const { client, groupId, topic } = await sharePlace()
  expect((await beat(client, '', 'a', 0, [topic.name])).error).toBe('INVALID_REQUEST')
  expect((await beat(client, groupId, '', 0, [topic.name])).error).toBe('INVALID_REQUEST')
  expect((await beat(client, groupId, 'a', 0, null)).error).toBe('INVALID_REQUEST')
  expect((await beat(client, groupId, 'a', 0, [])).error).toBe('INVALID_REQUEST')
  expect((await beat(client, groupId, 'a', -2, null)).error).toBe('INVALID_REQUEST')
  expect((await beat(client, groupId, 'a', 1, null)).error).toBe('GROUP_ID_NOT_FOUND')
})

test('has no more members than group.share.max.size', async () => {
  const { address } = await startBroker({ settings: { 'group.share.max.size': 1 } })
  const client = await connect(address)
  const groupId = uniqueName('share')
  const topic = await makeTopic(client)
  await joinShare(client, groupId, 'a', [topic])
  expect((await beat(client, groupId, 'b', 0, [topic.name])).error).toBe('GROUP_MAX_SIZE_REACHED')
  expect((await beat(client, groupId, 'a', 0, [topic.name])).error).toBe('NONE')
})
