// odradek as users start it: the built command line in a process of its own.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntilReady } from './probe.mjs'
import { run, serve } from './process.mjs'

const root = join(import.meta.dirname, '..')
const cli = join(root, 'dist', 'cli.js')

/**
 * Builds odradek from the sources at hand.
 * @throws when it does not build: that is a failure, never a skip
 */
export async function prepareOdradek() {
  const build = await run('npm', ['run', '--silent', 'build'], { cwd: root, timeoutMs: 300_000 })
  if (build.code !== 0) throw new Error(`odradek does not build: ${build.stdout.trim().split('\n')[0]}`)
}

async function listeningPort(logFile, server, readyMsMax) {
  const deadline = performance.now() + readyMsMax
  for (;;) {
    const line = /^listening on 127\.0\.0\.1:(\d+)/m.exec(await readFile(logFile, 'utf8'))
    if (line) return Number(line[1])
    if (server.hasExited()) throw new Error('the broker ended before it was ready')
    if (performance.now() > deadline) throw new Error(`the broker was not ready within ${readyMsMax} ms`)
    await sleep(5)
  }
}

/**
 * Starts odradek on 127.0.0.1.
 * @param {{ properties?: object, args?: string[], nodeArgs?: string[], port?: number, dataDir?: string,
 *   readyMsMax?: number }} options settings by Kafka's names; more arguments of the command line and of Node itself; a free
 *   port and a temporary folder (removed by `stop` and `kill`) unless given; after `readyMsMax` without an answer the start
 *   has failed
 * @returns {Promise<{ address: string, port: number, pid: number, dataDir: string, logFile: string, readyMs: number,
 *   hasExited(): boolean, stop(): Promise<void>, kill(): Promise<void> }>} `readyMs` counts from the start of the process to its first
 *   Metadata answer
 */
export async function startOdradek({
  properties = {},
  args = [],
  nodeArgs = [],
  port = 0,
  dataDir,
  readyMsMax = 60_000,
} = {}) {
  const isTemporary = dataDir === undefined
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'compat-odradek-')))
  await mkdir(folder, { recursive: true })
  // Beside the data folder's own content, which belongs to the broker alone.
  const logFile = `${folder}.log`
  await rm(logFile, { force: true })
  const startedAt = performance.now()
  const settings = Object.entries(properties).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const command = [...nodeArgs, cli, '--port', String(port), '--data', folder, ...settings, ...args]
  const server = serve(process.execPath, command, { logFile })
  const clean = async () => {
    await rm(logFile, { force: true })
    if (isTemporary) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  let listenPort
  try {
    listenPort = await listeningPort(logFile, server, readyMsMax)
    await waitUntilReady(listenPort, { hasExited: server.hasExited, timeoutMs: readyMsMax })
  } catch (error) {
    await server.kill()
    const log = await readFile(logFile, 'utf8')
    await clean()
    throw new Error(`odradek did not start: ${error.message}\n${log.slice(-4_000)}`, { cause: error })
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
