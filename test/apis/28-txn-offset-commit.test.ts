import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { offsetCommit } from '../../src/broker/apis/08-offset-commit.ts'
import { addOffsetsToTxn } from '../../src/broker/apis/25-add-offsets-to-txn.ts'
import { txnOffsetCommit } from '../../src/broker/apis/28-txn-offset-commit.ts'
import { joinGroup } from '../../src/broker/apis/11-join-group.ts'
import { describeGroups } from '../../src/broker/apis/15-describe-groups.ts'
import { deleteGroups } from '../../src/broker/apis/42-delete-groups.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, connectToBroker, startBroker } from '../support/broker.ts'
import { joinAlone, joinOf, leaveAs, stateOf, untilState } from '../support/group-requests.ts'
import { makeTopic, uniqueName, versionsOf } from '../support/requests.ts'
import { offsetOf, settledAnswer, stableOffsetOf, TestProducer } from '../support/transactions.ts'
import type { WireClient } from '../support/wire-client.ts'

/** Commits an offset outside of any transaction. */
async function commitPlainly(client: WireClient, groupId: string, name: string, committedOffset: bigint) {
  return settledAnswer(async () => {
    const answer = await client.call(offsetCommit, 8, {
      groupId,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: null }] }],
    })
    return errorName(answer.topics[0]!.partitions[0]!.errorCode)
  })
}

test('commits in every version, and only from version 5 on without AddOffsetsToTxn', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  for (const version of versionsOf(txnOffsetCommit)) {
    const producer = await TestProducer.open(client, version < 5 ? 'v1' : 'v2')
    const { transactionalId, producerId, producerEpoch } = producer
    const identity = { transactionalId, producerId, producerEpoch, groupId: uniqueName('group') }
    const commit = async () => {
      const answer = await client.call(txnOffsetCommit, version, {
        ...identity,
        topics: [
          {
            name: topic.name,
            partitions: [{ partitionIndex: 0, committedOffset: 4n, committedMetadata: '' }],
          },
        ],
      })
      return errorName(answer.topics[0]!.partitions[0]!.errorCode)
    }
    if (version < 5) {
      expect(await settledAnswer(commit)).toBe(version < 4 ? 'INVALID_TXN_STATE' : 'TRANSACTION_ABORTABLE')
      expect(await client.call(addOffsetsToTxn, 3, identity)).toMatchObject({ errorCode: 0 })
    }
    expect(await settledAnswer(commit)).toBe('NONE')
    expect(await producer.end('COMMIT')).toBe('NONE')
    expect(await stableOffsetOf(client, identity.groupId, topic.name)).toBe(4n)
  }
})

test('is for members of their generation, where one is named', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = await TestProducer.open(client)
  const offsets = { [`${topic.name}-0`]: 1 }
  const group = uniqueName('group')
  expect(await producer.commitOffsets(group, offsets, { generationId: 5, memberId: 'm' })).toEqual([
    'ILLEGAL_GENERATION',
  ])
  expect(await producer.commitOffsets(group, offsets)).toEqual(['NONE'])
  expect(await producer.commitOffsets(group, offsets, { generationId: 5, memberId: 'm' })).toEqual([
    'UNKNOWN_MEMBER_ID',
  ])
  expect(await producer.commitOffsets(group, offsets, { groupInstanceId: 'i' })).toEqual(['NONE'])
})

test('counts in the order of the commits, not of the transactions', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = await TestProducer.open(client)
  const group = uniqueName('group')
  expect(await commitPlainly(client, group, topic.name, 1n)).toBe('NONE')
  expect(await producer.commitOffsets(group, { [`${topic.name}-0`]: 2 })).toEqual(['NONE'])
  expect(await commitPlainly(client, group, topic.name, 3n)).toBe('NONE')
  expect(await producer.end('COMMIT')).toBe('NONE')
  expect(await stableOffsetOf(client, group, topic.name)).toBe(3n)
  expect(await producer.commitOffsets(group, { [`${topic.name}-0`]: 4 })).toEqual(['NONE'])
  expect(await producer.end('COMMIT')).toBe('NONE')
  expect(await stableOffsetOf(client, group, topic.name)).toBe(4n)
})

