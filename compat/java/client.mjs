import { join } from 'node:path'
import { prepareJavaProgram } from '../java-program.mjs'
import { kafkaVersion } from '../kafka.mjs'

export const name = 'java'

/**
 * @returns {Promise<{ version: string, command: string[], programs: object } | { skip: string }>} `programs` by name: the
 *   commands of programs that run until they are killed, for exactly-once/, group-churn/ and vlsn/
 */
export async function prepare() {
  const java = await prepareJavaProgram('java', join(import.meta.dirname, 'src'))
  if (java.skip) return java
  const programs = {
    transform: java.command('Transform'),
    'word-count': java.command('WordCount'),
    'group-members': java.command('GroupMembers'),
    'group-watch': java.command('GroupWatch'),
    'vlsn-reader': java.command('VlsnReader'),
  }
  return { version: `kafka-clients ${kafkaVersion}`, command: java.command('Main'), programs }
}
