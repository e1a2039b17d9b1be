// The long runs of this folder: npm run torture -- --seed 7 --seeds 1, npm run simulate -- --seed 7, and with the writers and readers of
// VLSNs alone: npm run simulate -- --cast vlsn --seeds 10000. The seeds are shared out among as many processes as there are cores.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const [what, ...args] = process.argv.slice(2)
const { values } = parseArgs({
  args,
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    operations: { type: 'string' },
    cast: { type: 'string' },
  },
})
// A seed alone is one that failed, to be repeated.
const count = Number(values.seeds ?? (values.seed === undefined ? 2000 : 1))
const first = Number(values.seed ?? 1)
const root = join(import.meta.dirname, '..', '..')
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')

function run(seed, seeds) {
  const said = { SEED: seed, SEEDS: seeds, OPERATIONS: values.operations, CAST: values.cast }
  const env = { ...process.env }
  for (const [name, value] of Object.entries(said)) {
    if (value !== undefined) env[`${what.toUpperCase()}_${name}`] = String(value)
  }
  const child = spawn(
    process.execPath,
    [vitest, 'run', `test/simulation/${what}.test.ts`, '--disable-console-intercept'],
    { cwd: root, env, stdio: 'inherit' },
  )
  child.once('close', code => {
    if (code !== 0) process.exitCode = code ?? 1
  })
}

const share = Math.ceil(count / availableParallelism())
for (let done = 0; done < count; done += share) run(first + done, Math.min(share, count - done))
