import { describe, expect, test } from 'vitest'
import type { DiskFile } from '../../src/base/disk.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedDisk, type Fault, type SystemCall } from './simulated-disk.ts'
import { sectorLength } from './simulated-file.ts'

/** A disk, and what it takes to let its calls happen. */
class DiskScene {
  readonly scheduler = new Scheduler()
  readonly life = this.scheduler.live()
  readonly calls: string[] = []
  faultOf: (call: SystemCall) => Fault | undefined = () => undefined
  readonly disk = new SimulatedDisk({
    life: this.life,
    random: seededRandom(1),
    faultOf: call => this.faultOf(call),
    changed: ({ kind, name }) => void this.calls.push(`${kind} ${name}`),
  })

  after<T>(promise: Promise<T>): Promise<T> {
    return this.scheduler.until(promise)
  }

  async open(name: string): Promise<DiskFile> {
    return this.after(this.disk.open(name))
  }

  /** The files after power cuts at this moment, one of each kind. */
  crashes(name: string): Set<string | undefined> {
    return new Set(
      Array.from({ length: 60 }, (_, seed) => {
        const options = { life: this.scheduler.live(), random: seededRandom(seed) }
        return this.disk.crashed(options).contents().get(name)?.toString('latin1')
      }),
    )
  }
}

const letters = (letter: string, length: number): Buffer => Buffer.from(letter.repeat(length))

describe('a simulated disk', () => {
  test('keeps what was synced, and any sectors of what was not', async () => {
    const scene = new DiskScene()
    const file = await scene.open('log')
    await scene.after(file.writev(0, [letters('a', 2 * sectorLength)]))
    await scene.after(file.sync())
    expect(scene.crashes('log')).toEqual(new Set(['a'.repeat(1024)]))
    await scene.after(file.writev(0, [letters('b', sectorLength), letters('c', sectorLength)]))
    const seen = [...scene.crashes('log')].filter(bytes => /^(a{512}|b{512})(a{512}|c{512})$/.test(bytes!))
    expect(new Set(seen.map(bytes => bytes![0]! + bytes![512]!))).toEqual(new Set(['aa', 'ac', 'ba', 'bc']))
  })

  test('flips a bit in what was being written now and then, and in nothing else', async () => {
    const scene = new DiskScene()
    const file = await scene.open('log')
    await scene.after(file.writev(0, [letters('a', 100)]))
    await scene.after(file.sync())
    await scene.after(file.writev(100, [letters('b', 100)]))
    const seen = [...scene.crashes('log')]
    expect(seen.every(bytes => bytes!.startsWith('a'.repeat(100)))).toBe(true)
    expect(seen.some(bytes => /[^ab\0]/.test(bytes!))).toBe(true)
  })

  test('loses a file, a folder, a rename and a removal that no folder was synced for', async () => {
    const scene = new DiskScene()
    scene.faultOf = ({ kind }) => (kind === 'sync-folder' ? 'ignored' : undefined)
    await scene.open('folder/made')
    expect(scene.crashes('folder/made')).toEqual(new Set([undefined, '']))
    scene.faultOf = () => undefined
    const old = await scene.open('name')
    await scene.after(old.writev(0, [letters('a', 1)]))
    await scene.after(old.sync())
    scene.faultOf = ({ kind }) => (kind === 'sync-folder' ? 'ignored' : undefined)
    await scene.after(scene.disk.replace('name', letters('b', 1)))
    expect(scene.crashes('name')).toEqual(new Set(['a', 'b']))
    await scene.after(scene.disk.remove('name'))
    expect(scene.crashes('name')).toEqual(new Set(['a', 'b', undefined]))
  })

  test('has a replaced file durable as it says', async () => {
    const scene = new DiskScene()
    await scene.after(scene.disk.replace('folder/name', letters('a', 3)))
    expect(scene.calls).toEqual([
      'mkdir folder',
      'sync-folder ',
      'create folder/name.new',
      'write folder/name.new',
      'sync folder/name.new',
      'rename folder/name',
      'sync-folder folder',
    ])
    expect(scene.crashes('folder/name')).toEqual(new Set(['aaa']))
  })

  test('never returns from the call that it dies in', async () => {
    const scene = new DiskScene()
    const file = await scene.open('log')
    scene.disk.crashAfter(2)
    let returned = 0
    const write = (): Promise<void> => file.writev(file.size, [letters('a', 1)]).then(() => void returned++)
    void write().then(write).then(write)
    await scene.scheduler.happen(() => scene.disk.isDead)
    expect({ returned, size: file.size }).toEqual({ returned: 1, size: 2 })
  })

  test('says that pages are clean after a failed sync, and loses them', async () => {
    const scene = new DiskScene()
    const file = await scene.open('log')
    const length = 40 * sectorLength
    await scene.after(file.writev(0, [letters('a', length)]))
    await scene.after(file.sync())
    await scene.after(file.writev(0, [letters('b', length)]))
    scene.faultOf = ({ kind }) => (kind === 'sync' ? 'EIO' : undefined)
    await expect(scene.after(file.sync())).rejects.toMatchObject({ code: 'EIO' })
    scene.faultOf = () => undefined
    await scene.after(file.sync())
    expect(scene.disk.contents().get('log')!.toString()).toBe('b'.repeat(length))
    expect([...scene.crashes('log')].map(bytes => /^(a{512}|b{512})+$/.test(bytes!))).toEqual([true])
    expect([...scene.crashes('log')]).not.toContain('b'.repeat(length))
    await scene.after(file.writev(0, [letters('b', length)]))
    await scene.after(file.sync())
    expect(scene.crashes('log')).toEqual(new Set(['b'.repeat(length)]))
  })

  test('goes on writing after a short write, and fails where there is no space', async () => {
    const scene = new DiskScene()
    const file = await scene.open('log')
    let shorts = 3
    scene.faultOf = ({ kind }) => (kind === 'write' && shorts-- > 0 ? 'short' : undefined)
    await scene.after(file.writev(0, [letters('a', 100), letters('b', 100)]))
    expect(scene.disk.contents().get('log')!.toString()).toBe('a'.repeat(100) + 'b'.repeat(100))
    scene.faultOf = () => 'ENOSPC'
    await expect(scene.after(file.writev(200, [letters('c', 9)]))).rejects.toMatchObject({ code: 'ENOSPC' })
    scene.faultOf = ({ kind }) => (kind === 'open' ? 'EMFILE' : undefined)
    await expect(scene.open('log')).rejects.toMatchObject({ code: 'EMFILE' })
  })
})
