import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-alone-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** What a program prints that finds the sequencers and no package at all. */
async function printed(folder: string, program: string): Promise<unknown> {
  for (const house of ['base', 'sequencers']) {
    await cp(join(root, 'dist', house), join(folder, house), { recursive: true })
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  const imports = `import { SequencerFolder } from './sequencers/index.js'\n`
  await writeFile(join(folder, 'program.js'), imports + program)
  const { stdout } = await run(process.execPath, [join(folder, 'program.js')], { cwd: folder })
  return JSON.parse(stdout)
}

test('runs without any package; only mapped files ask for one, in a sentence', async () => {
  const folder = await temporaryFolder()
  const program = `
    const folder = await SequencerFolder.open('data')
    const counters = [await folder.obelisk('a'), await folder.checkpoint('b')]
    const numbers = [String(await counters[0].next()), String(await counters[1].next())]
    const ids = await folder.scarab('c', { datacenter: 1, worker: 1 })
    await ids.next()
    const refusals = []
    for (const open of [() => folder.fixedMmap('d'), () => folder.bitmapMmap('e', { capacity: 10 })])
      await open().catch(({ name, message }) => refusals.push({ name, message }))
    await folder.close()
    console.log(JSON.stringify({ numbers, refusals }))`
  const refusal = {
    name: 'MappingError',
    message: expect.stringMatching(/^mapped files need the optional package koffi.*npm install koffi/),
  }
  expect(await printed(folder, program)).toEqual({ numbers: ['0', '0'], refusals: [refusal, refusal] })
  expect(await readdir(join(folder, 'data'))).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('names what is wrong where a file may not be so large', async () => {
  const folder = await temporaryFolder()
  const program = `
    const folder = await SequencerFolder.open('data')
    const counter = await folder.obelisk('counter')
    const before = await counter.reserve(1000)
    const { name, reason, message } = await counter.reserve(2_000_000).catch(error => error)
    const other = await folder.bitmapMmap('bitmap', { capacity: 16_000_000 }).catch(error => error)
    await folder.close().catch(() => {})
    console.log(JSON.stringify({ name, reason, message, other: other.reason }))`
  await printed(folder, 'console.log(1)')
  await writeFile(
    join(folder, 'program.js'),
    `import { SequencerFolder } from './sequencers/index.js'${program}`,
  )
  // In blocks of 1024 bytes, or of 512 where the shell is POSIX to the letter.
  const { stdout } = await run('sh', ['-c', `ulimit -f 1000 && exec "$0" program.js`, process.execPath], {
    cwd: folder,
  })
  expect(JSON.parse(stdout)).toEqual({
    name: 'SequencerError',
    reason: 'file too large',
    message: expect.stringContaining('counter cannot be moved to 2001000: EFBIG'),
    other: 'file too large',
  })
})

test('the example runs', async () => {
  const folder = await temporaryFolder()
  const example = join(root, 'examples', 'sequencers.mjs')
  const first = (await run(process.execPath, [example, folder])).stdout
  const second = (await run(process.execPath, [example, folder])).stdout
  expect(first).toMatch(/^invoices 0 to 99\n/)
  expect(second).toMatch(/^invoices 100 to 199\n/)
  expect(second).toMatch(/^Scarab id \d+ was made at .* by worker 2 of datacenter 1$/m)
})
