import { spawn } from 'node:child_process'
import { promises } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { nodeDisk, type Disk } from '../../src/base/disk.ts'
import { memoryDisk } from '../../src/base/memory-disk.ts'
import { systemError } from '../support/faulty-disk.ts'

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-disk-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** A process that has lived and is gone. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0'])
  await new Promise(resolve => void child.once('exit', resolve))
  return child.pid!
}

const disks: [string, () => Promise<Disk>][] = [
  ['files', async () => nodeDisk(join(await temporaryFolder(), 'data'))],
  ['memory', async () => memoryDisk()],
]

describe.each(disks)('a disk of %s', (_name, makeDisk) => {
  test('keeps what is written where it is written', async () => {
    const disk = await makeDisk()
    const file = await disk.open('folder/name')
    expect(file.size).toBe(0)
    await file.writev(3, [Buffer.from('abc'), Buffer.alloc(0), Buffer.from('defg')])
    await file.writev(1, [Buffer.from('x')])
    await file.sync()
    expect(file.size).toBe(10)
    const into = Buffer.alloc(20, '.')
    expect(await file.read(2, into)).toBe(8)
    expect(into.toString('latin1')).toBe('\0abcdefg............')
    expect(file.readSync(8, into.subarray(0, 1))).toBe(1)
    expect(file.readSync(10, into)).toBe(0)
    await file.truncate(5)
    await file.truncate(7)
    expect([file.size, file.readSync(0, into)]).toEqual([7, 7])
    expect(into.toString('latin1', 0, 7)).toBe('\0x\0ab\0\0')
    await file.close()
    expect(await disk.read('folder/name')).toEqual(into.subarray(0, 7))
    const again = await disk.open('folder/name')
    expect(again.size).toBe(7)
    await again.close()
  })

  test('writes and reads more than a write takes at once', async () => {
    const disk = await makeDisk()
    const file = await disk.open('large')
    const pieces = Array.from({ length: 3000 }, (_, index) => Buffer.alloc(index % 400, index % 251))
    await file.writev(0, pieces)
    const whole = Buffer.alloc(file.size)
    expect(await file.read(0, whole)).toBe(whole.length)
    expect(whole.equals(Buffer.concat(pieces))).toBe(true)
    await file.close()
  })

  test('lists, replaces and removes', async () => {
    const disk = await makeDisk()
    expect(await disk.list('shard')).toEqual([])
    expect(await disk.read('shard/b')).toBeUndefined()
    await disk.replace('shard/b', Buffer.from('one'))
    await disk.replace('shard/b', Buffer.from('two'))
    await (await disk.open('shard/a')).close()
    expect(await disk.list('shard')).toEqual(['a', 'b'])
    expect(await disk.list('')).toEqual(['shard'])
    expect((await disk.read('shard/b'))!.toString()).toBe('two')
    const open = await disk.open('shard/b')
    await disk.remove('shard/b')
    await disk.remove('shard/b')
    const into = Buffer.alloc(3)
    expect([await open.read(0, into), into.toString()]).toEqual([3, 'two'])
    await open.close()
    expect(await disk.list('shard')).toEqual(['a'])
  })

  test('renames a file, whoever has it open', async () => {
    const disk = await makeDisk()
    const file = await disk.open('shard/a')
    await file.writev(0, [Buffer.from('one')])
    await disk.rename('shard/a', 'shard/b')
    expect(await disk.list('shard')).toEqual(['b'])
    await file.writev(3, [Buffer.from(' two')])
    await file.close()
    expect((await disk.read('shard/b'))!.toString()).toBe('one two')
  })

  test('has one owner at a time', async () => {
    const disk = await makeDisk()
    const unlock = await disk.lock()
    await expect(disk.lock()).rejects.toMatchObject({ name: 'StorageInUseError' })
    await unlock()
    await (
      await disk.lock()
    )()
  })
})

