import { describe, expect, test } from 'vitest'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import type { MappableDisk } from '../../src/base/mapping.ts'
import { SessionIds, TimestampOracle, TransactionIds } from '../../src/sequencers/coordinator-ids.ts'
import { idParts, oracleLayout, scarabLayout, snowflakeEpochMs } from '../../src/sequencers/id-layout.ts'
import { ScarabGenerator, scarabParts, scarabTimestampMs } from '../../src/sequencers/scarab.ts'
import type { TimedIdsOptions } from '../../src/sequencers/timed-ids.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { seededRandom } from '../../src/base/random.ts'

const startMs = 1_700_000_000_000

class SettableClock extends ManualClock {
  offsetMs = 0

  override now(): number {
    return super.now() + this.offsetMs
  }
}

interface Scene {
  readonly clock: SettableClock
  readonly disk: MappableDisk
  open(options?: TimedIdsOptions): Promise<ScarabGenerator>
}

function scene(): Scene {
  const clock = new SettableClock(startMs)
  const disk = memoryDisk()
  return {
    clock,
    disk,
    open: options => ScarabGenerator.open(disk, 'ids', { datacenter: 3, worker: 9, clock, ...options }),
  }
}

describe('Scarab ids', () => {
  test('say when and by whom they were made', async () => {
    const { clock, open } = scene()
    const ids = await open()
    const [first, second] = [await ids.next(), await ids.next()]
    expect(scarabParts(first)).toEqual({ timestampMs: startMs, datacenter: 3, worker: 9, sequence: 0 })
    expect(scarabParts(second).sequence).toBe(1)
    await clock.advance(5)
    expect(scarabParts(await ids.next())).toMatchObject({ timestampMs: startMs + 5, sequence: 0 })
    await ids.close()
  })

  test('are read as the seed reads its example', () => {
    // The seed says 2010-11-04 01:42:54 and sequence 7; what its number holds is this.
    expect(scarabParts(175928847299117063n)).toEqual({
      timestampMs: 41_944_705_796 + snowflakeEpochMs,
      datacenter: 1,
      worker: 0,
      sequence: 7,
    })
    expect(scarabTimestampMs(175928847299117063n, 1_420_070_400_000)).toBe(1_462_015_105_796)
  })

  test('are put together from their parts and taken apart again', () => {
    const random = seededRandom(1)
    for (let round = 0; round < 1000; round++) {
      const id = random.bytes(8).readBigUInt64BE() >> 1n
      const { timestampMs, maker, sequence } = idParts(scarabLayout, id)
      expect((BigInt(timestampMs - snowflakeEpochMs) << 22n) | BigInt(maker * 4096 + sequence)).toBe(id)
    }
  })

  test('wait for the next millisecond when 4096 are made', async () => {
    const { clock, open } = scene()
    const ids = await open()
    const wanted = Promise.all(Array.from({ length: 10_000 }, () => ids.next()))
    await clock.advance(3)
    const made = await wanted
    expect(made.every((id, index) => index === 0 || id > made[index - 1]!)).toBe(true)
    expect(scarabParts(made[4095]!)).toMatchObject({ timestampMs: startMs, sequence: 4095 })
    expect(scarabParts(made[4096]!)).toMatchObject({ timestampMs: startMs + 1, sequence: 0 })
    await ids.close()
  })

  test('wait for a clock that went back a little, and are refused where it went back far', async () => {
    const { clock, open } = scene()
    const ids = await open()
    const before = await ids.next()
    clock.offsetMs = -5
    const meanwhile = await ids.next()
    expect(meanwhile).toBe(before + 1n)
    clock.offsetMs = -11
    await expect(ids.next()).rejects.toMatchObject({
      name: 'SequencerError',
      reason: 'clock ran back',
      message: 'ids: the clock stands 11 ms before the last id',
    })
    clock.offsetMs = 0
    expect(await ids.next()).toBe(before + 2n)
    await ids.close()
  })

  test('are refused after a restart with a clock that was set back', async () => {
    const { clock, open } = scene()
    const ids = await open()
    await ids.next()
    await ids.close()
    clock.offsetMs = -3_600_000
    const again = await open()
    await expect(again.next()).rejects.toMatchObject({ reason: 'clock ran back' })
    clock.offsetMs = 1
    expect(scarabParts(await again.next()).timestampMs).toBe(startMs + 1)
    await again.close()
  })

  test('go on at once after a close, and after the window where the process was killed', async () => {
    const { clock, disk, open } = scene()
    const killed = await open({ windowMs: 50 })
    const last = await killed.next()
    expect((await disk.read('ids'))!.toString()).toBe(`${startMs - snowflakeEpochMs + 50}\n`)
    const heir = await open({ windowMs: 50 })
    const first = heir.next()
    await clock.advance(49)
    expect(await Promise.race([first, 'not yet'])).toBe('not yet')
    await clock.advance(1)
    expect(await first).toBeGreaterThan(last)
    expect(scarabParts(await first)).toMatchObject({ timestampMs: startMs + 50, sequence: 0 })
    await heir.close()
    const next = await open({ windowMs: 50 })
    await clock.advance(1)
    expect(scarabParts(await next.next())).toMatchObject({ timestampMs: startMs + 51, sequence: 0 })
    await next.close()
  })

  test('end when 41 bits of milliseconds are used up, and do not begin before the epoch', async () => {
    const { clock, open } = scene()
    clock.offsetMs = snowflakeEpochMs + 2 ** 41 - 1 - startMs
    const ids = await open()
    expect(scarabParts(await ids.next()).timestampMs).toBe(snowflakeEpochMs + 2 ** 41 - 1)
    clock.offsetMs++
    await expect(ids.next()).rejects.toMatchObject({ reason: 'used up' })
    await ids.close()
    const early = await ScarabGenerator.open(memoryDisk(), 'ids', {
      datacenter: 0,
      worker: 0,
      clock: new ManualClock(snowflakeEpochMs - 1),
    })
    await expect(early.next()).rejects.toMatchObject({
      reason: 'clock ran back',
      message: /before the epoch/,
    })
    await early.close()
  })

  test('are refused once closed, whoever waits included', async () => {
    const { clock, open } = scene()
    const ids = await open()
    const waiting = Array.from({ length: 4097 }, () => ids.next()).at(-1)!
    const refused = expect(waiting).rejects.toMatchObject({ reason: 'closed' })
    await clock.advance(0)
    await ids.close()
    await clock.advance(1)
    await refused
    await expect(ids.next()).rejects.toMatchObject({ reason: 'closed' })
  })

  test.each([
    { datacenter: 32, worker: 0 },
    { datacenter: 0, worker: -1 },
    { datacenter: 0.5, worker: 0 },
  ])('have no datacenter $datacenter with worker $worker', async options => {
    await expect(ScarabGenerator.open(memoryDisk(), 'ids', options)).rejects.toThrow(RangeError)
  })
})

test.each([
  { kind: TimestampOracle, layout: oracleLayout, perMs: 8192 },
  { kind: TransactionIds, layout: scarabLayout, perMs: 4096 },
  { kind: SessionIds, layout: scarabLayout, perMs: 4096 },
])('$kind.name gives $perMs in a millisecond, with the id of its maker', async ({ kind, layout, perMs }) => {
  const clock = new ManualClock(startMs)
  const ids = await kind.open(memoryDisk(), 'ids', { id: 1023, clock })
  const wanted = Promise.all(Array.from({ length: perMs + 1 }, () => ids.next()))
  await clock.advance(1)
  const made = await wanted
  const maker = 1023
  expect(idParts(layout, made[perMs - 1]!)).toEqual({ timestampMs: startMs, maker, sequence: perMs - 1 })
  expect(idParts(layout, made[perMs]!)).toEqual({ timestampMs: startMs + 1, maker, sequence: 0 })
  expect(made[perMs]! < 2n ** 64n).toBe(true)
  await ids.close()
  await expect(kind.open(memoryDisk(), 'ids', { id: 1024 })).rejects.toThrow(RangeError)
})
