import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import type { Output } from '../../src/cli/output.ts'
import { printVerification, verifyDirectory } from '../../src/cli/verify.ts'
import { catalogPartitionId } from '../../src/broker/catalog.ts'
import { offsetCommit } from '../../src/groups/records.ts'
import { readTrailer, trailerLength } from '../../src/storage/footer.ts'
import { atRest } from '../../src/storage/inspection/at-rest.ts'
import { connect, startBroker } from '../support/broker.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { TestProducer } from '../support/transactions.ts'
import { batchOf, openTestStore } from '../storage/support.ts'
import { History, openCatalog } from './history.ts'

const { VERIFY_SEED = '400', VERIFY_SEED_COUNT = '4', VERIFY_FLIP_COUNT = '80' } = process.env
const seeds = Array.from({ length: Number(VERIFY_SEED_COUNT) }, (_, index) => Number(VERIFY_SEED) + index)

/** What is unsound, a sentence each. */
async function unsound(disk: FaultyDisk): Promise<string[]> {
  const { findings } = await atRest(disk, 'data', readOnly => verifyDirectory(readOnly))
  return findings.filter(({ isUnsound }) => isUnsound).map(({ text }) => text)
}

/** Of every other seed the logs are compacted and rewritten. */
const historyOf = (seed: number): History => new History(seed, { isKeptUp: seed % 2 === 1 })

async function closed(seed: number, steps = 50): Promise<FaultyDisk> {
  const history = historyOf(seed)
  await history.run(steps)
  await history.store.close()
  return history.disk
}

describe('what is sound', () => {
  test.each(seeds)('is called so after a close, and nothing is changed (seed %i)', async seed => {
    const disk = await closed(seed)
    const before = new Map([...disk.files].map(([name, { live }]) => [name, Buffer.from(live)]))
    const { findings, shards } = await verifyDirectory(disk)
    expect(findings).toEqual([])
    expect(shards.length).toBeGreaterThan(0)
    expect(new Map([...disk.files].map(([name, { live }]) => [name, live]))).toEqual(before)
  })

  test.each(seeds)('is called so whenever the process is killed (seed %i)', async seed => {
    const history = historyOf(seed)
    await history.run(20)
    for (let step = 0; step < 10; step++) {
      await history.more()
      expect(await unsound(history.disk.copy())).toEqual([])
    }
  })

  test.each(seeds)('is called so whenever the power is cut (seed %i)', async seed => {
    const history = historyOf(seed)
    await history.run(10)
    for (let step = 0; step < 10; step++) {
      await history.more()
      expect(await unsound(history.disk.crash(history.random))).toEqual([])
    }
  })

  test('are offsets that were committed in a transaction, and its end', async () => {
    const disk = new FaultyDisk()
    const { store, catalog } = await openCatalog({ disk })
    const name = '__consumer_offsets'
    const { partitions } = await catalog.create({ name, partitionCount: 1, configs: new Map() })
    const key = { group: 'g', topic: 'a', partition: 0 }
    const records = [offsetCommit(key, { offset: 1n, metadata: '', commitTimestamp: 1n })]
    const producer = { producerId: 1n, producerEpoch: 0 }
    partitions[0]!.append(batchOf([], { records, ...producer, baseSequence: 0, isTransactional: true }))
    const end = { type: 'COMMIT', coordinatorEpoch: 0, timestamp: 1n, transactionVersion: 1 } as const
    partitions[0]!.endTransaction({ ...producer, ...end })
    await store.close()
    expect(await unsound(disk)).toEqual([])
  })

  test('is an empty directory', async () => {
    const disk = new FaultyDisk()
    await (await openTestStore({ disk })).close()
    expect(await unsound(disk)).toEqual([])
  })
})

/** What no checksum covers and nobody reads: files that are kept to be overwritten, the rest of an anchor's slots, and what lies in counters, of which the size counts. */
function isIdle(name: string, at: number): boolean {
  if (name.endsWith('.spare')) return true
  return (name.endsWith('anchor') && at % 512 >= 64) || /^(start-count|producer-ids|format)$/.test(name)
}

/** The index of a segment that is still open: every start makes it again, and damage there is only noted. */
function isMadeAgain(disk: FaultyDisk, name: string): boolean {
  if (!name.endsWith('.idx')) return false
  const log = disk.get(name.replace(/idx$/, 'log'))
  return readTrailer(log.subarray(-trailerLength), log.length) === undefined
}

