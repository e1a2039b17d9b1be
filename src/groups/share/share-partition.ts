import { assert } from '../../base/assert.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { acknowledgeTypes, type Acknowledgement } from './acknowledgement.ts'
import { deliveryStates, type StateBatch } from './state/delivery.ts'

/** Where a share partition stands, as its log tells it. */
export interface SharePartitionStart {
  readonly startOffset: number
  /** In order, none overlapping. */
  readonly batches: readonly StateBatch[]
}

/** Records that somebody was handed; `lastOffset` is the last one. */
export interface AcquiredRecords {
  readonly firstOffset: number
  readonly lastOffset: number
  /** How often by now, this time included. */
  readonly deliveryCount: number
}

/** The offsets of a batch in the log. */
export interface LogBatch {
  readonly firstOffset: number
  readonly lastOffset: number
}

export interface AcquireOptions {
  readonly memberId: string
  /** Where the log was read from. */
  readonly from: number
  /** What was read: batches of the log in order, of which no more are looked at than is needed. */
  readonly batches: Iterable<LogBatch>
  readonly recordsMax: number
  /** Not a record more than `recordsMax` (KIP-1206); otherwise the batch that reaches it is handed out whole. */
  readonly isStrict: boolean
  /** When there are so many records that are not done with, no more are handed out; the batch that reaches it is whole unless `isStrict`. */
  readonly inFlightMax: number
  /** Records are told of in pieces of about so many, cut between batches. */
  readonly pieceRecords: number
  readonly lockedUntilMs: number
}

/** What an acknowledgement goes by. */
export interface AcknowledgeLimits {
  readonly deliveryCountMax: number
  /** What a renewed lock lasts until. */
  readonly lockedUntilMs: number
}

type InFlightState = 'available' | 'acquired' | 'acknowledged' | 'archived'

/** Neighbouring records of the same fate: one object, however many they are. */
interface Run {
  firstOffset: number
  lastOffset: number
  state: InFlightState
  deliveryCount: number
  /** Who holds it, while it is acquired. */
  memberId: string | undefined
  lockedUntilMs: number
}

/**
 * The records of one partition that a share group is at work on (Kafka's SharePartition), from the first that is not
 * done with up to the last that was handed out. Pure: told the time, and telling what has to be written. Kafka's states per batch and
 * per offset are one thing here, runs of records, which are split where fates part and joined where they meet.
 */
export class SharePartition {
  /** Without holes from `startOffset` to `endOffset`. */
  readonly #runs: Run[] = []
  #startOffset: number
  #doneCount = 0

