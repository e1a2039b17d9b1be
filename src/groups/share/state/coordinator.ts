import type { CoordinationEnvironment } from '../../../coordination/environment.ts'
import { CoordinatorPartitions } from '../../../coordination/partitions.ts'
import type { CoordinatorKind } from '../../../coordination/state.ts'
import type { StateTopic } from '../../../coordination/state-topic.ts'
import type { Turn as TurnOn } from '../../../coordination/turn.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { overlay, type StateBatch } from './delivery.ts'
import { coordinatorKey, type ShareKey } from './key.ts'
import { ShareStates, type Entry } from './partition-state.ts'
import { shareSnapshot, shareUpdate, type ShareState } from './records.ts'

/** What the share coordinator is given to work with. */
export interface ShareStateEnvironment extends CoordinationEnvironment {
  /** share.coordinator.snapshot.update.records.per.snapshot */
  readonly updatesPerSnapshot: number
}

type Turn = TurnOn<ShareStates, ShareStateEnvironment>

/** A log that can be cut at its start. */
export interface ShareStateTopic extends StateTopic {
  /** The offset of the next record of a partition. */
  endOffset(partition: number): bigint
  /** Gives up the records of a partition before `offset`, for good. */
  discardBefore(partition: number, offset: bigint): Promise<void>
}

/** A write to a share partition, by whoever leads it. */
export interface ShareWrite {
  readonly stateEpoch: number
  readonly leaderEpoch: number
  /** -1 leaves it as it is. */
  readonly startOffset: number
  readonly deliveryCompleteCount: number
  readonly batches: readonly StateBatch[]
}

/** Records that say nothing any more are cut off when there are so many of them. */
const redundantMax = 1_000
/** A share partition whose snapshot is older than so many records gets a new one, so that there is something to cut off. */
const snapshotAgeMax = 10_000

const unknownOffset = -1

const kind: CoordinatorKind<ShareStates, ShareStateEnvironment> = {
  topicName: '__share_group_state',
  create: () => new ShareStates(),
  resume: () => {},
  audit(states, logged) {
    const here = describe(states)
    const there = describe(logged)
    return here === there ? [] : [`share partitions are ${here}, in their log ${there}`]
  },
}

/**
 * The share coordinator: how far share groups have come, partition by partition, kept in `__share_group_state` as
 * snapshots and the updates since (KIP-932, ShareCoordinatorShard). Whatever is refused rejects with a KafkaError.
 */
export class ShareCoordinator {
  readonly #partitions: CoordinatorPartitions<ShareStates, ShareStateEnvironment>
  readonly #topic: ShareStateTopic
  readonly #environment: ShareStateEnvironment
  readonly #listeners: ((key: ShareKey) => void)[] = []

