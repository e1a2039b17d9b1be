import { join } from 'node:path'
import { run } from '../process.mjs'

export const name = 'kcat'

/** @returns {Promise<{ version: string, command: string[] } | { skip: string }>} */
export async function prepare() {
  const kcat = await run('kcat', ['-V'])
  if (kcat.code === -1) return { skip: 'kcat is not installed' }
  const [, version, library] = /Version (\S+) .*librdkafka (\S+)/.exec(kcat.stdout) ?? []
  return {
    version: `${version} (librdkafka ${library})`,
    command: [process.execPath, '--no-warnings', join(import.meta.dirname, 'main.mjs')],
  }
}
