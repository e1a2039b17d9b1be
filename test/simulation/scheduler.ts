import type { Cancel, Clock } from '../../src/base/clock.ts'

interface Event {
  /** In whole microseconds. */
  readonly at: number
  readonly number: number
  readonly life: Life
  callback: (() => void) | undefined
}

/** Nothing is left that could happen, and what was waited for has not. */
export class StallError extends Error {
  override readonly name = 'StallError'
}

// One turn of Node's event loop costs more than most events do; so several share it. What an event's promises lead
// to happens before the next event all the same.
const eventsPerTurn = 16

/**
 * Everything that happens, in the order of a time that jumps from one event to the next. Of events at one time the one
 * that was set first comes first, so that a run is repeated by whoever sets the same events.
 */
export class Scheduler {
  readonly #heap: Event[] = []
  /** In whole microseconds: the smallest fraction of a delay moves time on. */
  #now = 0
  #count = 0

  /** Milliseconds since the run began; whatever a life's clock says. */
  get nowMs(): number {
    return this.#now / 1000
  }

  /** A clock for somebody who may die. */
  live(wallStartMs?: number): Life {
    return new Life(this, wallStartMs)
  }

  /** Sets an event; lives do this. */
  set(life: Life, delayMs: number, callback: () => void): Cancel {
    const event: Event = { at: this.#after(delayMs), number: this.#count++, life, callback }
    this.#push(event)
    return () => void (event.callback = undefined)
  }

  /** Lets things happen until `goal` settles. Rejects with StallError when nothing is left to happen before. */
  async until<T>(goal: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    goal.then(settle, settle)
    await this.#drive(() => isSettled)
    return goal
  }

  /** Lets things happen until `isDone`, which is asked after each. */
  async happen(isDone: () => boolean): Promise<void> {
    await this.#drive(isDone)
  }

  /** Lets what happens within `durationMs` happen, or less once `isDone`. */
  async pass(durationMs: number, isDone: () => boolean = () => false): Promise<void> {
    const end = this.#after(durationMs)
    await this.#drive(() => {
      const next = this.#peek()
      return isDone() || !next || next.at > end
    })
    if (!isDone()) this.#now = end
  }

  #after(delayMs: number): number {
    return this.#now + Math.ceil(Math.max(delayMs, 0) * 1000)
  }

  #drive(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false
      const step = (): void => {
        if (isOver) return
        try {
          if (isDone()) {
            isOver = true
            return resolve()
          }
          const event = this.#peek()
          if (!event) throw new StallError('nothing is left to happen')
          this.#pop()
          this.#now = event.at
          event.callback!()
        } catch (error) {
          isOver = true
          reject(error as Error)
        }
      }
      const turn = (): void => {
        if (isOver) return
        for (let count = 0; count < eventsPerTurn; count++) setImmediate(step)
        setImmediate(turn)
      }
      turn()
    })
  }

  /** The next event that is still wanted. */
  #peek(): Event | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (!first || (first.callback && !first.life.isOver)) return first
      this.#pop()
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (isBefore(heap[parent]!, event)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (isBefore(last, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function isBefore(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.number < right.number)
}

/** Somebody's time. When the life ends, nothing that it has set happens any more. */
export class Life implements Clock {
  readonly #scheduler: Scheduler
  readonly #bornMs: number
  /** What the wall clock said when the run began, as this clock is set now. */
  wallStartMs: number
  #isOver = false

  constructor(scheduler: Scheduler, wallStartMs = 1_700_000_000_000) {
    this.#scheduler = scheduler
    this.#bornMs = scheduler.nowMs
    this.wallStartMs = wallStartMs
  }

  get isOver(): boolean {
    return this.#isOver
  }

  now(): number {
    return Math.floor(this.wallStartMs + this.#scheduler.nowMs)
  }

  monotonic(): number {
    return this.#scheduler.nowMs - this.#bornMs
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.#scheduler.set(this, delayMs, callback)
  }

  soon(callback: () => void): void {
    this.#scheduler.set(this, 0, callback)
  }

  /** Sets the wall clock forward, or back; the monotonic one goes on as it was. */
  jump(byMs: number): void {
    this.wallStartMs += byMs
  }

  end(): void {
    this.#isOver = true
  }
}
