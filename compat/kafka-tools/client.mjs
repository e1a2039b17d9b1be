import { join } from 'node:path'
import { prepareJavaProgram } from '../java-program.mjs'
import { kafkaVersion } from '../kafka.mjs'

export const name = 'kafka-tools'

/** @returns {Promise<{ version: string, command: string[], env: object } | { skip: string }>} */
export async function prepare() {
  const java = await prepareJavaProgram('kafka-tools', join(import.meta.dirname, 'src'))
  if (java.skip) return java
  return {
    version: `${kafkaVersion} (kafka-groups, kafka-consumer-groups, kafka-share-groups, kafka-streams-groups)`,
    command: [process.execPath, '--no-warnings', join(import.meta.dirname, 'main.mjs')],
    env: { KAFKA_TOOLS_COMMAND: JSON.stringify(java.command('ToolBox')) },
  }
}
