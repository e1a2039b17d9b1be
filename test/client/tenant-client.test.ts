import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import { TenantClient, type TenantRecord } from '../../src/client/index.ts'
import { startBroker } from '../support/broker.ts'
import { all, clientOf, folderOf, makeTopic } from './support.ts'
import { seedOf } from '../support/seed.ts'

const seed = seedOf()

function tell({ seq, value }: TenantRecord): string {
  return `${seq}:${value}`
}

test(`numbers each tenant for itself, restarts included, and reads ranges as a model does (SEED=${seed})`, async () => {
  const random = seededRandom(seed)
  const { address } = await startBroker()
  const kafka = clientOf(address)
  const topic = await makeTopic(kafka, { partitions: 2 })
  const disk = memoryDisk()
  // One is the beginning of another, one has a colon, one is no file name, two differ in case alone.
  const tenants = ['acme', 'acme:1', 'acme2', '../Müller', 'ACME']
  const model = new Map(tenants.map(tenant => [tenant, [] as string[]]))
  for (let life = 0; life < 3; life++) {
    const folder = await folderOf(disk)
    const client = await TenantClient.open(kafka, { topic, counter: name => folder.obelisk(name) })
    const writes: Promise<void>[] = []
    for (let count = 0; count < 60; count++) {
      const tenant = tenants[random.below(tenants.length)]!
      const records = model.get(tenant)!
      const seq = BigInt(records.length)
      records.push(`${seq}:v${life}-${count}`)
      writes.push(client.write(tenant, `v${life}-${count}`).then(written => expect(written).toBe(seq)))
      if (random.below(10) === 0) await Promise.all(writes)
    }
    await Promise.all(writes)
    await Promise.all(
      tenants.map(async tenant => {
        const from = random.below(20)
        const to = from + random.below(30)
        const range = client.readTenantRange(tenant, BigInt(from), BigInt(to))
        expect((await all(range)).map(tell)).toEqual(model.get(tenant)!.slice(from, to))
      }),
    )
    await client.close()
    await folder.close()
  }
})

test('keeps a tenant in the partition of its name, with keys that others can read', async () => {
  const { address } = await startBroker()
  const kafka = clientOf(address)
  const topic = await makeTopic(kafka, { partitions: 5 })
  const folder = await folderOf()
  const client = await TenantClient.open(kafka, { topic, counter: name => folder.obelisk(name) })
  await client.write('acme', 'a', { by: 'me' })
  await client.write('acme', null)
  const [first, second] = await all(client.readTenantRange('acme', 0n, 10n))
  expect(String(first!.headers['by'])).toBe('me')
  expect(second!.value).toBeNull()
  expect(await all(client.readTenantRange('nobody', 0n, 10n))).toEqual([])
  const admin = kafka.admin()
  await admin.connect()
  const home = (await admin.fetchTopicOffsets(topic)).filter(({ high }) => high !== '0')
  await admin.disconnect()
  expect(home).toMatchObject([{ partition: client.partitionOf('acme'), high: '2' }])
  await client.close()
})