  constructor({ startOffset, batches }: SharePartitionStart) {
    this.#startOffset = startOffset
    let next = startOffset
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of batches) {
      if (lastOffset < next) continue
      // What was handed out and never came back is not written.
      if (firstOffset > next) this.#runs.push(run(next, firstOffset - 1, 'available', 0))
      this.#runs.push(run(Math.max(next, firstOffset), lastOffset, stateOf(deliveryState), deliveryCount))
      next = lastOffset + 1
    }
    this.#tidy()
  }

  /** The first record that is not done with (SPSO). */
  get startOffset(): number {
    return this.#startOffset
  }

  /** The first record that nobody was handed yet (SPEO + 1). */
  get endOffset(): number {
    const last = this.#runs.at(-1)
    return last ? last.lastOffset + 1 : this.#startOffset
  }

  /** Records behind `startOffset` that are done with. */
  get doneCount(): number {
    return this.#doneCount
  }

  /** Records that were handed out and are not done with. */
  get inFlightCount(): number {
    return this.endOffset - this.#startOffset - this.#doneCount
  }

  /** Where to look for something to hand out; undefined when there are as many in flight as may be. */
  nextFetchOffset(inFlightMax: number): number | undefined {
    const available = this.#runs.find(({ state }) => state === 'available')
    if (available) return available.firstOffset
    return this.inFlightCount < inFlightMax ? this.endOffset : undefined
  }

  /** When the next lock expires; Infinity where there is none. */
  get nextExpiryMs(): number {
    let next = Infinity
    for (const { lockedUntilMs } of this.#runs) next = Math.min(next, lockedUntilMs)
    return next
  }

  /** Hands out what is free in the batches. */
  acquire(options: AcquireOptions): AcquiredRecords[] {
    const { batches, memberId, lockedUntilMs, isStrict, inFlightMax } = options
    let { from } = options
    let remaining = options.recordsMax
    const acquired: AcquiredRecords[] = []
    const pieces = new Pieces(acquired, options.pieceRecords)
    for (const batch of batches) {
      if (remaining <= 0) break
      // What came back, and is not in the log any more, will never be handed out.
      this.#archiveFree(from, batch.firstOffset - 1)
      from = batch.lastOffset + 1
      for (const free of this.#freeIn(batch, inFlightMax, isStrict)) {
        if (isStrict && remaining <= 0) break
        const count = Math.min(free.lastOffset - free.firstOffset + 1, isStrict ? remaining : Infinity)
        const lastOffset = free.firstOffset + count - 1
        const deliveryCount = free.deliveryCount + 1
        this.#set(free.firstOffset, lastOffset, { state: 'acquired', deliveryCount, memberId, lockedUntilMs })
        pieces.add({ firstOffset: free.firstOffset, lastOffset, deliveryCount })
        remaining -= count
      }
      pieces.endBatch()
    }
    this.#tidy()
    return acquired
  }

  /** What nobody holds in a batch: runs that came back, and records that were never handed out, as far as there is room. */
  #freeIn(
    { firstOffset, lastOffset }: LogBatch,
    inFlightMax: number,
    isStrict: boolean,
  ): Omit<Run, 'memberId'>[] {
    const free: Omit<Run, 'memberId'>[] = []
    for (let index = this.#find(firstOffset); index < this.#runs.length; index++) {
      const each = this.#runs[index]!
      if (each.firstOffset > lastOffset) break
      if (each.state !== 'available') continue
      free.push({
        ...each,
        firstOffset: Math.max(each.firstOffset, firstOffset),
        lastOffset: Math.min(each.lastOffset, lastOffset),
      })
    }
    const { endOffset } = this
    const room = inFlightMax - this.inFlightCount
    // What lies between the last record and this batch is not in the log, and goes with the batch.
    const last = room <= 0 || isStrict ? Math.min(lastOffset, endOffset + room - 1) : lastOffset
    if (last >= endOffset) free.push(run(endOffset, last, 'available', 0))
    return free
  }

  #archiveFree(firstOffset: number, lastOffset: number): void {
    this.#each(firstOffset, Math.min(lastOffset, this.endOffset - 1), each => {
      if (each.state === 'available') unlock(each, 'archived')
    })
  }

  /**
   * What a member says of records that it holds. Returns what has to be written, with the start; undefined for nothing. Throws INVALID_RECORD_STATE where it does not hold
   * them, INVALID_REQUEST where nobody was ever handed them; nothing has changed then. What lies before the start is done with.
   */
  acknowledge(
    memberId: string,
    acknowledgements: readonly Acknowledgement[],
    limits: AcknowledgeLimits,
  ): StateBatch[] | undefined {
    for (const acknowledgement of acknowledgements) this.#checkHeld(memberId, acknowledgement)
    const changes: StateBatch[] = []
    for (const { firstOffset, lastOffset, types } of acknowledgements) {
      for (let from = firstOffset; from <= lastOffset;) {
        const type = types.length === 1 ? types[0]! : types[from - firstOffset]!
        let to = from
        if (types.length === 1) to = lastOffset
        else while (to < lastOffset && types[to + 1 - firstOffset] === type) to++
        this.#settle(from, to, type, limits, changes)
        from = to + 1
      }
    }
    this.#tidy()
    return this.#written(changes)
  }

  #checkHeld(memberId: string, { firstOffset, lastOffset }: Acknowledgement): void {
    if (lastOffset >= this.endOffset)
      throw new KafkaError('INVALID_REQUEST', 'The records were not handed out.')
    for (let index = this.#find(firstOffset); index < this.#runs.length; index++) {
      const { firstOffset: first, state, memberId: holder } = this.#runs[index]!
      if (first > lastOffset) return
      if (state !== 'acquired' || holder !== memberId) {
        throw new KafkaError('INVALID_RECORD_STATE', 'The member does not hold the records.')
      }
    }
  }

  #settle(from: number, to: number, type: number, limits: AcknowledgeLimits, changes: StateBatch[]): void {
    this.#each(from, to, held => {
      if (type === acknowledgeTypes.renew) {
        held.lockedUntilMs = limits.lockedUntilMs
        return
      }
      const isReturned = type === acknowledgeTypes.release && held.deliveryCount < limits.deliveryCountMax
      if (isReturned) unlock(held, 'available')
      else unlock(held, type === acknowledgeTypes.accept ? 'acknowledged' : 'archived')
      changes.push(stateBatchOf(held))
    })
  }

  /** A member is gone, and with it its locks. */
  release(memberId: string, deliveryCountMax: number): StateBatch[] | undefined {
    return this.#unlockAll(held => held.memberId === memberId, deliveryCountMax)
  }

  /** Takes back what was held for too long. */
  expire(nowMs: number, deliveryCountMax: number): StateBatch[] | undefined {
    return this.#unlockAll(held => held.lockedUntilMs <= nowMs, deliveryCountMax)
  }

  /** What was handed out often enough is given up. */
  #unlockAll(isMeant: (held: Run) => boolean, deliveryCountMax: number): StateBatch[] | undefined {
    const changes: StateBatch[] = []
    for (const each of this.#runs) {
      if (each.state !== 'acquired' || !isMeant(each)) continue
      unlock(each, each.deliveryCount < deliveryCountMax ? 'available' : 'archived')
      changes.push(stateBatchOf(each))
    }
    this.#tidy()
    return this.#written(changes)
  }

  /** Gives up records of which nobody may hear, as of an aborted transaction, where the member holds them. */
  archive(memberId: string, firstOffset: number, lastOffset: number): StateBatch[] | undefined {
    const changes: StateBatch[] = []
    this.#each(firstOffset, Math.min(lastOffset, this.endOffset - 1), each => {
      if (each.state !== 'acquired' || each.memberId !== memberId) return
      unlock(each, 'archived')
      changes.push(stateBatchOf(each))
    })
    this.#tidy()
    return this.#written(changes)
  }

  /** The log begins at `logStartOffset` by now: what lies before it is done with, whoever holds it. */
  trim(logStartOffset: number): void {
    if (logStartOffset <= this.#startOffset) return
    const from = Math.min(logStartOffset, this.endOffset)
    if (from > this.#startOffset) this.#runs.splice(0, this.#cut(from))
    this.#startOffset = logStartOffset
    this.#tidy()
  }

  /** What is unsound, in words. */
  audit(): string[] {
    const problems: string[] = []
    let next = this.#startOffset
    let doneCount = 0
    for (const { firstOffset, lastOffset, state, memberId, lockedUntilMs } of this.#runs) {
      if (firstOffset !== next || lastOffset < firstOffset) problems.push(`a hole or an overlap at ${next}`)
      if ((state === 'acquired') !== (memberId !== undefined))
        problems.push(`${firstOffset} is ${state} of ${memberId}`)
      if ((state === 'acquired') !== lockedUntilMs < Infinity)
        problems.push(`${firstOffset} is ${state} with a lock`)
      if (isDone(state)) doneCount += lastOffset - firstOffset + 1
      next = lastOffset + 1
    }
    if (this.#runs[0] && isDone(this.#runs[0].state)) problems.push('the first record is done with')
    if (doneCount !== this.#doneCount)
      problems.push(`${this.#doneCount} records are done with, and not ${doneCount}`)
    return problems
  }

  /** The index of the first run that ends at or behind `offset`. */
  #find(offset: number): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#runs[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Makes a run begin at `offset`, if one reaches across it, and gives the index of the first that is not before it. */
  #cut(offset: number): number {
    const index = this.#find(offset)
    const found = this.#runs[index]
    if (!found || found.firstOffset >= offset) return index
    this.#runs.splice(index + 1, 0, { ...found, firstOffset: offset })
    found.lastOffset = offset - 1
    return index + 1
  }

  /** Visits exactly the records from `firstOffset` to `lastOffset`, run by run. */
  #each(firstOffset: number, lastOffset: number, visit: (run: Run) => void): void {
    if (firstOffset > lastOffset) return
    const from = this.#cut(firstOffset)
    const to = this.#cut(lastOffset + 1)
    for (let index = from; index < to; index++) visit(this.#runs[index]!)
  }

  #set(firstOffset: number, lastOffset: number, facts: Omit<Run, 'firstOffset' | 'lastOffset'>): void {
    if (firstOffset === this.endOffset) this.#runs.push({ firstOffset, lastOffset, ...facts })
    else this.#each(firstOffset, lastOffset, each => void Object.assign(each, facts))
  }

  /** Joins neighbours that are alike, and leaves behind what is done with at the start. */
  #tidy(): void {
    const runs = this.#runs
    let kept = 0
    let doneCount = 0
    let isLeading = true
    for (const each of runs) {
      if (isLeading && isDone(each.state)) {
        this.#startOffset = each.lastOffset + 1
        continue
      }
      isLeading = false
      if (isDone(each.state)) doneCount += each.lastOffset - each.firstOffset + 1
      const last = kept > 0 ? runs[kept - 1]! : undefined
      if (last && areAlike(last, each)) last.lastOffset = each.lastOffset
      else runs[kept++] = each
    }
    runs.length = kept
    this.#doneCount = doneCount
  }

  /** Changes in order, without those that the start has passed; undefined where there were none. */
  #written(changes: readonly StateBatch[]): StateBatch[] | undefined {
    if (changes.length === 0) return undefined
    return changes
      .filter(({ lastOffset }) => lastOffset >= this.#startOffset)
      .sort((a, b) => a.firstOffset - b.firstOffset)
  }
}

