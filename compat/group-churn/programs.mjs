// The Java programs of a campaign: they are told what to do by lines, and tell what happened by lines.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const running = new Set()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts GroupMembers or GroupWatch.
 * @param {string[]} command program and arguments
 * @param {(event: object) => void} onEvent
 * @returns {{ tell(line: string): void, kill(): Promise<void> }} `kill` is kill -9
 */
export function startProgram([command, ...args], onEvent) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  running.add(child)
  let isWanted = true
  let complaint = ''
  child.stderr.on('data', text => (complaint += text))
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })
  // A line that the kill cut short is no event.
  lines.on('line', line => line.endsWith('}') && onEvent(JSON.parse(line)))
  const closed = Promise.all([once(lines, 'close'), once(child, 'exit')])
  child.once('exit', code => {
    running.delete(child)
    if (isWanted)
      onEvent({ at: now(), event: 'failed', error: `a program ended with ${code}: ${complaint.trim()}` })
  })
  const kill = async () => {
    isWanted = false
    child.kill('SIGKILL')
    await closed
  }
  return { tell: line => child.stdin.write(`${line}\n`), kill }
}

/** Milliseconds of the machine's monotonic clock, the same as Java's System.nanoTime. */
export const now = () => Number(process.hrtime.bigint()) / 1e6
