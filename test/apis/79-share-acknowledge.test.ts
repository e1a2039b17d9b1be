import { expect, test } from 'vitest'
import { shareAcknowledge } from '../../src/broker/apis/79-share-acknowledge.ts'
import { describeShareGroupOffsets } from '../../src/broker/apis/90-describe-share-group-offsets.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { acknowledgeTypes } from '../../src/groups/share/acknowledgement.ts'
import { connect, startBroker } from '../support/broker.ts'
import { batchOf, makeTopic, produceTo, uniqueName, versionsOf } from '../support/requests.ts'
import { configure, joinShare, ShareReader, sharePlace } from '../support/share-requests.ts'

const { accept, gap, release, reject, renew } = acknowledgeTypes

test('settles records one by one and together, in every version', async () => {
  for (const version of versionsOf(shareAcknowledge)) {
    const place = await sharePlace([['a', 'b', 'c', 'd', 'e', 'f']])
    await joinShare(place.client, place.groupId, 'm', [place.topic])
    const member = new ShareReader(place.client, place, 'm')
    await member.take()
    const say = (...said: [number, number, ...number[]]): Promise<string> =>
      member.acknowledge([said], {}, version)
    expect(await say(0, 1, accept)).toBe('NONE')
    expect(await say(2, 4, release, reject, gap)).toBe('NONE')
    expect(await say(9, 9, accept)).toBe('INVALID_REQUEST')
    expect(await say(5, 5, accept)).toBe('NONE')
    expect((await member.take()).acquired).toEqual([[2, 2, 2]])
  }
})

test('needs a session that is in step, and ends it', async () => {
  const place = await sharePlace([['a']])
  await joinShare(place.client, place.groupId, 'm', [place.topic])
  const member = new ShareReader(place.client, place, 'm')
  const say = (epoch: number): Promise<string> => member.acknowledge([[0, 0, accept]], { epoch })
  expect(await say(0)).toBe('INVALID_SHARE_SESSION_EPOCH')
  expect(await say(1)).toBe('SHARE_SESSION_NOT_FOUND')
  await member.take()
  expect(await say(7)).toBe('INVALID_SHARE_SESSION_EPOCH')
  expect(await say(-1)).toBe('NONE')
  expect(await say(-1)).toBe('SHARE_SESSION_NOT_FOUND')
})

test('renews locks where the request says that it does', async () => {
  const place = await sharePlace([['a', 'b']])
  await joinShare(place.client, place.groupId, 'm', [place.topic])
  const member = new ShareReader(place.client, place, 'm')
  await member.take()
  expect(await member.acknowledge([[0, 1, renew]])).toBe('INVALID_REQUEST')
  expect(await member.acknowledge([[0, 1, renew]], { isRenewAck: true })).toBe('NONE')
  expect(await member.acknowledge([[0, 1, accept]])).toBe('NONE')
})

test('refuses to renew where the group does not allow it', async () => {
  const place = await sharePlace([['a']], { configs: { 'share.renew.acknowledge.enable': 'false' } })
  await joinShare(place.client, place.groupId, 'm', [place.topic])
  const member = new ShareReader(place.client, place, 'm')
  await member.take()
  expect(await member.acknowledge([[0, 0, renew]], { isRenewAck: true })).toBe('INVALID_RECORD_STATE')
})

test('is answered for what a broker that starts again knows: nothing comes twice but what was not settled', async () => {
  const disk = memoryDisk()
  const first = await startBroker({ disk })
  const client = await connect(first.address)
  const groupId = uniqueName('share')
  const topic = await makeTopic(client)
  await configure(client, groupId, { 'share.auto.offset.reset': 'earliest' })
  await produceTo(client, topic, batchOf(['a', 'b', 'c', 'd']))
  const place = { client, groupId, topic, open: () => connect(first.address) }
  const epoch = await joinShare(client, groupId, 'm', [topic])
  const member = new ShareReader(client, place, 'm')
  expect((await member.take()).acquired).toEqual([[0, 3, 1]])
  expect(await member.acknowledge([[0, 2, accept, release, accept]])).toBe('NONE')
  await first.stop()

  const second = await startBroker({ disk })
  const again = await connect(second.address)
  const back = new ShareReader(again, place, 'm')
  const { groups } = await again.call(describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
  expect(groups[0]!.topics[0]!.partitions[0]).toMatchObject({ startOffset: 1n, lag: 2n })
  expect((await back.take()).acquired).toEqual([
    [1, 1, 2],
    [3, 3, 2],
  ])
  expect(epoch).toBeGreaterThan(0)
})