describe('damage', () => {
  test.each(seeds)('is found wherever a bit has turned (seed %i)', async seed => {
    const disk = await closed(seed)
    const random = seededRandom(seed)
    const names = [...disk.files.keys()].filter(name => disk.get(name).length > 0)
    for (let count = Number(VERIFY_FLIP_COUNT); count > 0;) {
      const name = names[random.below(names.length)]!
      const damaged = disk.copy()
      const bytes = damaged.get(name)
      const at = random.below(bytes.length)
      if (isIdle(name, at)) continue
      bytes[at]! ^= 1 << random.below(8)
      count--
      const { findings } = await verifyDirectory(damaged)
      const found = findings.filter(({ isUnsound }) => isUnsound || isMadeAgain(disk, name))
      expect(found, `${name} at ${at}`).not.toEqual([])
      for (const { text } of findings) expect(text).not.toContain('\n')
    }
  })

  test.each(seeds)('is found wherever a file has lost its end (seed %i)', async seed => {
    const disk = await closed(seed)
    const random = seededRandom(seed)
    for (const name of disk.names('.log').concat(disk.names('.idx'))) {
      const cut = disk.copy()
      cut.put(name, disk.get(name).subarray(0, random.below(disk.get(name).length)))
      const { findings } = await verifyDirectory(cut)
      const found = findings.filter(({ isUnsound }) => isUnsound || isMadeAgain(disk, name))
      expect(found, `${name} cut`).not.toEqual([])
    }
  })

  test.each(seeds)('is found wherever a file of a segment cannot be read (seed %i)', async seed => {
    const disk = await closed(seed)
    for (const name of [...disk.names('.log'), ...disk.names('.idx')]) {
      if (disk.get(name).length === 0) continue
      disk.beforeReadSync = read => {
        if (read === name) throw systemError('EIO')
      }
      const found = await unsound(disk)
      expect(found, name).toContainEqual(expect.stringContaining(name.slice(0, -'.log'.length)))
    }
  })

  test('is found where what is behind it cannot be read', async () => {
    const history = new History(400)
    await history.run(20)
    const disk = history.disk.copy()
    const log = disk.names('.log').at(-1)
    disk.put(log!, Buffer.concat([disk.get(log!), Buffer.alloc(1_000_000, 1)]))
    disk.beforeReadSync = (name, position, length) => {
      if (name === log && position + length > 900_000) throw systemError('EIO')
    }
    expect(await unsound(disk)).toContainEqual(expect.stringMatching(/is broken at \d+/))
  })

  test('keeps no later segment from being looked at', async () => {
    const disk = new FaultyDisk()
    const { store, catalog } = await openCatalog({ disk, segmentBytes: 600 })
    const topic = await catalog.create({ name: 'x', partitionCount: 1, configs: new Map() })
    for (let count = 0; count < 12; count++) {
      await topic.partitions[0]!.append(batchOf(['a'.repeat(200)])).committed
    }
    await store.close()
    const [, second, , fourth] = disk.names('.log')
    for (const name of [second!, fourth!]) disk.get(name)[90]! ^= 1
    const found = await unsound(disk)
    expect(found.filter(line => line.includes('is broken at'))).toHaveLength(2)
    expect(found.some(line => /^x-0: offsets \d+ to \d+ are not there$/.test(line))).toBe(true)
  })

  test('is metadata that cannot be read, or offsets, or what became of transactions', async () => {
    const disk = new FaultyDisk()
    const { store, catalog } = await openCatalog({ disk })
    const name = '__consumer_offsets'
    const { partitions } = await catalog.create({ name, partitionCount: 1, configs: new Map() })
    const records = [{ key: Buffer.from([0, 1, 9]), value: null }]
    await partitions[0]!.append(batchOf([], { records })).committed
    await partitions[0]!.append(batchOf(['without a key'])).committed
    const transactions = { name: '__transaction_state', partitionCount: 1, configs: new Map() }
    const [states] = (await catalog.create(transactions)).partitions
    await states!.append(batchOf([], { records: [{ key: Buffer.from([0, 0, 9]), value: null }] })).committed
    await store.partition(catalogPartitionId)!.append(batchOf([], { records })).committed
    await store.close()
    expect(await unsound(disk)).toEqual([
      expect.stringMatching(/^__consumer_offsets-0: a record from offset 0 on cannot be read: /),
      '__consumer_offsets-0: a record from offset 1 on cannot be read: it has no key',
      expect.stringMatching(/^__transaction_state-0: a record from offset 0 on cannot be read: /),
      expect.stringMatching(/^__cluster_metadata-0: a record from offset 5 on cannot be read: /),
    ])
  })

  test('is a counter of producer ids that has gone back', async () => {
    const disk = new FaultyDisk()
    const { address, stop } = await startBroker({ disk })
    const client = await connect(address)
    await TestProducer.open(client)
    await TestProducer.open(client)
    await stop()
    expect(await unsound(disk)).toEqual([])
    disk.put('producer-ids', Buffer.alloc(1))
    expect(await unsound(disk)).toEqual(['producer-ids stands at 1, and producer id 1 is in use'])
  })

  test('is a start count that has gone back', async () => {
    const disk = await closed(1)
    disk.put('start-count', Buffer.alloc(0))
    expect(await unsound(disk)).toEqual([
      expect.stringMatching(/^start-count stands at 0, and start \d+ has /),
    ])
  })
})

test('what a crash leaves behind is noted, and is nothing unsound', async () => {
  const disk = new FaultyDisk()
  await (await openCatalog({ disk })).store.close()
  const log = disk.names('.log')[0]!
  disk.put(log, Buffer.concat([disk.get(log), Buffer.from('the beginning of a block')]))
  disk.put('shard-0/00000000000000009999.idx', Buffer.alloc(0))
  const lines: string[] = []
  const output: Output = { line: text => void lines.push(text) }
  expect(await printVerification(await verifyDirectory(disk), output)).toBe(true)
  expect(lines).toEqual([
    expect.stringMatching(
      /^note: .* 24 bytes behind the last block at \d+ \(no block header\); .* cuts them off$/,
    ),
    'note: shard-0/00000000000000009999.idx counts for nothing; the next start removes it',
    'sound: 1 shard, 1 segment, 1 block, 1 batch, LSN 1',
  ])
})
