import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const examples = join(import.meta.dirname, '..', '..', 'examples')

/** What an example prints in a folder of its own, each time that it is run. */
async function printed(name: string, times = 1): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-example-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const texts: string[] = []
  for (let count = 0; count < times; count++) {
    texts.push((await run(process.execPath, [join(examples, name), folder])).stdout)
  }
  return texts
}

test('partitioners.mjs', async () => {
  expect(await printed('partitioners.mjs')).toEqual([
    expect.stringMatching(/^hash: (\d) \d \1\nvlsn: 1 2 0\nhierarchical: (\d) \2 \d\n$/),
  ])
})

test('vlsn.mjs numbers on when it is run again', async () => {
  expect(await printed('vlsn.mjs', 2)).toEqual([numberedFrom(0), numberedFrom(4)])
})

test('tenants.mjs', async () => {
  expect(await printed('tenants.mjs')).toEqual([
    expect.stringMatching(
      /^acme has 0 and 1, globex 0\nacme:0 a chair, in partition (\d)\nacme:1 a lamp, in partition \1\n$/,
    ),
  ])
})

test('consumers.mjs', async () => {
  const [text] = await printed('consumers.mjs')
  expect(text).toContain('sequencer (vlsn) has seen a b c d e f\n  events.vlsn 0: 6\n')
  expect(text).toContain('analytics (per_partition) has seen')
  expect(text).toContain('  events 1: 2 odradek.vlsn=7/3\n')
})

/** What vlsn.mjs prints where its first record has this number. */
function numberedFrom(first: number): string {
  const lines = [
    `wrote ${first}, then ${first + 1}, ${first + 2}, ${first + 3}`,
    `${first + 1} is paid`,
    `range ${first} made`,
    `range ${first + 1} paid`,
    ...['made', 'paid', 'sent', 'received'].map((value, index) => `all ${first + index} ${value}`),
  ]
  return lines.map(line => `${line}\n`).join('')
}