test('goes with its group when that is deleted, whatever the transaction comes to', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = await TestProducer.open(client)
  const group = uniqueName('group')
  expect(await producer.commitOffsets(group, { [`${topic.name}-0`]: 2 })).toEqual(['NONE'])
  const { results } = await client.call(deleteGroups, 2, { groupsNames: [group] })
  expect(results).toMatchObject([{ groupId: group, errorCode: 0 }])
  expect(await offsetOf(client, group, topic.name, { requireStable: true })).toBe(-1n)
  expect(await producer.end('COMMIT')).toBe('NONE')
  expect(await offsetOf(client, group, topic.name)).toBe(-1n)
})

test('is still in the balance after a restart, and decided by the end that comes then', async () => {
  const disk = memoryDisk()
  for (const [type, expected] of [
    ['COMMIT', 7n],
    ['ABORT', 7n],
  ] as const) {
    const group = 'group'
    let broker = await startBroker({ disk })
    let client = await connect(broker.address)
    const topic = type === 'COMMIT' ? await makeTopic(client, { name: 'orders' }) : { name: 'orders' }
    const producer = await TestProducer.open(client, 'v2', `to ${type}`)
    expect(await producer.commitOffsets(group, { [`${topic.name}-0`]: type === 'COMMIT' ? 7 : 9 })).toEqual([
      'NONE',
    ])
    await broker.stop()
    broker = await startBroker({ disk })
    client = await connect(broker.address)
    expect(await offsetOf(client, group, topic.name, { requireStable: true })).toBe('UNSTABLE_OFFSET_COMMIT')
    Object.assign(producer, { client })
    expect(await producer.end(type)).toBe('NONE')
    expect(await offsetOf(client, group, topic.name, { requireStable: true })).toBe(expected)
    await broker.stop()
  }
})

test('refuses partitions that are not there, one by one, and a group without a name', async () => {
  const client = await connectToBroker()
  const topic = await makeTopic(client)
  const producer = await TestProducer.open(client)
  const offsets = { [`${topic.name}-0`]: 1, [`${topic.name}-7`]: 1, 'a-nowhere-0': 1 }
  expect((await producer.commitOffsets(uniqueName('group'), offsets)).toSorted()).toEqual([
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])
  expect(await producer.commitOffsets('', { [`${topic.name}-0`]: 1 })).toEqual(['INVALID_GROUP_ID'])
})

test('of a producer that was fenced is refused, and disturbs no group, though transactions are not verified', async () => {
  const settings = { 'transaction.partition.verification.enable': false, 'offsets.topic.num.partitions': 1 }
  const { address } = await startBroker({ settings })
  const [client, member] = [await connect(address), await connect(address)]
  const topic = await makeTopic(client)
  const [group, other] = [uniqueName('group'), uniqueName('group')]
  const offsets = { [`${topic.name}-0`]: 1 }
  const fenced = await TestProducer.open(client, 'v1')
  expect(await fenced.commitOffsets(group, offsets)).toEqual(['NONE'])
  await TestProducer.open(client, 'v1', fenced.transactionalId)
  await joinAlone(client, other)
  const joining = member.call(joinGroup, 3, joinOf(other))
  await untilState(client, other, 'PreparingRebalance')
  const { transactionalId, producerId, producerEpoch } = fenced
  const partitions = [{ partitionIndex: 0, committedOffset: 2n, committedMetadata: null }]
  const answer = await client.call(txnOffsetCommit, 3, {
    transactionalId,
    producerId,
    producerEpoch,
    groupId: group,
    topics: [{ name: topic.name, partitions }],
  })
  expect(errorName(answer.topics[0]!.partitions[0]!.errorCode)).toBe('INVALID_PRODUCER_EPOCH')
  expect(await stateOf(client, other)).toBe('PreparingRebalance')
  const { members } = (
    await client.call(describeGroups, 6, { groups: [other], includeAuthorizedOperations: false })
  ).groups[0]!
  for (const { memberId } of members) await leaveAs(client, other, memberId)
  await joining
})
