// The long campaign of crash.test.ts: npm run crash -- --cycles 50 --seed 7
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '50' }, seed: { type: 'string' } },
})
const root = join(import.meta.dirname, '..', '..')
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const args = ['run', 'test/robustness/crash.test.ts', '--disable-console-intercept']
const env = {
  ...process.env,
  CRASH_CYCLES: values.cycles,
  ...(values.seed === undefined ? {} : { CRASH_SEED: values.seed }),
}
const child = spawn(process.execPath, [vitest, ...args], { cwd: root, env, stdio: 'inherit' })
child.once('close', code => {
  process.exitCode = code ?? 1
})
