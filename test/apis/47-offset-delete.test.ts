import { expect, test } from 'vitest'
import { offsetFetch } from '../../src/broker/apis/09-offset-fetch.ts'
import { offsetDelete } from '../../src/broker/apis/47-offset-delete.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { commitTo, groupPlace, joinAlone, type GroupPlace } from '../support/group-requests.ts'
import { subscription } from '../support/group-scene.ts'
import { makeTopic } from '../support/requests.ts'

async function remove({ client }: GroupPlace, groupId: string, names: string[]): Promise<string[]> {
  const topics = names.map(name => ({ name, partitions: [{ partitionIndex: 0 }] }))
  const answer = await client.call(offsetDelete, 0, { groupId, topics })
  if (answer.errorCode !== 0) return [errorName(answer.errorCode)]
  const errors = new Map(
    answer.topics.map(({ name, partitions }) => [name, errorName(partitions[0]!.errorCode)]),
  )
  return names.map(name => errors.get(name)!)
}

test('removes offsets of topics that no member reads', async () => {
  const place = await groupPlace()
  const { client, groupId } = place
  const [read, unread] = [await makeTopic(client), await makeTopic(client)]
  const protocols = [{ name: 'range', metadata: subscription(read.name) }]
  const { memberId, generationId } = await joinAlone(client, groupId, { protocols })
  const draft = { memberId, generationIdOrMemberEpoch: generationId }
  for (const topic of [read, unread])
    expect(await commitTo(client, groupId, topic, { 0: 5n }, draft)).toEqual(['NONE'])
  expect(await remove(place, groupId, [read.name, unread.name, 'nowhere'])).toEqual([
    'GROUP_SUBSCRIBED_TO_TOPIC',
    'NONE',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ])
  const { groups } = await client.call(offsetFetch, 8, { groups: [{ groupId, topics: null }] })
  expect(groups[0]!.topics.map(({ name }) => name)).toEqual([read.name])
})

test('is refused where there is no group, and where nobody knows what the members read', async () => {
  const place = await groupPlace()
  const { client, groupId } = place
  const { name } = await makeTopic(client)
  expect(await remove(place, groupId, [name])).toEqual(['GROUP_ID_NOT_FOUND'])
  expect(await remove(place, '', [name])).toEqual(['INVALID_GROUP_ID'])
  await joinAlone(client, groupId, { protocolType: 'connect' })
  expect(await remove(place, groupId, [name])).toEqual(['NON_EMPTY_GROUP'])
})