describe('the lock of a folder', () => {
  test('is taken over from a process that is gone', async () => {
    const folder = await temporaryFolder()
    for (const owner of [`${await deadProcess()} 12345 abc\n`, `${process.pid} 1 abc\n`, 'torn', '']) {
      await writeFile(join(folder, 'lock'), owner)
      const unlock = await nodeDisk(folder).lock()
      expect(await readFile(join(folder, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `))
      await expect(nodeDisk(folder).lock()).rejects.toThrow(`in use by process ${process.pid}`)
      await unlock()
      expect(await readdir(folder)).toEqual([])
    }
  })

  test('is taken over by one of many that try at once', async () => {
    const folder = await temporaryFolder()
    const pid = await deadProcess()
    for (let round = 0; round < 20; round++) {
      await writeFile(join(folder, 'lock'), `${pid} 12345 ${round}\n`)
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => nodeDisk(folder).lock()))
      const taken = tries.filter(each => each.status === 'fulfilled')
      expect(taken).toHaveLength(1)
      await taken[0]!.value()
      expect(await readdir(folder)).toEqual([])
    }
  })

  test('holds against another process that lives', async () => {
    const folder = await temporaryFolder()
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    onTestFinished(() => void child.kill('SIGKILL'))
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => undefined)
    const startTime = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-'
    await writeFile(join(folder, 'lock'), `${child.pid} ${startTime} abc\n`)
    await expect(nodeDisk(folder).lock()).rejects.toThrow(`in use by process ${child.pid}`)
  })
})

describe('the lock of an owner in another container or on another machine, whose process numbers mean nothing here', () => {
  // The number of one who lives here, with another start: were it of here, it would be taken for gone.
  const owner = `${process.pid} 1 abc elsewhere\n`

  test('holds for as long as it is touched', async () => {
    const folder = await temporaryFolder()
    const lock = join(folder, 'lock')
    await writeFile(lock, owner)
    const beat = setInterval(() => void writeFile(lock, owner, { flag: 'r+' }), 100)
    onTestFinished(() => clearInterval(beat))
    await expect(nodeDisk(folder).lock()).rejects.toThrow('in another container or on another machine')
    expect(await readFile(lock, 'utf8')).toBe(owner)
  })

  test('is taken over once it has not been touched for long', async () => {
    const folder = await temporaryFolder()
    const lock = join(folder, 'lock')
    await writeFile(lock, owner)
    await utimes(lock, 1_000_000, 1_000_000)
    const unlock = await nodeDisk(folder).lock()
    const { mtimeMs } = await stat(lock)
    // And is touched by the new owner from now on.
    await expect.poll(async () => (await stat(lock)).mtimeMs, { timeout: 30_000 }).toBeGreaterThan(mtimeMs)
    await unlock()
    expect(await readdir(folder)).toEqual([])
  })
})

test('does not make a folder again that has disappeared with what was in it', async () => {
  const folder = join(await temporaryFolder(), 'data')
  const disk = nodeDisk(folder)
  const unlock = await disk.lock()
  const file = await disk.open('shard/a')
  await rm(folder, { recursive: true })
  await expect(disk.open('shard/b')).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(disk.replace('shard/c', Buffer.from('c'))).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(disk.replace('d', Buffer.from('d'))).rejects.toMatchObject({ code: 'ENOENT' })
  await file.close()
  await unlock()
})

const claims: [string, string, (disk: Disk) => Promise<() => Promise<void>>][] = [
  ['its lock', 'r+', disk => disk.lock()],
  [
    'a new file',
    'r',
    async disk => {
      const file = await disk.open('name')
      return () => file.close()
    },
  ],
]

test.each(claims)('keeps nothing of %s where it runs out of descriptors', async (_what, lastFlags, claim) => {
  const disk = nodeDisk(await temporaryFolder())
  const handles: promises.FileHandle[] = []
  let isShort = true
  const { open } = promises
  const spy = vi.spyOn(promises, 'open').mockImplementation(async (path, flags, mode) => {
    if (isShort && flags === lastFlags) throw systemError('EMFILE')
    const handle = await open(path, flags, mode)
    handles.push(handle)
    return handle
  })
  onTestFinished(() => spy.mockRestore())
  await expect(claim(disk)).rejects.toMatchObject({ code: 'EMFILE' })
  expect(handles.filter(({ fd }) => fd >= 0)).toEqual([])
  isShort = false
  const giveBack = await claim(disk)
  await giveBack()
})

test('gives the errors of the operating system as they are', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'plain'), '')
  await expect(nodeDisk(join(folder, 'plain')).open('name')).rejects.toMatchObject({ code: 'ENOTDIR' })
})
