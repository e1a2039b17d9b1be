import { describe, expect, test } from 'vitest'
import {
  groupMetadata,
  groupRecord,
  offsetCommit,
  readRecord,
  recordKinds,
  type RecordName,
} from '../../src/groups/records.ts'
import { decode } from '../../src/protocol/compile.ts'
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../src/protocol/messages/consumer-offsets-records.ts'
import type { Message } from '../../src/protocol/schema.ts'
import { goldenRows } from '../support/golden.ts'
import { GroupScene, idOf } from '../support/group-scene.ts'

interface Vector {
  readonly api: string
  readonly version: number
  readonly kind: string
  readonly prefixHex: string
  readonly hex: string
  readonly unknownTags?: unknown
}

const vectors = goldenRows<Vector>('messages.jsonl').filter(({ kind }) => kind.startsWith('coordinator'))
const bytesOf = ({ prefixHex, hex }: Vector): Buffer => Buffer.from(prefixHex + hex, 'hex')
const of = (api: string, version: number): Vector[] =>
  vectors.filter(vector => vector.api === api && vector.version === version && !vector.unknownTags)

describe('records are Kafka’s', () => {
  test('an offset commit is written as Kafka writes it', () => {
    for (const [index, vector] of of('OffsetCommitValue', 4).entries()) {
      const key = of('OffsetCommitKey', 0)[index % 2]!
      const record = offsetCommit(
        decode(OffsetCommitKey, 0, Buffer.from(key.hex, 'hex')),
        decode(OffsetCommitValue, 4, Buffer.from(vector.hex, 'hex')),
      )
      expect(record.key).toEqual(bytesOf(key))
      expect(record.value).toEqual(bytesOf(vector))
    }
  })

  test('an offset commit with a retention of its own is written in the one version that has it', () => {
    const [vector] = of('OffsetCommitValue', 1)
    const value = decode(OffsetCommitValue, 1, Buffer.from(vector!.hex, 'hex'))
    expect(value.expireTimestamp).not.toBe(-1n)
    expect(offsetCommit({ group: 'g', topic: 't', partition: 0 }, value).value).toEqual(bytesOf(vector!))
  })

  test('a group is written as Kafka writes it', () => {
    for (const [index, vector] of of('GroupMetadataValue', 3).entries()) {
      const key = of('GroupMetadataKey', 0)[index % 2]!
      const { group } = decode(GroupMetadataKey, 0, Buffer.from(key.hex, 'hex'))
      const record = groupMetadata(group, decode(GroupMetadataValue, 3, Buffer.from(vector.hex, 'hex')))
      expect(record.key).toEqual(bytesOf(key))
      expect(record.value).toEqual(bytesOf(vector))
    }
  })

  test.each(Object.keys(recordKinds) as RecordName[])('%s is read and written as Kafka does', name => {
    const { key: keyTable, value: valueTable, version: written } = recordKinds[name]
    const api = name[0]!.toUpperCase() + name.slice(1)
    const [keyVector] = of(`${api}Key`, 0)
    const key = decode(keyTable as Message, 0, Buffer.from(keyVector!.hex, 'hex'))
    const values = vectors.filter(vector => vector.api === `${api}Value`)
    expect(values.length).toBeGreaterThan(0)
    for (const vector of values) {
      const record = readRecord(bytesOf(keyVector!), bytesOf(vector))!
      expect(record).toMatchObject({ type: name, key })
      if (vector.version !== written || vector.unknownTags) continue
      const value = decode(valueTable as Message, written, Buffer.from(vector.hex, 'hex'))
      expect(record.value).toEqual(value)
      expect(groupRecord(name, key as never, value as never)).toEqual({
        key: bytesOf(keyVector!),
        value: bytesOf(vector),
      })
    }
  })

  test('every version of every value is read', () => {
    const read = vectors
      .filter(({ api }) => /^(Offset|Group).*Value$/.test(api))
      .map(vector => {
        const key = of(vector.api.replace('Value', 'Key'), 0)[0]!
        return `${readRecord(bytesOf(key), bytesOf(vector))?.type} ${vector.version}`
      })
    expect(new Set(read).size).toBe(10)
    expect(read.filter(each => each.startsWith('undefined'))).toEqual([])
  })

  test('a type that nobody keeps any more is passed over', () => {
    const [key] = of('ConsumerGroupPartitionMetadataKey', 0)
    expect(readRecord(bytesOf(key!), null)).toBeUndefined()
  })

  test('a tombstone has Kafka’s key and no value', () => {
    expect(offsetCommit({ group: 'g', topic: 't', partition: 3 }, null)).toEqual({
      key: Buffer.from('000100016700017400000003', 'hex'),
      value: null,
    })
    expect(groupMetadata('g', null)).toEqual({ key: Buffer.from('0002000167', 'hex'), value: null })
  })
})

/** What lies in the log: value versions and what the records say. */
const written = (scene: GroupScene) =>
  scene.topic.synced
    .flatMap(partition => partition.flatMap(entry => ('end' in entry ? [] : [entry])))
    .map(({ key, value }) => ({ version: value?.readInt16BE(0), record: readRecord(key, value)! }))

describe('what the coordinator writes', () => {
  test('is a group without members at its first join, and with them once they are assigned', async () => {
    const scene = await GroupScene.open()
    const { ids } = await scene.form(['a'])
    const [created, stable] = written(scene)
    expect(created).toMatchObject({
      version: 3,
      record: {
        key: { group: 'readers' },
        value: { protocolType: '', generation: 0, protocol: null, leader: null, members: [] },
      },
    })
    expect(stable).toMatchObject({
      version: 3,
      record: {
        value: {
          protocolType: 'consumer',
          generation: 1,
          protocol: 'range',
          leader: ids[0],
          currentStateTimestamp: BigInt(scene.clock.now()),
          members: [
            {
              memberId: ids[0],
              groupInstanceId: null,
              clientId: 'a',
              clientHost: '/127.0.0.1',
              rebalanceTimeout: 60_000,
              sessionTimeout: 10_000,
              assignment: Buffer.from('a'),
            },
          ],
        },
      },
    })
    expect(written(scene)).toHaveLength(2)
  })

  test('is an offset with its epoch, its topic’s id and the time; or with the time at which it may go', async () => {
    const scene = await GroupScene.open()
    await scene.commit({ 'orders-2': 7 })
    await scene.commit({ 'orders-2': 8 }, { version: 4, retentionTimeMs: 1_000n })
    const commitTimestamp = BigInt(scene.clock.now())
    const [plain, expiring] = written(scene)
    expect(plain).toEqual({
      version: 4,
      record: {
        type: 'offsetCommit',
        key: { group: 'readers', topic: 'orders', partition: 2 },
        value: {
          offset: 7n,
          leaderEpoch: 3,
          metadata: 'note',
          commitTimestamp,
          expireTimestamp: -1n,
          topicId: idOf('orders'),
        },
      },
    })
    expect(expiring).toMatchObject({
      version: 1,
      record: { value: { offset: 8n, commitTimestamp, expireTimestamp: commitTimestamp + 1_000n } },
    })
  })
})
