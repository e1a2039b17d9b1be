import { createRequire } from 'node:module'
import { join } from 'node:path'

export const name = 'kafkajs'

const node = [process.execPath, '--no-warnings']

/**
 * @returns {Promise<{ version: string, command: string[], programs: object } | { skip: string }>} `programs` by name: the
 *   commands of programs that run until they are killed, for vlsn/
 */
export async function prepare() {
  try {
    const { version } = createRequire(import.meta.url)('kafkajs/package.json')
    const programs = { 'vlsn-reader': [...node, join(import.meta.dirname, 'vlsn-reader.mjs')] }
    return { version, command: [...node, join(import.meta.dirname, 'main.mjs')], programs }
  } catch {
    return { skip: 'kafkajs is not installed' }
  }
}
