import type { Cancel, Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { Deadline } from '../../coordination/deadline.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { GroupConfigs } from '../group-configs.ts'
import { acknowledgeTypes, type Acknowledgement } from './acknowledgement.ts'
import { readOffsetReset } from './offset-reset.ts'
import { SharePartition, type AcquiredRecords, type AcquireOptions } from './share-partition.ts'
import type { ShareCoordinator } from './state/coordinator.ts'
import type { StateBatch } from './state/delivery.ts'
import type { ShareKey } from './state/key.ts'

/** What has to be known of the log of a share partition. */
export interface ShareLog {
  readonly leaderEpoch: number
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
  offsetForTimestamp(timestamp: bigint): Promise<{ readonly offset: bigint } | undefined>
}

/** What share partitions are led with. */
export interface ShareLeadership {
  readonly clock: Clock
  readonly logger: Logger
  readonly states: ShareCoordinator
  readonly configs: GroupConfigs
}

/** What is asked for; how long for and how many at once are the group's own settings. */
export type Acquiring = Omit<AcquireOptions, 'lockedUntilMs' | 'inFlightMax'>

/**
 * A share partition at work: hands out records, takes back what is held for too long, and has what became of them written
 * before it is answered for. When a write fails, what it knows is ahead of the log for good, and it is `isOver`.
 */
export class LedPartition {
  readonly key: ShareKey
  readonly #log: ShareLog
  readonly #leadership: ShareLeadership
  readonly #records: SharePartition
  readonly #stateEpoch: number
  readonly #deadline: Deadline
  readonly #listeners = new Set<() => void>()
  #expiryMs = Infinity
  #isOver = false
  /** Rises when something may be had that could not be had before. */
  changeCount = 0

  private constructor(
    key: ShareKey,
    log: ShareLog,
    leadership: ShareLeadership,
    records: SharePartition,
    stateEpoch: number,
  ) {
    this.key = key
    this.#log = log
    this.#leadership = leadership
    this.#records = records
    this.#stateEpoch = stateEpoch
    this.#deadline = new Deadline(leadership.clock)
  }

  /** Goes on where the group left off; where it never was, where its settings say, and that is on disk then. */
  static async open(key: ShareKey, log: ShareLog, leadership: ShareLeadership): Promise<LedPartition> {
    const { states } = leadership
    const { startOffset: known, batches, stateEpoch } = await states.read(key, log.leaderEpoch)
    const startOffset = known === -1 ? await firstOffset(key, log, leadership) : known
    const records = new SharePartition({ startOffset, batches })
    records.trim(Number(log.logStartOffset))
    const led = new LedPartition(key, log, leadership, records, stateEpoch)
    if (known === -1) await led.#write([])
    return led
  }

  /** It is not to be used any more; whoever needs it opens another. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Where to look for something to hand out; undefined when there are as many in flight as may be. */
  get nextFetchOffset(): number | undefined {
    this.#records.trim(Number(this.#log.logStartOffset))
    return this.#records.nextFetchOffset(this.#recordLocksMax)
  }

  /** Hands out what is free in what was read. */
  acquire(acquiring: Acquiring): AcquiredRecords[] {
    if (this.#isOver) return []
    const lockedUntilMs = this.#lockedUntilMs
    const acquired = this.#records.acquire({ ...acquiring, lockedUntilMs, inFlightMax: this.#recordLocksMax })
    if (acquired.length > 0) this.#expireBy(lockedUntilMs)
    return acquired
  }

  /** Settles acknowledgements. Resolves when that is on disk. Rejects with what `SharePartition.acknowledge` throws, or as writes fail. */
  async acknowledge(memberId: string, acknowledgements: readonly Acknowledgement[]): Promise<void> {
    if (this.#isOver) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    this.#checkRenewals(acknowledgements)
    const limits = { deliveryCountMax: this.#deliveryCountMax, lockedUntilMs: this.#lockedUntilMs }
    await this.#writeIfAny(this.#records.acknowledge(memberId, acknowledgements, limits))
  }

  /** Takes back what a member holds that is gone. Resolves when that is on disk. */
  async release(memberId: string): Promise<void> {
    if (!this.#isOver) await this.#writeIfAny(this.#records.release(memberId, this.#deliveryCountMax))
  }

  /** Gives up records of an aborted transaction that a member was about to be handed. Nobody waits for that to be on disk. */
  archive(memberId: string, records: { readonly firstOffset: number; readonly lastOffset: number }): void {
    if (this.#isOver) return
    this.#writeBehind(this.#records.archive(memberId, records.firstOffset, records.lastOffset))
  }

  /** Calls `listener` when something may be had that could not be had before, and when it is over. */
  onAdvance(listener: () => void): Cancel {
    const own = (): void => listener()
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Ends it: locks mean nothing any more. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#deadline.cancel()
    this.#notify()
  }

  /** What is unsound, in words. */
  audit(): string[] {
    const { groupId, partition } = this.key
    return this.#records.audit().map(problem => `share group ${groupId}, partition ${partition}: ${problem}`)
  }

  #checkRenewals(acknowledgements: readonly Acknowledgement[]): void {
    if (this.#leadership.configs.get('share.renew.acknowledge.enable', this.key.groupId)) return
    if (acknowledgements.some(({ types }) => types.includes(acknowledgeTypes.renew))) {
      throw new KafkaError('INVALID_RECORD_STATE', 'Locks of this group are not renewed.')
    }
  }

  /** What is in force now for the group. */
  get #deliveryCountMax(): number {
    return this.#leadership.configs.get('share.delivery.count.limit', this.key.groupId)
  }

  get #recordLocksMax(): number {
    return this.#leadership.configs.get('share.partition.max.record.locks', this.key.groupId)
  }

  get #lockedUntilMs(): number {
    const { clock, configs } = this.#leadership
    return clock.monotonic() + configs.get('share.record.lock.duration.ms', this.key.groupId)
  }

  #expireBy(lockedUntilMs: number): void {
    if (lockedUntilMs >= this.#expiryMs) return
    this.#expiryMs = lockedUntilMs
    this.#deadline.set(lockedUntilMs - this.#leadership.clock.monotonic(), () => this.#expire())
  }

  #expire(): void {
    const { clock } = this.#leadership
    this.#expiryMs = Infinity
    const changes = this.#records.expire(clock.monotonic(), this.#deliveryCountMax)
    this.#expireBy(this.#records.nextExpiryMs)
    this.#writeBehind(changes)
  }

  /** What is lost of it is decided again by the next one to read. */
  #writeBehind(changes: readonly StateBatch[] | undefined): void {
    this.#writeIfAny(changes).catch((error: unknown) => {
      const { logger } = this.#leadership
      logger.warn({ err: error, ...this.key }, 'what became of shared records could not be written')
    })
  }

  async #writeIfAny(changes: readonly StateBatch[] | undefined): Promise<void> {
    if (changes) await this.#write(changes)
  }

  async #write(batches: readonly StateBatch[]): Promise<void> {
    const { startOffset, doneCount } = this.#records
    this.#notify()
    try {
      await this.#leadership.states.write(this.key, {
        stateEpoch: this.#stateEpoch,
        leaderEpoch: this.#log.leaderEpoch,
        startOffset,
        deliveryCompleteCount: doneCount,
        batches,
      })
    } catch (error) {
      this.end()
      throw error
    }
  }

  #notify(): void {
    this.changeCount++
    for (const listener of Array.from(this.#listeners)) listener()
  }
}

/** Where a share partition begins that nobody has read (share.auto.offset.reset). */
async function firstOffset(
  key: ShareKey,
  log: ShareLog,
  { configs, clock }: ShareLeadership,
): Promise<number> {
  const reset = readOffsetReset(configs.get('share.auto.offset.reset', key.groupId))
  if (reset === 'earliest') return Number(log.logStartOffset)
  if (reset === 'latest') return Number(log.highWatermark)
  const found = await log.offsetForTimestamp(BigInt(clock.now() - reset.agoMs))
  return Number(found ? found.offset : log.highWatermark)
}
