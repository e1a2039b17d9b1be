import { seededRandom } from '../../src/base/random.ts'
import { Scheduler, type Life } from './scheduler.ts'
import {
  SimulatedDisk,
  type Fault,
  type SimulatedDiskOptions,
  type SystemCall,
  type SystemCallKind,
} from './simulated-disk.ts'
import { hold, InvariantError } from './hold.ts'
import { StoreModel, transactionalId } from './store-model.ts'
import { StoreScene, type StoreSizes } from './store-scene.ts'

/** What a sequence is made of. */
export const operations = [
  'append to A',
  'append to B',
  'idempotent append to A',
  'append to both',
  'go on with a transaction in A',
  'delete from A',
  'drop B',
  'reopen',
  'fill the segment',
] as const
export type Operation = (typeof operations)[number]

export interface Explored {
  sequences: number
  /** Moments at which the power was cut or a call failed. */
  crashPoints: number
  /** Disks that were recovered: each moment leaves several. */
  recoveries: number
}

const sizes: StoreSizes = {
  segmentBytes: 700,
  segmentEntries: 100,
  blockBytes: 4096,
  strideRecords: 2,
  tailBytesMax: 500,
}
// Longer than any call takes, and than all that follows from it.
const quietMs = 1000

/** Every sequence of `length` operations. */
export function* sequencesOf(length: number): Generator<readonly Operation[]> {
  if (length === 0) return yield []
  for (const rest of sequencesOf(length - 1)) for (const operation of operations) yield [...rest, operation]
}

export interface ExplorerOptions {
  readonly seed: number
  /** How many of the disks that a power cut may leave are recovered. */
  readonly outcomes: number
  /** The power is cut again at every moment of the recovery, and of what is written after it. */
  readonly alsoWhileRecovering?: boolean
  /** Calls of which the disk only says that they are done. */
  readonly ignored?: SystemCallKind | undefined
}

interface Image {
  readonly disk: SimulatedDisk
  readonly model: StoreModel
  readonly life: Life
  readonly scheduler: Scheduler
  readonly hooks: Hooks
}

interface Hooks {
  faultOf?: SimulatedDiskOptions['faultOf']
  changed?: SimulatedDiskOptions['changed']
}

/** A disk as a crash leaves it, with an owner of its own. */
function imageOf(disk: SimulatedDisk, model: StoreModel, seed: number): Image {
  const hooks: Hooks = {}
  const scheduler = new Scheduler()
  const life = scheduler.live()
  const options = {
    life,
    random: seededRandom(seed),
    faultOf: (call: SystemCall) => hooks.faultOf?.(call),
    changed: (call: SystemCall) => hooks.changed?.(call),
  }
  return { disk: disk.crashed(options), model: model.copy(), life, scheduler, hooks }
}

/**
 * Runs a sequence once and cuts the power after every system call of its last operation, or of all its operations when
 * they come `together`; each time recovers several disks that this may leave and holds them against the model.
 */
export class Explorer {
  readonly explored: Explored = { sequences: 0, crashPoints: 0, recoveries: 0 }
  readonly #base: Promise<Image>
  readonly #outcomes: number
  readonly #alsoWhileRecovering: boolean
  readonly #ignored: SystemCallKind | undefined
  #seed: number

  constructor({ seed, outcomes, alsoWhileRecovering = false, ignored }: ExplorerOptions) {
    this.#ignored = ignored
    this.#seed = seed
    this.#outcomes = outcomes
    this.#alsoWhileRecovering = alsoWhileRecovering
    this.#base = this.#makeBase()
  }

