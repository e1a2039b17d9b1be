import { join } from 'node:path'
import { prepareJavaProgram } from '../java-program.mjs'
import { kafkaVersion } from '../kafka.mjs'

export const name = 'java'

/**
 * @returns {Promise<{ version: string, command: string[], programs: object } | { skip: string }>} `programs` by name: the
 *   commands of programs that run until they are killed, for exactly-once/ and group-churn/
 */
export async function prepare() {
  const java = await prepareJavaProgram('java', join(import.meta.dirname, 'src'))
  if (java.skip) return java
  const programs = {
    transform: java.command('Transform'),
    'word-count': java.command('WordCount'),
    'group-members': java.command('GroupMembers'),
    'group-watch': java.command('GroupWatch'),
  }
  return { version: `kafka-clients ${kafkaVersion}`, command: java.command('Main'), programs }
}
