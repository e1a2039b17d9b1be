import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createBroker } from '../../src/index.ts'
import { connect } from '../support/broker.ts'
import { batchOf, makeTopic, produceTo } from '../support/requests.ts'

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
