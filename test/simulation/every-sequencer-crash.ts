import { seededRandom, type Random } from '../../src/base/random.ts'
import { Scheduler, type Life } from './scheduler.ts'
import { SimulatedDisk, type Fault, type SimulatedDiskOptions } from './simulated-disk.ts'
import { hold } from './store-scene.ts'

/** Something that hands out numbers. */
export interface Source {
  /** Some numbers, greater than any that were handed out in an earlier life. Of a range, the first and the last. */
  take(random: Random): Promise<bigint[]>
  /** Resolves when a power loss takes nothing back of what was taken before. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface Subject {
  readonly open: (disk: SimulatedDisk, life: Life) => Promise<Source>
  /** A power loss may hand out again what was not flushed. */
  readonly isStoredOnly?: boolean
}

/** What was handed out, and of it what may not come again after a power loss. */
class Ledger {
  readonly handed = new Set<bigint>()
  readonly safe = new Set<bigint>()
  #floor = -1n

  /** All that comes from now on has to be greater than all that came before. */
  beginLife(): void {
    for (const number of this.handed) if (number > this.#floor) this.#floor = number
  }

  note(numbers: readonly bigint[], isSafe: boolean): void {
    for (const number of numbers) {
      hold(number > this.#floor && !this.handed.has(number), () => `${number} is handed out again`)
      this.handed.add(number)
      if (isSafe) this.safe.add(number)
    }
  }

  /** What is known after a kill, or after a power loss. */
  copy(isPowerLoss: boolean): Ledger {
    const ledger = new Ledger()
    const numbers = isPowerLoss ? this.safe : this.handed
    ledger.note([...numbers], false)
    for (const number of this.safe) ledger.safe.add(number)
    return ledger
  }
}

interface Image {
  readonly disk: SimulatedDisk
  readonly ledger: Ledger
  readonly life: Life
  readonly scheduler: Scheduler
  readonly hooks: Hooks
}

type Hooks = Pick<SimulatedDiskOptions, 'faultOf' | 'changed'> & {
  -readonly [name in 'faultOf' | 'changed']?: SimulatedDiskOptions[name]
}

export interface SequencerExplorerOptions {
  readonly seed: number
  /** How many of the disks that a power loss may leave are opened again. */
  readonly outcomes: number
  /** Calls of which the disk only says that they are done. */
  readonly ignored?: string | undefined
}

/**
 * Has a source hand out numbers, cuts the power and kills the process after every system call, opens what is left, goes on,
 * and looks for a number that comes twice.
 */
export class SequencerExplorer {
  readonly explored = { crashPoints: 0, recoveries: 0 }
  readonly #subject: Subject
  readonly #outcomes: number
  readonly #ignored: string | undefined
  #seed: number

  constructor(subject: Subject, { seed, outcomes, ignored }: SequencerExplorerOptions) {
    this.#subject = subject
    this.#seed = seed
    this.#outcomes = outcomes
    this.#ignored = ignored
  }

  /** The power is cut at every moment of two lives, and again at every moment of what follows. */
  async losePower(): Promise<void> {
    const image = this.#first()
    const forks: Image[] = []
    this.#forkAtEveryChange(image, forks, this.#outcomes)
    await this.#live(image)
    await this.#live(image)
    for (const [index, fork] of forks.entries()) {
      const again: Image[] = []
      if (index % this.#outcomes === 0) this.#forkAtEveryChange(fork, again, 1)
      await this.#live(fork)
      for (const second of again) await this.#live(second)
    }
  }

  /** The process is killed at every moment, and the power is cut at every moment of the life after it. */
  async kill(): Promise<void> {
    for (let target = 1; ; target++) {
      const image = this.#first()
      image.disk.crashAfter(target)
      this.#live(image).catch(error => hold(image.life.isOver, () => String(error)))
      await image.scheduler.pass(10_000)
      if (!image.life.isOver) break
      this.explored.crashPoints++
      const life = image.scheduler.live()
      const disk = image.disk.killed(this.#optionsOf(life, image.hooks))
      const survived = { ...image, disk, life, ledger: image.ledger.copy(false) }
      const forks: Image[] = []
      this.#forkAtEveryChange(survived, forks, 1)
      await this.#live(survived)
      for (const fork of forks) await this.#live(fork)
    }
  }

  /** Each system call fails in turn; the source goes on as far as it can, and the power is cut at every moment from then on. */
  async fail(fault: Fault): Promise<void> {
    for (let target = 1; ; target++) {
      const image = this.#first()
      let calls = 0
      image.hooks.faultOf = ({ kind }) => (kind !== 'read-now' && ++calls === target ? fault : undefined)
      await this.#live(image).catch(mustBeTyped)
      if (calls < target) break
      this.explored.crashPoints++
      const forks: Image[] = []
      this.#forkAtEveryChange(image, forks, 1)
      await this.#live(image)
      for (const fork of forks) await this.#live(fork)
    }
  }

  #first(): Image {
    const scheduler = new Scheduler()
    const life = scheduler.live()
    const hooks: Hooks = {}
    if (this.#ignored !== undefined) {
      hooks.faultOf = ({ kind }) => (kind === this.#ignored ? 'ignored' : undefined)
    }
    const disk = new SimulatedDisk(this.#optionsOf(life, hooks))
    return { disk, ledger: new Ledger(), life, scheduler, hooks }
  }

  #optionsOf(life: Life, hooks: Hooks): SimulatedDiskOptions {
    return {
      life,
      random: seededRandom(this.#seed++),
      faultOf: call => hooks.faultOf?.(call),
      changed: call => hooks.changed?.(call),
    }
  }

  #forkAtEveryChange(image: Image, into: Image[], outcomes: number): void {
    image.hooks.changed = () => {
      this.explored.crashPoints++
      for (let outcome = 0; outcome < outcomes; outcome++) {
        const scheduler = new Scheduler()
        // The next life begins within the same millisecond.
        const life = scheduler.live(image.life.now())
        const hooks: Hooks = {}
        const disk = image.disk.crashed(this.#optionsOf(life, hooks))
        into.push({ disk, ledger: image.ledger.copy(true), life, scheduler, hooks })
      }
    }
  }

  /** Opens, takes numbers, now and then several at once, and closes. */
  async #live(image: Image): Promise<void> {
    this.explored.recoveries++
    await image.scheduler.until(this.#work(image))
  }

  async #work({ disk, life, ledger }: Image): Promise<void> {
    const random = seededRandom(this.#seed++)
    const unlock = await disk.lock()
    ledger.beginLife()
    let failure: unknown
    try {
      const source = await this.#subject.open(disk, life)
      for (let round = 0; round < 4; round++) {
        const taken = await Promise.allSettled(
          Array.from({ length: 1 + random.below(4) }, async () => {
            const numbers = await source.take(random)
            if (!life.isOver) ledger.note(numbers, !this.#subject.isStoredOnly)
            return numbers
          }),
        )
        for (const each of taken) if (each.status === 'rejected') failure ??= each.reason
        if (!this.#subject.isStoredOnly || random.below(2) === 0) continue
        const before = [...ledger.handed]
        await source.flush()
        if (!life.isOver) for (const number of before) ledger.safe.add(number)
      }
      await source.close()
    } finally {
      await unlock()
    }
    if (failure !== undefined) throw failure as Error
  }
}

function mustBeTyped(error: unknown): void {
  const { code, name } = error as NodeJS.ErrnoException
  const isExpected = name === 'SequencerError' || code === 'EIO' || code === 'ENOSPC' || code === 'EMFILE'
  hold(isExpected, () => String(error))
}
