import { expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { restoreDirectory } from '../../src/cli/restore.ts'
import { atRest } from '../../src/storage/inspection/at-rest.ts'
import { defaultLogSettings } from '../../src/storage/log-settings.ts'
import type { PartitionLog } from '../../src/storage/partition-log.ts'
import { openCatalog } from '../cli/history.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { batchOf, compacted, keyed, recordsOf, turns } from './support.ts'

test('the newest LSN can be had back where a rewriting saw entries that a crash then took', async () => {
  const clock = new ManualClock()
  const disk = new FaultyDisk()
  const { store, catalog } = await openCatalog({ disk, clock, segmentBytes: 2000, tailBytesMax: 0 })
  const topic = await catalog.create({ name: 'a', partitionCount: 2, configs: new Map() })
  const [log, other] = topic.partitions
  log!.configure({ ...defaultLogSettings, fileDeleteDelayMs: 0 })
  for (let index = 0; index < 30; index++) {
    for (const each of [log!, other!]) await each.append(batchOf(['x'.repeat(100)])).committed
  }
  await catalog.deleteRecords([{ log: log!, offset: 25n }])
  await turns()
  const newest = other!.append(batchOf(['newest']))
  await newest.committed
  const durability = {
    mode: 'async',
    recordsMax: 1000,
    delayMsMax: 20,
    unsyncedRecordsMax: Infinity,
  } as const
  for (let index = 0; index < 5; index++) other!.append(batchOf(['lost']), { durability })
  await store.reclaim({ liveRatio: 0.99 })
  const restored = memoryDisk()
  await atRest(disk.copy(), 'source', source =>
    restoreDirectory(source, restored, { point: { lsn: newest.lsn! }, strideRecords: 4 }),
  )
  const again = await openCatalog({ disk: restored, clock })
  expect(again.catalog.topic('a')!.partitions[1]!.logEndOffset).toBe(31n)
})

test('a restored log is compacted from where it ends, however far its source was', async () => {
  const clock = new ManualClock()
  const disk = new FaultyDisk()
  const { store, catalog } = await openCatalog({ disk, clock, segmentBytes: 1024 * 1024, tailBytesMax: 0 })
  const topic = await catalog.create({ name: 'a', partitionCount: 1, configs: new Map() })
  const log = topic.partitions[0]!
  log.configure(compacted)
  const put = async (to: PartitionLog, key: string): Promise<number> => {
    const { committed, lsn } = to.append(keyed(clock, [[key, 'x']]))
    await committed
    return lsn!
  }
  const clean = async (of: PartitionLog, within: typeof store): Promise<void> => {
    of.roll()
    await within.compact({ isForced: true })
  }
  for (let index = 0; index < 10; index++) await put(log, 'a')
  await clean(log, store)
  let lsn = 0
  for (let index = 0; index < 3; index++) lsn = await put(log, `b${index}`)
  for (let index = 0; index < 10; index++) await put(log, `c${index}`)
  await clean(log, store)
  await store.close()

  const restored = new FaultyDisk()
  await atRest(disk, 'source', source =>
    restoreDirectory(source, restored, { point: { lsn }, strideRecords: 4 }),
  )
  const again = await openCatalog({ disk: restored, clock })
  const back = again.catalog.topic('a')!.partitions[0]!
  back.configure(compacted)
  expect(back.logEndOffset).toBe(13n)
  for (let index = 0; index < 10; index++) await put(back, 'z')
  await put(back, 'y')
  for (let pass = 0; pass < 2; pass++) {
    await clean(back, again.store)
    await put(back, 'w')
  }
  expect((await recordsOf(back)).filter(line => line.includes(' z='))).toHaveLength(1)
})