  constructor(options: ShareStateEnvironment & { readonly topic: ShareStateTopic }) {
    this.#environment = options
    this.#topic = options.topic
    this.#partitions = new CoordinatorPartitions<ShareStates, ShareStateEnvironment>(
      kind,
      options.topic,
      options,
    )
  }

  /** Reads the whole of `__share_group_state`. */
  load(): Promise<void> {
    return this.#partitions.load()
  }

  close(): Promise<void> {
    return this.#partitions.close()
  }

  audit(): Promise<string[]> {
    return this.#partitions.audit()
  }

  /** Somebody has deleted `__share_group_state`. */
  stateDeleted(): void {
    this.#partitions.reset()
  }

  /** Calls `listener` when a share partition begins anew or is deleted: what was read of it before does not hold any more. */
  onReset(listener: (key: ShareKey) => void): void {
    this.#listeners.push(listener)
  }

  /** Makes a share partition known, if it is not yet; where it begins its first reader will say. */
  async ensure(key: ShareKey): Promise<void> {
    await this.#run(key, turn => {
      if (!turn.state.get(key)) this.#begin(turn, key, 0, unknownOffset)
    })
  }

  /** A share partition is as if nobody had ever read it, whatever is known of it. */
  async reset(key: ShareKey): Promise<void> {
    await this.#run(key, turn => this.#begin(turn, key, 0, unknownOffset))
  }

  /** A share partition begins anew at `startOffset`, or with -1 where its first reader will say. Throws FENCED_STATE_EPOCH. */
  async initialize(key: ShareKey, stateEpoch: number, startOffset: number): Promise<void> {
    checkPartition(key)
    await this.#run(key, turn => {
      if ((turn.state.get(key)?.state.stateEpoch ?? 0) > stateEpoch)
        throw new KafkaError('FENCED_STATE_EPOCH')
      this.#begin(turn, key, stateEpoch, startOffset)
    })
  }

  #begin(turn: Turn, key: ShareKey, stateEpoch: number, startOffset: number): void {
    const snapshotEpoch = (turn.state.get(key)?.state.snapshotEpoch ?? -1) + 1
    writeSnapshot(turn, key, {
      snapshotEpoch,
      stateEpoch,
      leaderEpoch: 0,
      startOffset,
      deliveryCompleteCount: startOffset === unknownOffset ? -1 : 0,
      createTimestamp: BigInt(turn.nowMs),
      batches: [],
    })
    this.#tell(key)
  }

  /** All that is known of a share partition, to whoever leads it from now on. Throws FENCED_LEADER_EPOCH, or INVALID_REQUEST before `initialize`. */
  read(key: ShareKey, leaderEpoch: number): Promise<ShareState> {
    checkPartition(key)
    return this.#run(key, turn => {
      const entry = turn.state.get(key)
      if (!entry) throw uninitialized('Read')
      const { state } = entry
      if (state.leaderEpoch > leaderEpoch) throw new KafkaError('FENCED_LEADER_EPOCH')
      if (state.leaderEpoch < leaderEpoch) {
        const { startOffset, deliveryCompleteCount } = state
        writeChange(turn, entry, {
          stateEpoch: state.stateEpoch,
          leaderEpoch,
          startOffset,
          deliveryCompleteCount,
          batches: [],
        })
      }
      return turn.state.get(key)!.state
    })
  }

  /** What became of records. Resolves when it is on disk. Throws FENCED_LEADER_EPOCH, FENCED_STATE_EPOCH, or INVALID_REQUEST before `initialize`. */
  async write(key: ShareKey, write: ShareWrite): Promise<void> {
    checkPartition(key)
    await this.#run(key, turn => {
      const entry = turn.state.get(key)
      if (!entry) throw uninitialized('Write')
      if (entry.state.leaderEpoch > write.leaderEpoch) throw new KafkaError('FENCED_LEADER_EPOCH')
      if (entry.state.stateEpoch > write.stateEpoch) throw new KafkaError('FENCED_STATE_EPOCH')
      writeChange(turn, entry, write)
    })
  }

  /** Forgets a share partition, if it is there. */
  async delete(key: ShareKey): Promise<void> {
    checkPartition(key)
    await this.#run(key, turn => {
      if (!turn.state.get(key)) return
      turn.write(shareSnapshot(key, null, turn.nowMs))
      this.#tell(key)
    })
  }

  /** What is on disk of a share partition; undefined where there is none. */
  summary(key: ShareKey): Promise<ShareState | undefined> {
    checkPartition(key)
    return this.#run(key, turn => turn.state.get(key)?.state)
  }

  /** Forgets topics that were deleted, in every group. Where that fails they stay: it is logged. */
  async topicsDeleted(topicIds: ReadonlySet<string>): Promise<void> {
    const removals = this.#partitions.runEach(turn => {
      for (const { key } of Array.from(turn.state.entries())) {
        if (!topicIds.has(key.topicId)) continue
        turn.write(shareSnapshot(key, null, turn.nowMs))
        this.#tell(key)
      }
    })
    for (const removal of await Promise.allSettled(removals)) {
      if (removal.status === 'rejected')
        this.#environment.logger.warn(
          { err: removal.reason, topicCount: topicIds.size },
          'share partitions of deleted topics stay',
        )
    }
  }

  #tell(key: ShareKey): void {
    for (const listener of this.#listeners) listener(key)
  }

  async #run<Reply>(key: ShareKey, decide: (turn: Turn) => Reply): Promise<Reply> {
    const id = coordinatorKey(key)
    let isCutDue = false
    const reply = await this.#partitions.run(id, turn => {
      const decided = decide(turn)
      if (turn.records.length > 0) renewOldest(turn)
      isCutDue = turn.state.redundantCount >= redundantMax
      return decided
    })
    if (isCutDue) this.#cut(this.#partitions.numberFor(id))
    return reply
  }

  /** Cuts off what says nothing any more. Nobody waits for it; what fails is done with the next one. */
  #cut(partition: number): void {
    const cut = async (): Promise<void> => {
      let offset = 0n
      // Only what is on disk says that others are not needed: the turn waits for it.
      await this.#partitions.at(partition)!.run(({ state }) => {
        offset = this.#topic.endOffset(partition) - BigInt(state.neededCount)
        state.cut()
      })
      await this.#topic.discardBefore(partition, offset)
    }
    cut().catch((error: unknown) => {
      this.#environment.logger.warn({ err: error, partition }, 'records of share groups could not be cut off')
    })
  }
}

function writeSnapshot(turn: Turn, key: ShareKey, state: ShareState): void {
  turn.write(shareSnapshot(key, state, turn.nowMs))
}

/** An update, or in its time a snapshot. */
function writeChange(turn: Turn, entry: Entry, write: ShareWrite): void {
  const { key, state, updateCount } = entry
  const { leaderEpoch, startOffset, deliveryCompleteCount, batches } = write
  if (updateCount < turn.environment.updatesPerSnapshot) {
    const { snapshotEpoch } = state
    turn.write(shareUpdate(key, { snapshotEpoch, leaderEpoch, startOffset, deliveryCompleteCount, batches }))
    return
  }
  const from = startOffset === unknownOffset ? state.startOffset : startOffset
  writeSnapshot(turn, key, {
    ...state,
    snapshotEpoch: state.snapshotEpoch + 1,
    stateEpoch: Math.max(state.stateEpoch, write.stateEpoch),
    leaderEpoch: Math.max(state.leaderEpoch, leaderEpoch),
    startOffset: from,
    deliveryCompleteCount,
    batches: overlay(state.batches, batches, from),
  })
}

/** A share partition that nobody writes to would keep the log from being cut: whoever writes writes for it as well. */
function renewOldest(turn: Turn): void {
  const { oldest, neededCount } = turn.state
  if (!oldest || neededCount <= snapshotAgeMax) return
  writeSnapshot(turn, oldest.key, { ...oldest.state, snapshotEpoch: oldest.state.snapshotEpoch + 1 })
}

function checkPartition({ partition }: ShareKey): void {
  if (partition < 0) throw new KafkaError('INVALID_REQUEST', 'The partition id cannot be a negative number.')
}

function uninitialized(operation: 'Read' | 'Write'): KafkaError {
  return new KafkaError(
    'INVALID_REQUEST',
    `${operation} operation on uninitialized share partition not allowed.`,
  )
}

function describe(states: ShareStates): string {
  const parts = Array.from(states.entries(), ({ key, state }) => {
    const { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount, batches } = state
    return JSON.stringify([
      coordinatorKey(key),
      stateEpoch,
      leaderEpoch,
      startOffset,
      deliveryCompleteCount,
      batches,
    ])
  })
  return parts.sort().join(' ')
}
