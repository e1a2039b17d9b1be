// Child processes that never outlive their parent, and the two ways to run one: to its end, or as a server.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

const running = new Set()

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => process.exit(130))
}

function track(child) {
  running.add(child)
  const forget = () => running.delete(child)
  child.once('exit', forget)
  child.once('error', forget)
  return child
}

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: object, timeoutMs?: number, input?: string | Buffer, encoding?: BufferEncoding,
 *   signal?: AbortSignal, killSignal?: NodeJS.Signals, onLine?: (line: string) => void }} options `killSignal` is what
 *   `signal` sends (SIGKILL)
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string, timedOut: boolean }>} `code` is -1 when
 *   the command could not be started at all
 */
export function run(command, args, options = {}) {
  const { cwd, env, timeoutMs, input, encoding = 'utf8', signal, killSignal = 'SIGKILL', onLine } = options
  return new Promise(resolve => {
    const stdio = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
    const child = track(
      spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio, signal, killSignal }),
    )
    const result = { code: -1, stdout: '', stderr: '', timedOut: false }
    let partialLine = ''
    const deadline =
      timeoutMs &&
      setTimeout(() => {
        result.timedOut = true
        child.kill('SIGKILL')
      }, timeoutMs)
    child.stdout.setEncoding(encoding).on('data', text => {
      result.stdout += text
      if (!onLine) return
      const lines = (partialLine + text).split('\n')
      partialLine = lines.pop()
      for (const line of lines) onLine(line)
    })
    child.stderr.setEncoding('utf8').on('data', text => (result.stderr += text))
    child.once('error', error => {
      // An aborted child still closes; only one that never started does not.
      if (child.pid !== undefined) return
      clearTimeout(deadline)
      resolve({ ...result, stderr: error.message })
    })
    child.once('close', (code, endedBy) => {
      clearTimeout(deadline)
      // Whoever was killed may have been in the middle of it.
      if (partialLine && endedBy === null) onLine?.(partialLine)
      resolve({ ...result, code })
    })
    if (input !== undefined) {
      child.stdin.on('error', () => {})
      child.stdin.end(input)
    }
  })
}

/**
 * Starts a server whose output goes to a file.
 * @param {string} command
 * @param {string[]} args
 * @param {{ logFile: string, cwd?: string, env?: object }} options
 * @returns {{ pid: number, exited: Promise<void>, hasExited: () => boolean, stop(): Promise<void>,
 *   kill(): Promise<void> }} `stop` asks (SIGTERM) and kills after ten seconds, `kill` is kill -9
 */
export function serve(command, args, { logFile, cwd, env }) {
  const log = openSync(logFile, 'a')
  const child = track(
    spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', log, log] }),
  )
  closeSync(log)
  let gone = false
  const exited = new Promise(resolve => {
    const leave = () => {
      gone = true
      resolve()
    }
    child.once('exit', leave)
    child.once('error', leave)
  })
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  const stop = async () => {
    child.kill('SIGTERM')
    const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await exited
    clearTimeout(deadline)
  }
  return { pid: child.pid, exited, hasExited: () => gone, stop, kill }
}
