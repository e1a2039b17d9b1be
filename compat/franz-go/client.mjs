import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../process.mjs'

export const name = 'franz-go'

const here = import.meta.dirname
const binary = join(here, '..', '.cache', 'franz-go-scenarios')

/**
 * @returns {Promise<{ version: string, command: string[], programs: object } | { skip: string }>} `programs` by name: the
 *   commands of programs that run until they are killed, for exactly-once/
 */
export async function prepare() {
  const version = /franz-go (v\S+)/.exec(await readFile(join(here, 'go.mod'), 'utf8'))[1]
  const go = await run('go', ['version'])
  if (go.code !== 0) return { skip: 'go is not installed' }
  const modules = await run('go', ['mod', 'download'], { cwd: here, timeoutMs: 300_000 })
  if (modules.code !== 0) return { skip: `go could not fetch franz-go: ${modules.stderr.trim().slice(0, 200)}` }
  const build = await run('go', ['build', '-o', binary, '.'], { cwd: here, timeoutMs: 300_000 })
  if (build.code !== 0) throw new Error(`the Go scenarios do not compile: ${build.stderr}`)
  return { version, command: [binary], programs: { transform: [binary, 'transform'] } }
}
