// Builds and runs the load generator: franz-go from outside, in a process of its own, one JSON line a measurement.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../compat/process.mjs'

const source = join(import.meta.dirname, 'loadgen')
const cache = join(import.meta.dirname, '.cache')
const binary = join(cache, 'loadgen')

/**
 * Builds the load generator into bench/.cache.
 * @returns {Promise<string | { skip: string }>} the program, or why this machine cannot have it
 */
export async function prepareLoadgen() {
  await mkdir(cache, { recursive: true })
  const build = await run('go', ['build', '-o', binary, '.'], { cwd: source, timeoutMs: 600_000 })
  if (build.code === -1) return { skip: 'go is not installed' }
  return build.code === 0 ? binary : { skip: `the load generator does not build: ${build.stderr.trim()}` }
}

/**
 * Takes one measurement, such as `runLoadgen('produce', { b: address, topic: 't', mb: 100, pid })`.
 * @param {'create' | 'produce' | 'consume' | 'tail' | 'latency' | 'ready'} mode
 * @param {Record<string, string | number | boolean>} options the flags of loadgen/main.go
 * @param {{ signal?: AbortSignal }} [until] ends it; by itself after three minutes
 * @returns {Promise<object>} its JSON line
 * @throws when it fails, or when records were refused or did not come back
 */
export async function runLoadgen(mode, options, { signal = AbortSignal.timeout(180_000) } = {}) {
  const flags = Object.entries(options).map(([name, value]) => `-${name}=${value}`)
  const { code, stdout, stderr } = await run(binary, [mode, ...flags], { signal })
  if (signal.aborted) throw new Error(`loadgen ${mode} was not done in time`)
  if (code !== 0) throw new Error(`loadgen ${mode} ended with ${code}: ${stderr.trim()}`)
  const result = JSON.parse(stdout)
  if (result.failed > 0) throw new Error(`loadgen ${mode}: ${result.failed} records were not acknowledged`)
  if (result.complete === false) throw new Error(`loadgen ${mode}: only ${result.records} records came back`)
  return result
}