  /** Cuts the power at every moment of the very first start. */
  async exploreFirstStart(): Promise<void> {
    const image = imageOf(emptyDisk(), new StoreModel(), this.#seed++)
    const forks = this.#forksOf(image)
    const scene = await image.scheduler.until(StoreScene.open({ ...image, sizes }))
    await image.scheduler.until(scene.store.close())
    forks.cut()
    await this.#recoverAll(forks.images, 'first start')
  }

  async explore(sequence: readonly Operation[], together = false): Promise<void> {
    const name = `${sequence.join(', ')}${together ? ', together' : ''}`
    const base = await this.#base
    const image = imageOf(base.disk, base.model, this.#seed++)
    const { scheduler, hooks } = image
    if (this.#ignored !== undefined) {
      hooks.faultOf = ({ kind }) => (kind === this.#ignored ? 'ignored' : undefined)
    }
    let scene = await scheduler.until(StoreScene.open({ ...image, sizes }))
    let forks: Forks | undefined
    for (const [index, operation] of sequence.entries()) {
      if (together || index === sequence.length - 1) forks ??= this.#forksOf(image)
      scene = await scheduler.until(perform(scene, operation, image))
      if (!together) await scheduler.pass(quietMs)
      scene.look()
    }
    await scheduler.pass(quietMs)
    forks!.cut()
    this.explored.sequences++
    await this.#recoverAll(forks!.images, name)
  }

  /** Runs a sequence again and again, and has each system call of its last operation fail in turn. */
  async exploreFaults(sequence: readonly Operation[], fault: Fault): Promise<void> {
    const base = await this.#base
    for (let target = 1; ; target++) {
      const image = imageOf(base.disk, base.model, this.#seed++)
      const { scheduler, hooks } = image
      let scene = await scheduler.until(StoreScene.open({ ...image, sizes }))
      for (const operation of sequence.slice(0, -1)) {
        scene = await scheduler.until(perform(scene, operation, image))
        await scheduler.pass(quietMs)
      }
      let calls = 0
      hooks.faultOf = ({ kind }) =>
        kind !== 'read' && kind !== 'read-now' && ++calls === target ? fault : undefined
      const name = `${sequence.join(', ')}; ${fault} at call ${target}`
      // Whether it is told so or not: nothing more may be acknowledged once something has failed.
      const last = await scheduler.until(perform(scene, sequence.at(-1)!, image).catch(mustBeFault))
      await scheduler.pass(quietMs)
      if (calls < target) break
      if (last) {
        perform(last, 'append to both', image).catch(mustBeFault)
        await scheduler.pass(quietMs)
        last.look()
      }
      delete hooks.faultOf
      this.explored.crashPoints++
      const images = [imageOf(image.disk, image.model, this.#seed++)]
      const { disk, model } = image
      const life = scheduler.live()
      const survived = disk.killed({ life, random: seededRandom(this.#seed++) })
      images.push({ disk: survived, model: model.copy(), life, scheduler, hooks })
      await this.#recoverAll(images, name)
    }
    this.explored.sequences++
  }

  #forksOf(image: Image, outcomes = this.#outcomes): Forks {
    const images: Image[] = []
    const cut = (): void => {
      this.explored.crashPoints++
      for (let outcome = 0; outcome < outcomes; outcome++) {
        images.push(imageOf(image.disk, image.model, this.#seed++))
      }
    }
    image.hooks.changed = cut
    return { images, cut }
  }

  async #makeBase(): Promise<Image> {
    const image = imageOf(emptyDisk(), new StoreModel(), 1)
    const scene = await image.scheduler.until(StoreScene.open({ ...image, sizes }))
    scene.append(scene.create(), [20], false)
    scene.append(scene.create(), [20], false)
    await image.scheduler.until(scene.store.flushed())
    await image.scheduler.until(scene.store.close())
    return image
  }

  async #recoverAll(images: readonly Image[], name: string): Promise<void> {
    for (const [index, image] of images.entries()) {
      try {
        const isFirst = index % this.#outcomes === 0
        const forks = isFirst && this.#alsoWhileRecovering ? this.#forksOf(image, 1) : undefined
        await this.#recover(image, isFirst)
        for (const fork of forks?.images ?? []) await this.#recover(fork, false)
      } catch (error) {
        const { message } = error as Error
        throw new InvariantError(`after "${name}", disk ${index}: ${message}`, { cause: error })
      }
    }
  }

  /** Recovers, and when `goesOn` also writes on and restarts. */
  async #recover(image: Image, goesOn: boolean): Promise<void> {
    this.explored.recoveries++
    const { scheduler } = image
    const scene = await scheduler.until(StoreScene.open({ ...image, sizes }))
    await scheduler.until(scene.verify({ isAudited: true }))
    if (!goesOn) return
    for (const partition of image.model.partitions.values()) scene.append(partition, [30], true)
    await scheduler.until(scene.store.flushed())
    scene.look()
    await scheduler.until(scene.store.close())
    const next = await scheduler.until(StoreScene.open({ ...image, sizes }))
    await scheduler.until(next.verify({ isAudited: true }))
    await scheduler.until(next.store.close())
  }
}

function emptyDisk(): SimulatedDisk {
  return new SimulatedDisk({ life: new Scheduler().live(), random: seededRandom(1) })
}

interface Forks {
  readonly images: Image[]
  cut(): void
}

function mustBeFault(error: unknown): undefined {
  const { code, name } = error as NodeJS.ErrnoException
  const isExpected = code === 'EIO' || code === 'ENOSPC' || code === 'EMFILE'
  hold(isExpected || name === 'SequencerError' || name === 'KafkaError', () => String(error))
}

/** Resolves when what was begun is answered, as far as somebody waits for it. */
async function perform(scene: StoreScene, operation: Operation, image: Image): Promise<StoreScene> {
  const { store, model } = scene
  const [a, b] = [...model.partitions.values()]
  const second = b ?? scene.create()
  switch (operation) {
    case 'append to A':
      scene.append(a!, [25, 5], false)
      break
    case 'append to B':
      scene.append(second, [40], false)
      break
    case 'idempotent append to A':
      scene.append(a!, [10, 10], true)
      break
    case 'append to both':
      scene.append(a!, [15], true)
      scene.append(second, [15], true)
      break
    case 'go on with a transaction in A':
      if (!scene.log(a!).ongoingTransaction(transactionalId(a!, 0))) scene.appendInTransaction(a!, 0, [20])
      else scene.endTransaction(a!, 0, a!.batches.length % 2 === 0 ? 'COMMIT' : 'ABORT')
      break
    case 'fill the segment':
      scene.append(a!, [600], false)
      break
    case 'delete from A':
      scene.look()
      scene.deleteBefore(a!, a!.shown)
      break
    case 'drop B':
      scene.drop(second)
      break
    case 'reopen':
      await store.flushed()
      await store.close()
      return StoreScene.open({ ...image, sizes })
  }
  await store.flushed()
  return scene
}
