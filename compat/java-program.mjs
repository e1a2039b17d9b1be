// A Java program of ours over the jars of Apache Kafka: compiled once for each state of its sources.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { kafkaClassPath, kafkaVersion, prepareKafka } from './kafka.mjs'
import { run } from './process.mjs'

const cache = join(import.meta.dirname, '.cache')
const logging = `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'kafka', 'log4j2.properties')}`

/**
 * Compiles the Java sources of a folder.
 * @param {string} name names the classes in the cache
 * @param {string} sources the folder
 * @returns {Promise<{ command: (main: string) => string[] } | { skip: string }>} the command that runs a class's `main`
 * @throws when the sources do not compile
 */
export async function prepareJavaProgram(name, sources) {
  const libs = await prepareKafka()
  if (libs.skip) return libs
  const files = (await readdir(sources))
    .filter(file => file.endsWith('.java'))
    .map(file => join(sources, file))
  const hash = createHash('sha256')
  for (const file of files) hash.update(await readFile(file))
  const classes = join(cache, `${name}-${kafkaVersion}-${hash.digest('hex').slice(0, 12)}`)
  if (!existsSync(classes)) {
    const partial = `${classes}-partial-${process.pid}`
    const javac = await run('javac', [
      '-Xlint:all',
      '-Werror',
      '-cp',
      kafkaClassPath,
      '-d',
      partial,
      ...files,
    ])
    if (javac.code === -1) return { skip: 'javac is not installed' }
    if (javac.code !== 0) throw new Error(`the Java sources of ${name} do not compile: ${javac.stderr}`)
    await rename(partial, classes).catch(() => rm(partial, { recursive: true, force: true }))
  }
  const java = ['java', '-Xmx512M', '-XX:TieredStopAtLevel=1', logging, '-Dlog.level=OFF', '-cp']
  return { command: main => [...java, classes + delimiter + kafkaClassPath, main] }
}
