import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { kafkaClassPath, kafkaVersion, prepareKafka } from '../kafka.mjs'
import { run } from '../process.mjs'

export const name = 'java'

const sources = join(import.meta.dirname, 'src')
const cache = join(import.meta.dirname, '..', '.cache')

/**
 * @returns {Promise<{ version: string, command: string[], programs: object } | { skip: string }>} `programs` by name: the
 *   commands of programs that run until they are killed, for exactly-once/, group-churn/ and vlsn/
 */
export async function prepare() {
  const libs = await prepareKafka()
  if (libs.skip) return libs
  const files = (await readdir(sources)).filter(file => file.endsWith('.java')).map(file => join(sources, file))
  const hash = createHash('sha256')
  for (const file of files) hash.update(await readFile(file))
  const classes = join(cache, `java-${kafkaVersion}-${hash.digest('hex').slice(0, 12)}`)
  if (!existsSync(classes)) {
    const partial = `${classes}-partial-${process.pid}`
    const javac = await run('javac', ['-Xlint:all', '-Werror', '-cp', kafkaClassPath, '-d', partial, ...files])
    if (javac.code === -1) return { skip: 'javac is not installed' }
    if (javac.code !== 0) throw new Error(`the Java scenarios do not compile: ${javac.stderr}`)
    await rename(partial, classes).catch(() => rm(partial, { recursive: true, force: true }))
  }
  const logging = `-Dlog4j2.configurationFile=${join(import.meta.dirname, '..', 'kafka', 'log4j2.properties')}`
  const java = ['java', '-Xmx512M', '-XX:TieredStopAtLevel=1', logging, '-Dlog.level=OFF', '-cp']
  const command = main => [...java, classes + delimiter + kafkaClassPath, main]
  const programs = {
    transform: command('Transform'),
    'word-count': command('WordCount'),
    'group-members': command('GroupMembers'),
    'group-watch': command('GroupWatch'),
    'vlsn-reader': command('VlsnReader'),
  }
  return { version: `kafka-clients ${kafkaVersion}`, command: command('Main'), programs }
}
