import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { DirectFile, sectorLength } from '../../src/base/direct-file.ts'
import { nodeDisk, type Disk, type DiskFile } from '../../src/base/disk.ts'

const isAppended = true
const mebibyte = 1024 * 1024

/** Where the system's temporary folder is memory, there is no direct way, and the other one has to do the same. */
async function temporaryDisk(): Promise<{ disk: Disk; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-direct-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return { disk: nodeDisk(folder), folder }
}

async function appended(): Promise<{ file: DiskFile }> {
  const { disk } = await temporaryDisk()
  const file = await disk.open('log', { isAppended })
  onTestFinished(() => file.close())
  return { file }
}

function patterned(length: number, from = 0): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => ((index + from) * 31) % 251))
}

async function readWhole(file: DiskFile, length: number): Promise<Buffer> {
  const into = Buffer.alloc(length)
  expect(await file.read(0, into)).toBe(length)
  return into
}

/** Pieces of random lengths, several to a write, some of many sectors. */
const writes = fc.array(fc.array(fc.oneof(fc.nat(600), fc.nat(20_000)), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 12,
})

describe('a file that is written in order', () => {
  test('holds what was written, byte after byte, and zeros up to the end of a sector', async () => {
    await fc.assert(
      fc.asyncProperty(writes, async lengths => {
        const { disk, folder } = await temporaryDisk()
        const file = await disk.open('log', { isAppended })
        let position = 0
        for (const write of lengths) {
          const pieces = write.map((length, index) => patterned(length, position + index))
          await file.writev(position, pieces)
          const written = Buffer.concat(pieces)
          const found = Buffer.alloc(written.length)
          expect(await file.read(position, found)).toBe(written.length)
          expect(found.equals(written)).toBe(true)
          position += written.length
        }
        const bytes = await readFile(join(folder, 'log'))
        expect(bytes.length).toBe(file.size)
        expect(bytes.length - position).toBeLessThan(sectorLength)
        expect(bytes.subarray(position).every(byte => byte === 0)).toBe(true)
        await file.truncate(position)
        expect((await stat(join(folder, 'log'))).size).toBe(position)
        await file.close()
      }),
      { numRuns: 30 },
    )
  })

  test('takes more in one write than its memory holds', async () => {
    const { file } = await appended()
    const pieces = Array.from({ length: 9 }, (_, index) => Buffer.alloc(mebibyte + 7, index + 1))
    await file.writev(100, [Buffer.alloc(50, 9), ...pieces])
    const whole = await readWhole(file, 150 + 9 * (mebibyte + 7))
    expect(whole.subarray(150).equals(Buffer.concat(pieces))).toBe(true)
    expect(whole.subarray(0, 100).every(byte => byte === 0)).toBe(true)
  })

  test('goes on within a sector that somebody else has written', async () => {
    const { disk } = await temporaryDisk()
    const first = await disk.open('log', { isAppended })
    await first.writev(0, [patterned(5000)])
    await first.close()
    const second = await disk.open('log', { isAppended })
    await second.truncate(4500)
    await second.writev(4500, [Buffer.from('on')])
    const whole = await readWhole(second, 4502)
    expect(whole.subarray(0, 4500).equals(patterned(4500))).toBe(true)
    expect(whole.subarray(4500).toString()).toBe('on')
    await second.close()
  })

  test('is overwritten from its beginning, as a file that is used again', async () => {
    const { file } = await appended()
    await file.writev(0, [Buffer.alloc(20_000, 1)])
    await file.writev(0, [Buffer.alloc(100, 2)])
    await file.writev(100, [Buffer.alloc(100, 3)])
    const whole = await readWhole(file, 20_000)
    expect(whole.subarray(0, 200)).toEqual(Buffer.concat([Buffer.alloc(100, 2), Buffer.alloc(100, 3)]))
    expect(whole.subarray(sectorLength).every(byte => byte === 1)).toBe(true)
  })

  test('is read in long pieces from any position, twice and beyond its end', async () => {
    const { file } = await appended()
    const length = 5 * mebibyte + 321
    const bytes = Buffer.alloc(length)
    for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(at, at)
    await file.writev(0, [bytes])
    for (const [from, wanted] of [
      [0, 3 * mebibyte],
      [1, 2 * mebibyte + 1],
      [sectorLength + 17, 100_000],
      [17, 4 * mebibyte],
    ] as const) {
      for (let time = 1; time <= 2; time++) {
        const into = Buffer.alloc(wanted)
        expect(await file.read(from, into)).toBe(wanted)
        expect(into.equals(bytes.subarray(from, from + wanted))).toBe(true)
      }
    }
    const into = Buffer.alloc(200_000)
    const left = 100_000 + (file.size - length)
    expect(await file.read(length - 100_000, into)).toBe(left)
    expect(into.subarray(0, 100_000).equals(bytes.subarray(length - 100_000))).toBe(true)
  })

  test('is read by many at once', async () => {
    const { file } = await appended()
    const bytes = Buffer.alloc(4 * mebibyte)
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at)
    await file.writev(0, [bytes])
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const from = index * 90_001
        const into = Buffer.alloc(400_000)
        expect(await file.read(from, into)).toBe(into.length)
        expect(into.equals(bytes.subarray(from, from + into.length))).toBe(true)
      }),
    )
  })

  test('can be read when it has lost its name', async () => {
    const { disk } = await temporaryDisk()
    const file = await disk.open('log', { isAppended })
    await file.writev(0, [Buffer.alloc(mebibyte, 7)])
    await file.close()
    const again = await disk.open('log', { isAppended })
    await disk.remove('log')
    expect((await readWhole(again, mebibyte)).every(byte => byte === 7)).toBe(true)
    await again.close()
  })

  test('refuses a write that is begun before the last one ended', async () => {
    const { file } = await appended()
    const first = file.writev(0, [Buffer.alloc(10)])
    await expect(file.writev(10, [Buffer.alloc(10)])).rejects.toThrow('before the last one ended')
    await first
  })

  test('is a file like any other where there is no way around the page cache', async () => {
    const { disk } = await temporaryDisk()
    const noDescriptor = -1
    const file = new DirectFile(await disk.open('log'), noDescriptor)
    await file.writev(0, [patterned(5000), patterned(300_000)])
    await file.writev(305_000, [patterned(7)])
    expect(file.size).toBe(305_007)
    const whole = await readWhole(file, file.size)
    expect(whole.equals(Buffer.concat([patterned(5000), patterned(300_000), patterned(7)]))).toBe(true)
    await file.truncate(6000)
    expect(file.size).toBe(6000)
    await file.close()
  })

  test('is a file like any other where there is no memory for going around it', async () => {
    const { folder } = await temporaryDisk()
    const dist = pathToFileURL(join(import.meta.dirname, '../../dist/base/disk.js')).href
    const program = `
      const { nodeDisk } = await import(${JSON.stringify(dist)})
      for (let count = 0; count < 6; count++) {
        const file = await nodeDisk(${JSON.stringify(folder)}).open('log' + count, { isAppended: true })
        await file.writev(0, [Buffer.alloc(100_001, 1)])
        const found = Buffer.alloc(100_001)
        console.log(file.size, await file.read(0, found), found.every(byte => byte === 1))
        await file.close()
      }`
    // Without a compiler there is no WebAssembly.
    const args = ['--jitless', '--input-type=module', '--eval', program]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(stdout).toBe('100001 100001 true\n'.repeat(6))
  })

  test('says that it cannot go on where a limit to the size of files lies within a sector', async () => {
    const { folder } = await temporaryDisk()
    const dist = pathToFileURL(join(import.meta.dirname, '../../dist/base/disk.js')).href
    const program = `
      const { nodeDisk } = await import(${JSON.stringify(dist)})
      const file = await nodeDisk(${JSON.stringify(folder)}).open('log', { isAppended: true })
      await file.writev(0, [Buffer.alloc(20_000, 1)]).catch(({ message }) => console.log(message))`
    // The shell counts in units of 512 or of 1,024 bytes.
    const limited = ['-c', 'ulimit -f 9; exec "$0" "$@"', process.execPath]
    const { stdout } = await promisify(execFile)(
      'sh',
      [...limited, '--input-type=module', '--eval', program],
      {
        timeout: 10_000,
      },
    )
    expect(stdout).toMatch(/a write that came to no whole sector|EFBIG/)
  })

  test('leaves the page cache alone, until something is read again', async context => {
    const { disk, folder } = await temporaryDisk()
    const buffered = await disk.open('log')
    await buffered.writev(0, [Buffer.alloc(3 * mebibyte, 1)])
    const handle = await open(join(folder, 'log'), 'r+')
    const direct = await open(join(folder, 'log'), constants.O_RDONLY | (constants.O_DIRECT ?? 0)).catch(
      () => {},
    )
    await direct?.close()
    if (!direct || constants.O_DIRECT === undefined) return context.skip('no direct reads here')
    const read = vi.spyOn(buffered, 'read')
    const file = new DirectFile(buffered, handle.fd)
    const wayOf = async (position: number): Promise<string> => {
      read.mockClear()
      await file.read(position, Buffer.alloc(mebibyte))
      return read.mock.calls.length === 0 ? 'direct' : 'cached'
    }
    expect(await wayOf(10)).toBe('direct')
    expect(await wayOf(10 + mebibyte)).toBe('direct')
    expect(await wayOf(100)).toBe('cached')
    expect(await wayOf(100)).toBe('cached')
    expect(await wayOf(100 + 2 * mebibyte)).toBe('direct')
    await file.close()
    await handle.close()
  })
})
