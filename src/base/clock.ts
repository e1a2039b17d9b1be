/** Ends what it was returned for; calling it twice, or too late, does nothing. */
export type Cancel = () => void

/** The only door to time. A test or the simulator hands in a clock that it turns itself. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970. */
  now(): number
  /** Milliseconds from an arbitrary start, never falling; for measuring durations. */
  monotonic(): number
  /** Calls `callback` once, `delayMs` from now. The process does not stay alive for it. */
  after(delayMs: number, callback: () => void): Cancel
  /** Calls `callback` as soon as the events at hand have been served, before any timer of a later turn. */
  soon(callback: () => void): void
}

// Longer delays than this overflow Node's timers and would fire at once.
const delayMsMax = 2 ** 31 - 1

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = startTimer(delayMs, callback)
    timer.unref()
    return () => clearTimeout(timer)
  },
  soon: callback => void setImmediate(callback),
}

/** The same for a program that may have nothing to do but to wait: its timers keep the process alive. */
export const waitingClock: Clock = {
  ...systemClock,
  after(delayMs, callback) {
    const timer = startTimer(delayMs, callback)
    return () => clearTimeout(timer)
  },
}

function startTimer(delayMs: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(callback, Math.min(Math.max(delayMs, 0), delayMsMax))
}

/** Resolves after `delayMs` of the clock's time. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => void clock.after(delayMs, resolve))
}

/** Resolves after `delayMs` of the machine's own time. The process stays alive for it: nothing else may be open yet. */
export function systemSleep(delayMs: number): Promise<void> {
  return new Promise(resolve => void setTimeout(resolve, delayMs))
}