/** Gathers what is acquired into pieces of about `recordsMax` records, cut between batches of the log. */
class Pieces {
  readonly #pieces: AcquiredRecords[]
  readonly #recordsMax: number
  #isOpen = false

  constructor(pieces: AcquiredRecords[], recordsMax: number) {
    this.#pieces = pieces
    this.#recordsMax = recordsMax
  }

  add(acquired: AcquiredRecords): void {
    const last = this.#pieces.at(-1)
    const continues =
      this.#isOpen &&
      last?.lastOffset === acquired.firstOffset - 1 &&
      last.deliveryCount === acquired.deliveryCount
    if (continues) this.#pieces[this.#pieces.length - 1] = { ...last, lastOffset: acquired.lastOffset }
    else this.#pieces.push(acquired)
    this.#isOpen = true
  }

  endBatch(): void {
    const last = this.#pieces.at(-1)
    if (last && last.lastOffset - last.firstOffset + 1 >= this.#recordsMax) this.#isOpen = false
  }
}

function run(firstOffset: number, lastOffset: number, state: InFlightState, deliveryCount: number): Run {
  return { firstOffset, lastOffset, state, deliveryCount, memberId: undefined, lockedUntilMs: Infinity }
}

function unlock(held: Run, state: InFlightState): void {
  held.state = state
  held.memberId = undefined
  held.lockedUntilMs = Infinity
}

function isDone(state: InFlightState): boolean {
  return state === 'acknowledged' || state === 'archived'
}

function areAlike(a: Run, b: Run): boolean {
  return (
    a.state === b.state &&
    a.deliveryCount === b.deliveryCount &&
    a.memberId === b.memberId &&
    a.lockedUntilMs === b.lockedUntilMs
  )
}

function stateOf(deliveryState: number): InFlightState {
  if (deliveryState === deliveryStates.acknowledged) return 'acknowledged'
  return deliveryState === deliveryStates.archived ? 'archived' : 'available'
}

function stateBatchOf({ firstOffset, lastOffset, state, deliveryCount }: Run): StateBatch {
  assert(state !== 'acquired', 'what is held is not written')
  return { firstOffset, lastOffset, deliveryState: deliveryStates[state], deliveryCount }
}
