// Apache Kafka as the reference broker: fetched by Maven, run as one KRaft node (broker and controller).
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, waitUntilReady } from './probe.mjs'
import { run, serve } from './process.mjs'

const here = import.meta.dirname
const pom = join(here, 'kafka', 'pom.xml')
const logging = `-Dlog4j2.configurationFile=${join(here, 'kafka', 'log4j2.properties')}`

const pomText = await readFile(pom, 'utf8')

/** The release that pom.xml names. */
export const kafkaVersion = /<kafka\.version>(.+?)</.exec(pomText)[1]

/** Where the jars are once `prepareKafka` has succeeded; other dependencies go to another folder. */
export const kafkaLibs = join(
  here,
  '.cache',
  `kafka-${kafkaVersion}-${createHash('sha256').update(pomText).digest('hex').slice(0, 8)}`,
)

/** The class path of broker, tools and Java clients. */
export const kafkaClassPath = join(kafkaLibs, '*')

async function missingJava() {
  const java = await run('java', ['-version'])
  if (java.code !== 0) return 'java is not installed'
  const major = Number(/version "(\d+)/.exec(java.stderr)?.[1])
  return major >= 17 ? undefined : `java is version ${major}, 17 or later is needed`
}

/**
 * Makes sure that the jars are there, fetching them by Maven the first time.
 * @returns {Promise<string | { skip: string }>} the folder of jars, or why this machine cannot have them
 */
export async function prepareKafka() {
  const reason = await missingJava()
  if (reason) return { skip: reason }
  if (existsSync(kafkaLibs)) return kafkaLibs
  await mkdir(join(here, '.cache'), { recursive: true })
  const partial = await mkdtemp(`${kafkaLibs}-partial-`)
  try {
    const maven = await run(
      'mvn',
      [
        '-B',
        '-q',
        '-f',
        pom,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${partial}`,
      ],
      { timeoutMs: 600_000 },
    )
    if (maven.code === -1) return { skip: 'maven is not installed' }
    if (maven.code !== 0) return { skip: `maven could not fetch Apache Kafka: ${firstError(maven)}` }
    await rename(partial, kafkaLibs).catch(error => {
      if (!existsSync(kafkaLibs)) throw error
    })
    return kafkaLibs
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

function firstError({ stdout, stderr }) {
  const line = `${stdout}\n${stderr}`.split('\n').find(text => text.includes('ERROR'))
  return (line ?? 'no message').slice(0, 200)
}

function serverProperties({ port, controllerPort, dataDir, properties }) {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(dataDir, 'logs'),
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'group.initial.rebalance.delay.ms': 0,
    ...properties,
  }
}

async function format(propertiesFile) {
  const tool = await run(
    'java',
    [
      '-Xmx256M',
      '-XX:TieredStopAtLevel=1',
      logging,
      '-cp',
      kafkaClassPath,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      'b2RyYWRlay1jb21wYXQtMQ',
      '-c',
      propertiesFile,
    ],
    { timeoutMs: 60_000 },
  )
  if (tool.code !== 0)
    throw new Error(`formatting Apache Kafka's storage failed: ${tool.stdout}${tool.stderr}`)
}

/**
 * Starts one node of Apache Kafka on 127.0.0.1. `prepareKafka` must have succeeded before.
 * @param {{ port?: number, dataDir?: string, properties?: object, heap?: string, readyMsMax?: number }} options a free
 *   port, a temporary folder (removed by `stop` and `kill`) and a heap of 1G unless given; `properties` adds to
 *   server.properties; after `readyMsMax` without an answer the start has failed
 * @returns {Promise<{ address: string, port: number, pid: number, dataDir: string, logFile: string, readyMs: number,
 *   hasExited(): boolean, stop(): Promise<void>, kill(): Promise<void> }>} `readyMs` counts from the start of the broker's process (its
 *   storage already formatted) to its first Metadata answer
 */
export async function startKafka({ port, dataDir, properties = {}, heap = '1G', readyMsMax } = {}) {
  const isTemporary = dataDir === undefined
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'compat-kafka-')))
  await mkdir(folder, { recursive: true })
  const listenPort = port ?? (await freePort())
  const controllerPort = await freePort()
  const propertiesFile = join(folder, 'server.properties')
  const lines = Object.entries(
    serverProperties({ port: listenPort, controllerPort, dataDir: folder, properties }),
  )
  await writeFile(propertiesFile, lines.map(([name, value]) => `${name}=${value}\n`).join(''))
  if (!existsSync(join(folder, 'logs', 'meta.properties'))) await format(propertiesFile)

  const logFile = join(folder, 'broker.log')
  const startedAt = performance.now()
  const server = serve(
    'java',
    [
      `-Xmx${heap}`,
      `-Xms${heap}`,
      '-server',
      '-XX:+UseG1GC',
      '-XX:MaxGCPauseMillis=20',
      '-XX:InitiatingHeapOccupancyPercent=35',
      '-XX:+ExplicitGCInvokesConcurrent',
      '-Djava.awt.headless=true',
      `-Dkafka.logs.dir=${folder}`,
      logging,
      '-cp',
      kafkaClassPath,
      'kafka.Kafka',
      propertiesFile,
    ],
    { logFile },
  )
  const clean = async () => {
    if (isTemporary) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await waitUntilReady(listenPort, { hasExited: server.hasExited, timeoutMs: readyMsMax })
  } catch (error) {
    await server.kill()
    const log = await readFile(logFile, 'utf8')
    await clean()
    throw new Error(`Apache Kafka did not start: ${error.message}\n${log.slice(-4_000)}`, { cause: error })
  }
  return {
    address: `127.0.0.1:${listenPort}`,
    port: listenPort,
    pid: server.pid,
    dataDir: folder,
    logFile,
    readyMs: performance.now() - startedAt,
    hasExited: server.hasExited,
    stop: () => server.stop().then(clean),
    kill: () => server.kill().then(clean),
  }
}
