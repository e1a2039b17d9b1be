import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'

const child = join(import.meta.dirname, '..', 'support', 'sequencer-child.mjs')
const kinds = [
  'obelisk',
  'obelisk, ahead',
  'checkpoint',
  'fixed mmap',
  'fixed mmap, stored',
  'bitmap mmap',
  'bitmap mmap, stored',
  'scarab',
  'timestamp oracle',
  'transaction ids',
  'session ids',
]

/** What a child of this kind says before it is killed, `afterMs` from its first number. */
async function numbersUntilKilled(folder: string, kind: string, afterMs: number): Promise<bigint[]> {
  const running = spawn(process.execPath, [child, folder, kind], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaint = ''
  running.stderr.setEncoding('utf8').on('data', text => void (complaint += text))
  running.stdout.setEncoding('utf8').on('data', text => {
    if (output === '') setTimeout(() => running.kill('SIGKILL'), afterMs)
    output += text
  })
  const signal = await new Promise(resolve => void running.once('close', (_code, signal) => resolve(signal)))
  expect(signal, complaint).toBe('SIGKILL')
  // The last line may be torn.
  return output.split('\n').slice(0, -1).map(BigInt)
}

test.concurrent.for(kinds)('%s repeats nothing over kills of its process', async (kind, context) => {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-kill-'))
  context.onTestFinished(() => rm(folder, { recursive: true }))
  const random = seededRandom(7)
  let greatest = -1n
  for (let round = 0; round < 3; round++) {
    const numbers = await numbersUntilKilled(folder, kind, random.below(60))
    expect(numbers.length).toBeGreaterThan(0)
    expect(new Set(numbers).size).toBe(numbers.length)
    // Calls of one time may be answered in any order; those of another life come after all of this one.
    const sorted = numbers.toSorted((a, b) => (a < b ? -1 : 1))
    expect(sorted[0]).toBeGreaterThan(greatest)
    greatest = sorted.at(-1)!
  }
})
