// The programs of a campaign: started again whenever they end by themselves, as a supervisor would, and killed when the campaign says so.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const pauseMs = 200

const running = new Set()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Milliseconds of the machine's monotonic clock, the same for all of its processes. */
export const now = () => Number(process.hrtime.bigint()) / 1e6

/** An event from a line of JSON; a line that a kill cut short is none. */
const fromJson = line => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line)] : [])

/**
 * @param {{ command: string[], parse?: (line: string) => object[] }} program `parse` makes events of a line; JSON by default
 * @param {(event: object) => void} onEvent hears `started` first, each time
 * @returns {{ start(): void, kill(): Promise<void>, complaint: () => string }} `kill` is kill -9, and ends the supervision until the
 *   next `start`; `complaint` is what it said last on its stderr
 */
export function supervise({ command: [command, ...args], parse = fromJson }, onEvent) {
  let isWanted = false
  let complaint = ''
  let child
  let ended = Promise.resolve()
  const start = () => {
    isWanted = true
    onEvent({ at: now(), event: 'started' })
    const own = (child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
    running.add(own)
    own.stderr.on('data', text => (complaint = String(text).trim().slice(-500)))
    const lines = createInterface({ input: own.stdout })
    lines.on('line', line => parse(line).forEach(onEvent))
    ended = Promise.all([once(lines, 'close'), once(own, 'exit')]).then(() => {
      running.delete(own)
      if (isWanted) setTimeout(() => isWanted && child === own && start(), pauseMs)
    })
  }
  const kill = async () => {
    isWanted = false
    child?.kill('SIGKILL')
    await ended
  }
  return { start, kill, complaint: () => complaint }
}

/**
 * Runs a program to its end.
 * @param {{ command: string[], parse?: (line: string) => object[] }} program
 * @param {(event: object) => void} onEvent
 * @throws where it fails, with its own words
 */
export async function runToEnd({ command: [command, ...args], parse = fromJson }, onEvent) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let complaint = ''
  child.stderr.on('data', text => (complaint += text))
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => parse(line).forEach(onEvent))
  const [[code]] = await Promise.all([once(child, 'exit'), once(lines, 'close')])
  running.delete(child)
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${complaint.trim().slice(-500)}`)
}
