import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createBroker } from '../../src/index.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { connect, startBroker } from '../support/broker.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { batchOf, fetchFrom, makeTopic, produceTo, recordsIn } from '../support/requests.ts'

test('does not start on a log that lost what was synced, and touches nothing', async () => {
  const data = await mkdtemp(join(tmpdir(), 'odradek-damaged-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  const broker = await createBroker({ data })
  const client = await connect(broker.address)
  const topic = await makeTopic(client)
  for (let index = 0; index < 3; index++) await produceTo(client, topic, batchOf([`${index}`]))
  client.close()
  await broker.close()

  const log = join(data, 'shard-0', '00000000000000000001.log')
  const bytes = await readFile(log)
  bytes[100]! ^= 1
  await writeFile(log, bytes)
  await rm(join(data, 'shard-0', 'checkpoint'))
  await expect(createBroker({ data })).rejects.toMatchObject({
    name: 'StorageDamagedError',
    message: expect.stringMatching(/odradek verify/),
  })
  expect(await readFile(log)).toEqual(bytes)
})

test('takes nothing more for a data directory that has disappeared, once it needs another file there', async () => {
  const data = await mkdtemp(join(tmpdir(), 'odradek-gone-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  const broker = await createBroker({ data, settings: { 'odradek.shard.segment.bytes': 1024 * 1024 } })
  const client = await connect(broker.address)
  const topic = await makeTopic(client)
  await rm(data, { recursive: true })
  const batch = batchOf(['x'.repeat(700_000)])
  const outcomes: string[] = []
  for (let index = 0; index < 4; index++)
    outcomes.push(errorName((await produceTo(client, topic, batch)).errorCode))
  expect(outcomes.at(-1)).toBe('KAFKA_STORAGE_ERROR')
  expect(errorName((await fetchFrom(client, topic)).errorCode)).toBe('NONE')
  await client.close()
  await broker.close()
  await expect(readdir(data)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('starts with a bad sector in one shard, fences that, and cuts nothing off', async () => {
  const disk = new FaultyDisk()
  const settings = { 'odradek.shards': 2, 'odradek.tail.bytes.max': 0 }
  const first = await startBroker({ disk, settings })
  const client = await connect(first.address)
  const topic = await makeTopic(client, { partitions: 2 })
  for (const index of [0, 1])
    for (const value of ['a', 'b']) await produceTo(client, topic, batchOf([value]), { index })
  // As a kill leaves it: nothing says how far the log was synced but the log itself.
  const killed = disk.copy()
  killed.files.delete('shard-1/checkpoint')
  killed.files.delete('shard-1/anchor')
  const [bad] = killed.names('.log').filter(name => name.startsWith('shard-1/'))
  const bytes = Buffer.from(killed.get(bad!))
  killed.beforeReadSync = name => {
    if (name === bad) throw systemError('EIO')
  }
  const second = await createBroker({ disk: killed, settings })
  const again = await connect(second.address)
  const outcomes = await Promise.all(
    [0, 1].map(async index =>
      errorName((await produceTo(again, topic, batchOf(['c']), { index })).errorCode),
    ),
  )
  expect(outcomes.toSorted()).toEqual(['KAFKA_STORAGE_ERROR', 'NONE'])
  await again.close()
  await second.close()
  expect(killed.get(bad!)).toEqual(bytes)

  killed.beforeReadSync = () => {}
  const third = await startBroker({ disk: killed, settings })
  const last = await connect(third.address)
  const read = await Promise.all(
    [0, 1].map(async partition => recordsIn(await fetchFrom(last, topic, { partition }))),
  )
  expect(read.toSorted((one, other) => one.length - other.length)).toEqual([
    ['0:a', '1:b'],
    ['0:a', '1:b', '2:c'],
  ])
})
