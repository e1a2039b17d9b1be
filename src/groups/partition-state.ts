import type { Clock } from '../base/clock.ts'
import type { CoordinatedState } from '../coordination/state.ts'
import type { TransactionEnd } from '../coordination/state-topic.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { OffsetCommitKey, OffsetCommitValue } from '../protocol/messages/consumer-offsets-records.ts'
import { ClassicGroup } from './classic/group.ts'
import type { Group } from './group.ts'
import { CommittedOffsets } from './offsets/committed-offsets.ts'
import { PendingOffsets } from './offsets/pending-offsets.ts'
import { readRecord } from './records.ts'

/** What one partition of `__consumer_offsets` says: its groups and their offsets. */
export class PartitionState implements CoordinatedState {
  readonly groups = new Map<string, Group>()
  readonly offsets = new CommittedOffsets()
  readonly pendingOffsets = new PendingOffsets()
  readonly #clock: Clock
  /** Offsets that were replayed so far. */
  #offsetCount = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Applies a record: as it is decided, and again at every start. Types that are not kept here are passed over. */
  replay(key: Buffer, value: Buffer | null, producerId?: bigint): void {
    const record = readRecord(key, value)
    if (!record) return
    if (record.type === 'offsetCommit') {
      this.#replayOffset(record.key, record.value, producerId)
    } else if (record.value) {
      this.#classic(record.key.group).replay(record.value)
    } else {
      this.groups.get(record.key.group)?.dispose('UNKNOWN_MEMBER_ID')
      this.groups.delete(record.key.group)
    }
  }

  #replayOffset(
    { group, topic, partition }: OffsetCommitKey,
    value: OffsetCommitValue | null,
    producerId: bigint | undefined,
  ): void {
    if (value === null) {
      this.offsets.set(group, topic, partition, null)
      this.pendingOffsets.remove(group, topic, partition)
      return
    }
    // Offsets may belong to nobody but a consumer that assigns partitions to itself (a simple group).
    if (!this.groups.has(group)) this.#classic(group)
    const offset = { ...value, order: ++this.#offsetCount }
    if (producerId === undefined) this.offsets.set(group, topic, partition, offset)
    else this.pendingOffsets.set(producerId, group, topic, partition, offset)
  }

  /** Offsets of a transaction that was committed count from now on, where none was committed after them. */
  replayEnd(producerId: bigint, type: TransactionEnd['type']): void {
    const pending = this.pendingOffsets.take(producerId)
    if (!pending || type === 'ABORT') return
    for (const { group, topic, partition, offset } of pending.each()) {
      const committed = this.offsets.get(group, topic, partition)
      if (!committed || committed.order < offset.order) this.offsets.set(group, topic, partition, offset)
    }
  }

  /** Ends every wait and every deadline in here. */
  dispose(error: ErrorName): void {
    for (const group of this.groups.values()) group.dispose(error)
  }

  /** The classic group of this id. One of another type is none. */
  classic(groupId: string): ClassicGroup | undefined {
    const group = this.groups.get(groupId)
    return group instanceof ClassicGroup ? group : undefined
  }

  #classic(groupId: string): ClassicGroup {
    let group = this.classic(groupId)
    if (!group) this.groups.set(groupId, (group = new ClassicGroup(groupId, this.#clock)))
    return group
  }
}
