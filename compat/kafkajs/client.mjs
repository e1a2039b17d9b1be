import { createRequire } from 'node:module'
import { join } from 'node:path'

export const name = 'kafkajs'

/** @returns {Promise<{ version: string, command: string[] } | { skip: string }>} */
export async function prepare() {
  try {
    const { version } = createRequire(import.meta.url)('kafkajs/package.json')
    return { version, command: [process.execPath, '--no-warnings', join(import.meta.dirname, 'main.mjs')] }
  } catch {
    return { skip: 'kafkajs is not installed' }
  }
}
